"""`[alerts]` of a task file: who is told, and what is wrong with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sync_workers.config import read
from sync_workers.config.alerts import Alerts, EmailForm, Security, SlackForm, WebhookForm
from sync_workers.errors import SettingsError

FILE = """\
[alerts]
late = 5
waiting = "2h"
[alerts.to.ops]
kind = "slack"
url = { env = "SLACK_URL" }
[alerts.to.pager]
kind = "webhook"
url = { file = "pager-url" }
[alerts.to.mail]
kind = "email"
host = "mail.example.org"
sender = "sync@example.org"
recipients = ["a@example.org"]
"""


def test_receivers_are_read_by_their_kind() -> None:
    found = read(FILE, Path("/etc/sync/sync.toml")).alerts

    assert (found.rules.late, found.rules.waiting) == (5, timedelta(hours=2))
    slack, pager, mail = found.receivers["ops"], found.receivers["pager"], found.receivers["mail"]
    assert isinstance(slack, SlackForm)
    assert isinstance(pager, WebhookForm)
    assert pager.url.file == Path("/etc/sync/pager-url")
    assert isinstance(mail, EmailForm)
    assert (mail.port, mail.security) == (587, Security.STARTTLS)


def test_a_file_without_alerts_tells_nobody() -> None:
    assert read("", Path("sync.toml")).alerts == Alerts()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            '[alerts.to.a]\nkind = "slak"\n',
            "sync.toml:2: alerts.to.a.kind: alerts cannot go to a 'slak'; did you mean 'slack'?",
        ),
        ("[alerts.to.a]\n", "sync.toml:1: alerts.to.a.kind: is missing"),
        (
            '[alerts.to.a]\nkind = "slack"\nurl = "https://hooks.slack.com/x"\n',
            "sync.toml:3: alerts.to.a.url: a secret does not stand in the task file: "  # noqa: ISC004
            'write { env = "NAME" } or { file = "path" }',
        ),
        ("[alerts]\nlat = 3\n", "sync.toml:2: alerts.lat: there is no such key; did you mean 'late'?"),
        ("[alerts]\nto = 3\n", "sync.toml:2: alerts.to: should be a table"),
        ("alerts = 3\n", "sync.toml:1: alerts: should be a table"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read(text, Path("sync.toml"))
    assert list(raised.value.problems) == [told]
