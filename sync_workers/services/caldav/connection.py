"""Calls to a CalDAV server, and the only place where their failures become this project's errors.

Nothing is repeated here and nobody sleeps. For a write that was sent and not answered the outcome is
unknown; only what surely never left this machine is told as "later".
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn

from caldav.davclient import DAVClient
from caldav.lib.error import AuthorizationError, DAVError, RateLimitError
from caldav.lib.http_sync import requests

from sync_workers.errors import (
    AccessError,
    LaterError,
    MovedError,
    RejectedError,
    SettingsError,
    SyncError,
    UnknownOutcomeError,
)
from sync_workers.services.budget import Account, Budget
from sync_workers.services.caldav.multistatus import CALDAV, DAV, Answer, Element, IncompleteError, answers
from sync_workers.services.local_budget import LocalBudget

_NOT_SENT = (ConnectionRefusedError, socket.gaierror, requests.exceptions.ConnectTimeout)
_BUSY = frozenset({408, 423, 425, 429, 503, 507})
_NO_CALDAV = frozenset({301, 302, 303, 307, 308, 400, 405, 415, 422, 501})

# RFC 4791, 5.3.2.1: what is wrong with an object itself. Servers send these with 403, 409 or 412.
_CONTENT = frozenset(
    f"{CALDAV}{name}"
    for name in (
        "valid-calendar-data",
        "valid-calendar-object-resource",
        "supported-calendar-data",
        "supported-calendar-component",
        "max-resource-size",
        "min-date-time",
        "max-date-time",
        "max-instances",
        "max-attendees-per-instance",
    )
)
UID_TAKEN = f"{CALDAV}no-uid-conflict"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said.

    Attributes:
        etag: of the stored object, where the server tells it after a write.
        preconditions: tags by which the server explains a refusal.
        tree: the XML of the body, if it is XML.
    """

    status: int
    etag: str | None = None
    preconditions: frozenset[str] = frozenset()
    tree: Element = None


class Connection:
    """One session with a server, used by one thread."""

    def __init__(
        self, client: DAVClient, budget: Budget | None = None, account: Account | None = None
    ) -> None:
        self._client = client
        self._budget = budget or LocalBudget()
        self._account = account
        self.url = str(client.url)

    def read(self, method: str, url: str, body: str, *, depth: int | None = 0) -> Reply:
        """Ask for something.

        Raises:
            AccessError, LaterError, SettingsError: there is no answer; other refusals are replies.
        """
        headers = {} if depth is None else {"Depth": str(depth)}
        return self._send(method, url, body, headers, LaterError)

    def write(self, method: str, url: str, body: str, headers: dict[str, str]) -> Reply:
        """Change something.

        Raises:
            UnknownOutcomeError: it was sent and the reply was lost.
            AccessError, LaterError, SettingsError: nothing was sent; other refusals are replies.
        """
        return self._send(method, url, body, headers, UnknownOutcomeError)

    def answers(self, method: str, url: str, body: str, *, depth: int | None = 0) -> list[Answer]:
        """Ask for something that is answered by a multistatus.

        Raises:
            AccessError, LaterError, SettingsError: there is no whole answer.
        """
        reply = self.read(method, url, body, depth=depth)
        return self.whole(reply, url)

    def whole(self, reply: Reply, url: str) -> list[Answer]:
        """The answers in a reply, or the error that stands for it."""
        try:
            return answers(_accept(reply, url).tree)
        except IncompleteError as error:
            msg = f"{url}: {error}; trying again later"
            raise LaterError(msg) from error

    def close(self) -> None:
        self._client.close()

    def _send(
        self, method: str, url: str, body: str, headers: dict[str, str], lost: type[SyncError]
    ) -> Reply:
        try:
            with self._turn():
                response = self._client.request(url, method, body, headers)
        except RateLimitError as error:
            wait = timedelta(seconds=error.retry_after_seconds or 0)
            if self._account is not None:
                self._budget.pause(self._account, wait)
            msg = f"{url}: the server asks for patience (HTTP {error.status})"
            raise LaterError(msg, wait=wait) from error
        except AuthorizationError as error:
            return _accept_login(
                Reply(error.status or 401, preconditions=frozenset(error.preconditions)), url
            )
        except NotImplementedError as error:
            msg = f"{url}: the server offers no way to log in that is known here (basic, digest, bearer)"
            raise AccessError(msg) from error
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            msg = f"{url} is not an address that can be called: correct the url in the task file"
            raise SettingsError(msg) from error
        # A cut XML answer is a SyntaxError of lxml; network errors of all kinds are OSErrors.
        except (OSError, SyntaxError, DAVError) as error:
            _raise_lost(error, url, lost)
        etag = response.headers.get("ETag")
        return _accept_login(Reply(response.status, etag, _reasons(response.tree), response.tree), url)

    def _turn(self) -> AbstractContextManager[None]:
        """One call's turn, where calls are counted at all."""
        return nullcontext() if self._account is None else self._budget.call(self._account)


