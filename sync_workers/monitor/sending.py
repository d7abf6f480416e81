"""Alerts on their way: as JSON to a webhook, as text to Slack and its kin, or by e-mail.

All that a receiver is to be told now goes in one message. Addresses may hold secrets, so no error names one.
"""

from __future__ import annotations

import json
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from functools import singledispatch
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from sync_workers.config.alerts import EmailForm, Receiver, Security, SlackForm, WebhookForm
from sync_workers.errors import LaterError, SettingsError
from sync_workers.redis.alerts import Change, Message

LONGEST = 10.0
"""Seconds that a receiver may take for each answer."""


@singledispatch
def send(receiver: Receiver, _messages: Sequence[Message]) -> None:
    """Tell a receiver.

    Raises:
        LaterError: it could not be told; try again.
        SettingsError: its secret is missing, or its address is none.
    """
    raise TypeError(f"alerts cannot go to a {type(receiver).__name__}")


@send.register
def _webhook(receiver: WebhookForm, messages: Sequence[Message]) -> None:
    token = {"Authorization": f"Bearer {receiver.token.reveal()}"} if receiver.token else {}
    _post(receiver.url.reveal(), {"incidents": [_told(message) for message in messages]}, token)


@send.register
def _slack(receiver: SlackForm, messages: Sequence[Message]) -> None:
    _post(receiver.url.reveal(), {"text": "\n".join(map(_line, messages))}, {})


@send.register
def _email(receiver: EmailForm, messages: Sequence[Message]) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = receiver.sender, ", ".join(receiver.recipients)
    mail["Date"], mail["Message-ID"] = (
        formatdate(),
        make_msgid("sync-workers", receiver.sender.rpartition("@")[2]),
    )
    first = _line(messages[0]).partition("\n")[0]
    mail["Subject"] = f"{first}{f' (and {len(messages) - 1} more)' if len(messages) > 1 else ''}"
    mail.set_content("\n\n".join(map(_line, messages)) + "\n")
    password = receiver.password.reveal() if receiver.password else ""
    tls = ssl.create_default_context()
    try:
        with (
            smtplib.SMTP_SSL(receiver.host, receiver.port, timeout=LONGEST, context=tls)
            if receiver.security is Security.TLS
            else smtplib.SMTP(receiver.host, receiver.port, timeout=LONGEST)
        ) as server:
            if receiver.security is Security.STARTTLS:
                server.starttls(context=tls)
            if receiver.user is not None:
                server.login(receiver.user, password)
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        raise LaterError(f"the mail server did not take it ({type(error).__name__})") from error


def _told(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "state": message.change.value,
        "kind": message.incident.kind,
        "task": message.incident.task,
        "summary": message.incident.summary,
        "command": message.incident.command,
        "since": message.since.isoformat(),
        "at": message.at.isoformat(),
    }


def _line(message: Message) -> str:
    """For people. A task's name holds nothing that Slack would read as markup."""
    if message.change is Change.ENDED:
        return f"[sync-workers] over: {message.incident.summary} (since {message.since:%Y-%m-%d %H:%M} UTC)"
    return f"[sync-workers] {message.incident.summary}\nnext: {message.incident.command}"


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST would become a GET that tells nobody anything."""

    def redirect_request(self, *_args: Any) -> None:
        return None


def _post(url: str, body: dict[str, Any], headers: dict[str, str]) -> None:
    if not url.startswith(("http://", "https://")):
        raise SettingsError("its url should begin with https:// or http://")
    headers |= {"Content-Type": "application/json", "User-Agent": "sync-workers"}
    try:
        request = Request(url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 - looked at above
        with build_opener(_NoRedirect).open(request, timeout=LONGEST):
            return
    except HTTPError as error:
        error.close()
        raise LaterError(f"it answered {error.code}") from None  # the error names the address
    except (OSError, HTTPException, ValueError) as error:
        raise LaterError(f"it was not reached ({type(error).__name__})") from None
