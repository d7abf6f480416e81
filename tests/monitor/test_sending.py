"""Alerts on their way, to real servers: what arrives, and what is said when they do not take it."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from datetime import UTC, datetime
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest

from sync_workers.config.alerts import EmailForm, SlackForm, WebhookForm
from sync_workers.errors import LaterError, SettingsError
from sync_workers.monitor.sending import send
from sync_workers.redis.alerts import Change, Incident, Message
from sync_workers.sandbox.embedded import _free_port
from tests.monitor.sinks import http_sink, smtp_sink

AT = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
REFUSED = Incident(
    kind="refused", task="todo", summary="a guard refused todo", command="sync-workers plans todo"
)
NO_BEAT = Incident(kind="no-beat", summary="no beat ticks", command="sync-workers beat")
BEGUN = Message("1 begun x refused todo", "x", Change.BEGUN, REFUSED, AT, AT)
ENDED = Message("2 ended x no-beat", "x", Change.ENDED, NO_BEAT, AT, AT)


def webhook(**more: Any) -> WebhookForm:
    return WebhookForm.model_validate({"kind": "webhook", "url": {"env": "HOOK"}} | more)


def email(port: int, **more: Any) -> EmailForm:
    given = {
        "kind": "email", "host": "127.0.0.1", "port": port, "security": "none",
        "sender": "sync@example.org", "recipients": ["a@example.org", "b@example.org"],
    }  # fmt: skip
    return EmailForm.model_validate(given | more)


def test_a_webhook_gets_each_incident_with_what_to_do_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_sink() as sink:
        monkeypatch.setenv("HOOK", sink.url)
        monkeypatch.setenv("TOKEN", "tok")
        send(webhook(token={"env": "TOKEN"}), [BEGUN, ENDED])
        send(webhook(), [ENDED])

    assert sink.tokens == ["Bearer tok", None]
    first, second = sink.got[0]["incidents"]
    assert first == {
        "id": "1 begun x refused todo", "state": "begun", "kind": "refused", "task": "todo",
        "summary": "a guard refused todo", "command": "sync-workers plans todo",
        "since": "2026-11-26T09:30:00+00:00", "at": "2026-11-26T09:30:00+00:00",
    }  # fmt: skip
    assert (second["kind"], second["state"], second["task"]) == ("no-beat", "ended", "")


def test_slack_gets_lines_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_sink() as sink:
        monkeypatch.setenv("HOOK", sink.url)
        send(SlackForm.model_validate({"kind": "slack", "url": {"env": "HOOK"}}), [BEGUN, ENDED])

    assert sink.got == [
        {
            "text": "[sync-workers] a guard refused todo\nnext: sync-workers plans todo\n"
            "[sync-workers] over: no beat ticks (since 2026-11-26 09:30 UTC)"
        }
    ]


@pytest.mark.parametrize("status", [302, 404, 429, 500])
def test_a_webhook_that_does_not_take_it_is_tried_again_and_its_address_not_told(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    with http_sink() as sink:
        sink.status = status
        monkeypatch.setenv("HOOK", sink.url)
        with pytest.raises(LaterError, match=f"it answered {status}") as raised:
            send(webhook(), [BEGUN])
    assert "hook-secret" not in str(raised.value)
    assert sink.got == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:FREE/secret",
        "http://no.invalid/secret",
        "http://127.0.0.1/a secret",
        "http://[secret",
        "http://",
    ],
)
def test_a_webhook_that_is_not_there_is_tried_again(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    url = url.replace("FREE", str(_free_port()))
    monkeypatch.setenv("HOOK", url)
    with pytest.raises(LaterError, match="it was not reached") as raised:
        send(webhook(), [BEGUN])
    assert "secret" not in str(raised.value)


def test_only_web_addresses_are_posted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "file:///etc/passwd")
    with pytest.raises(SettingsError, match="should begin with https"):
        send(webhook(), [BEGUN])
    monkeypatch.delenv("HOOK")
    with pytest.raises(SettingsError, match="environment variable HOOK"):
        send(webhook(), [BEGUN])


def test_a_mail_reaches_all_recipients_with_the_first_incident_as_its_subject(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PASSWORD", "pass")
    with smtp_sink() as (port, mails, logins):
        send(email(port, user="me", password={"env": "PASSWORD"}), [BEGUN, ENDED])

    (mail,) = map(message_from_string, mails)
    assert mail["Subject"] == "[sync-workers] a guard refused todo (and 1 more)"
    assert (mail["From"], mail["To"]) == ("sync@example.org", "a@example.org, b@example.org")
    assert mail["Message-ID"].endswith("@example.org>")
    assert mail["Date"]
    text = mail.get_payload()
    assert "next: sync-workers plans todo" in text
    assert "over: no beat ticks" in text
    assert logins == ["\0me\0pass"]


def test_a_mail_server_that_refuses_or_is_not_there_is_tried_again() -> None:
    with (
        smtp_sink(refuses=True) as (port, mails, _),
        pytest.raises(LaterError, match="SMTPRecipientsRefused"),
    ):
        send(email(port), [BEGUN])
    assert mails == []
    with pytest.raises(LaterError, match="ConnectionRefusedError"):
        send(email(_free_port()), [BEGUN])


def test_a_mail_goes_nowhere_in_the_clear_unless_that_is_wanted() -> None:
    with smtp_sink() as (port, mails, _), pytest.raises(LaterError, match="SMTPNotSupportedError"):
        send(email(port, security="starttls"), [BEGUN])
    with smtp_sink() as (port, more, _), pytest.raises(LaterError, match="SSLError"):
        send(email(port, security="tls"), [BEGUN])
    assert mails == more == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of localhost, with its key in the same file; nobody else vouches for it."""
    if shutil.which("openssl") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, found = folder / "key.pem", folder / "both.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(found)],
        capture_output=True, check=True,
    )  # fmt: skip
    found.write_text(key.read_text() + found.read_text())
    return found


def test_a_login_waits_for_an_encrypted_connection_to_a_server_that_is_trusted(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    monkeypatch.setenv("PASSWORD", "pass")
    with smtp_sink(tls=tls) as (port, mails, logins):
        server = email(port, host="localhost", security="starttls", user="me", password={"env": "PASSWORD"})
        with pytest.raises(LaterError, match="SSLCertVerificationError"):
            send(server, [BEGUN])
        assert logins == mails == []

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        send(server, [BEGUN])
        assert (logins, len(mails)) == (["\0me\0pass"], 1)