def _reasons(tree: Element) -> frozenset[str]:
    if tree is None or tree.tag != f"{DAV}error":
        return frozenset()
    return frozenset(str(child.tag) for child in tree)


def _accept_login(reply: Reply, url: str) -> Reply:
    if reply.status == 401:  # noqa: PLR2004 - as HTTP has it
        msg = f"{url}: the server refuses the login; correct username and password of the connection"
        raise AccessError(msg)
    return reply


def _raise_lost(error: Exception, url: str, lost: type[SyncError]) -> NoReturn:
    """The server was not reached, or its reply did not arrive whole."""
    causes = list(_causes(error))
    was_open = any(isinstance(cause, ConnectionResetError | BrokenPipeError) for cause in causes)
    if not was_open and any(isinstance(cause, _NOT_SENT) for cause in causes):
        msg = f"{url}: the server was not reached ({type(error).__name__}); is it running, is the url right?"
        raise LaterError(msg) from error
    hint = "; is its certificate valid?" if isinstance(error, requests.exceptions.SSLError) else ""
    msg = f"{url}: the server's reply was lost ({type(error).__name__}){hint}"
    raise lost(msg) from error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _accept(reply: Reply, url: str) -> Reply:
    """The reply to a question, if it is one.

    Raises:
        AccessError, LaterError, SettingsError: it is a refusal.
    """
    if reply.status in {200, 207}:
        return reply
    if reply.status in {403, 404, 410}:
        msg = f"{url}: not there, or not shared with this login (HTTP {reply.status}); check the calendar"
        raise AccessError(msg)
    if reply.status in _NO_CALDAV:
        msg = f"{url} does not answer as a CalDAV calendar (HTTP {reply.status}): check the url"
        raise SettingsError(msg)
    msg = f"{url}: the server answered {reply.status}; trying again later"
    raise LaterError(msg)


def accept_write(reply: Reply, url: str, record: str) -> Reply:
    """The reply to a write, if the write was done.

    Raises:
        MovedError, RejectedError, AccessError, LaterError, UnknownOutcomeError: it was not, or who knows.
    """
    status = reply.status
    if status in {200, 201, 204, 207}:
        return reply
    if reply.preconditions & _CONTENT or status in {400, 405, 413, 414, 415, 422}:
        why = ", ".join(sorted(tag.rpartition("}")[2] for tag in reply.preconditions)) or f"HTTP {status}"
        msg = f"to-do {record}: the server does not take it as it is ({why})"
        raise RejectedError(msg)
    if UID_TAKEN in reply.preconditions:
        msg = f"to-do {record}: the server has its UID elsewhere, out of sight of this calendar"
        raise RejectedError(msg)
    if status == 412:  # noqa: PLR2004 - as HTTP has it
        msg = f"to-do {record} changed since it was read"
        raise MovedError(msg)
    if status == 403:  # noqa: PLR2004 - as HTTP has it
        msg = f"{url}: this login may not write here; share the calendar with write access"
        raise AccessError(msg)
    if status in {404, 409, 410}:
        msg = f"{url}: not there, or not shared with this login (HTTP {status}); check the calendar"
        raise AccessError(msg)
    if status in _BUSY:
        msg = f"{url}: the server cannot take it now (HTTP {status})"
        raise LaterError(msg)
    # A gateway that gave up (502, 504) or a server that failed afterwards (500) may have written.
    msg = f"to-do {record}: the server answered {status}; it may or may not have been written"
    raise UnknownOutcomeError(msg)
