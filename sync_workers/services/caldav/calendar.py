"""`Calendar`: the objects of one calendar on a server, as texts with names and etags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote, urlsplit

from sync_workers.errors import AccessError, LaterError, SettingsError
from sync_workers.services.caldav import multistatus
from sync_workers.services.caldav.connection import UID_TAKEN, Connection, Reply, accept_write
from sync_workers.services.caldav.locate import (
    COMPONENTS,
    RESOURCE_TYPE,
    SYNC_TOKEN,
    is_calendar,
    last_part,
    locate,
    takes_todos,
)
from sync_workers.services.caldav.multistatus import CALDAV, DAV, Answer, is_success

_TOGETHER = 100  # objects asked for in one call: some servers refuse very long lists
_GONE = frozenset({404, 410})
_PASSING = frozenset({401, 404, 408, 429})  # refusals that say nothing about a token
_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Stored:
    """One object of the calendar.

    Attributes:
        name: the last part of its address, unquoted.
        text: its iCalendar text; None where it is not shown to this login.
    """

    name: str
    etag: str | None
    text: str | None

    @property
    def is_exact(self) -> bool:
        """Whether the etag can be a condition: a weak one never matches If-Match (RFC 9110, 13.1.1)."""
        return self.etag is not None and not self.etag.startswith("W/")

    @property
    def condition(self) -> dict[str, str]:
        """The header by which a write asks that the object still is this one, or at least still is."""
        return {"If-Match": str(self.etag) if self.is_exact else "*"}


@dataclass(frozen=True, slots=True)
class Changes:
    """What the server says happened since a token."""

    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    token: str


class Calendar:
    """One calendar; where it is, is asked when it is first needed."""

    def __init__(self, connection: Connection, calendar: str) -> None:
        self._connection = connection
        self._calendar = calendar

    @cached_property
    def url(self) -> str:
        return locate(self._connection, self._calendar)

    def token(self) -> str | None:
        """The sync token of now, None where the server keeps none; checks that this is a to-do calendar.

        Raises:
            AccessError, SettingsError: it is not there, or takes no to-dos.
        """
        wanted = multistatus.properties(RESOURCE_TYPE, COMPONENTS, SYNC_TOKEN)
        (answer, *_) = self._connection.answers("PROPFIND", self.url, wanted) or [Answer("", 404, {})]
        if answer.status in _GONE:
            msg = f"{self.url}: not there, or not shared with this login; check the calendar"
            raise AccessError(msg)
        if not is_calendar(answer):
            msg = f"{self.url} is no calendar: give a calendar's URL, path or display name"
            raise SettingsError(msg)
        if not takes_todos(answer):
            msg = f"{self.url} is a calendar that takes no to-dos (VTODO): choose or make one that does"
            raise SettingsError(msg)
        return answer.text(SYNC_TOKEN)

    def todos(self) -> list[Stored]:
        """All objects that are to-dos."""
        return self._there(multistatus.all_todos())

    def with_uid(self, uid: str) -> list[Stored]:
        """The to-dos whose UID contains the text."""
        return self._there(multistatus.todos_with_uid(uid))

    def objects(self, names: Sequence[str]) -> Mapping[str, Stored | None]:
        """The objects of these names; None for what is gone."""
        found: dict[str, Stored | None] = {}
        for start in range(0, len(names), _TOGETHER):
            part = names[start : start + _TOGETHER]
            body = multistatus.objects_at(urlsplit(self._address(name)).path for name in part)
            answered = dict(self._stored(body, depth=None))
            for name in part:
                if name not in answered:
                    self._expect_gone(name)
                found[name] = answered.get(name)
        return found

    def changes(self, token: str) -> Changes | None:
        """All that changed since the token, through all pages; None where the token is refused."""
        states: dict[str, bool] = {}
        while True:
            reply = self._connection.read("REPORT", self.url, multistatus.changes_since(token))
            # 403 from Radicale, 412 from Xandikos, 409 and 410 elsewhere. If it is no matter of the
            # token, the full listing meets the same refusal and tells it.
            if 400 <= reply.status < 500 and reply.status not in _PASSING:  # noqa: PLR2004 - as HTTP has it
                return None
            more, following = self._page(reply, states)
            if not more:
                changed = tuple(name for name, there in states.items() if there)
                deleted = tuple(name for name, there in states.items() if not there)
                return Changes(changed, deleted, following)
            if following == token:
                msg = f"{self.url}: the server cut its list of changes short and does not go on"
                raise LaterError(msg)
            token = following

    def create(self, name: str, text: str) -> Reply | None:
        """Store a new object; None if there is one of that name or UID."""
        headers = {"If-None-Match": "*", "Content-Type": _TYPE}
        reply = self._connection.write("PUT", self._address(name), text, headers)
        # Servers tell a taken UID by 403, 409 or 412; a refused content comes with 412 from Xandikos.
        if UID_TAKEN in reply.preconditions or (reply.status == 412 and not reply.preconditions):  # noqa: PLR2004
            return None
        return accept_write(reply, self.url, name)

    def replace(self, stored: Stored, text: str) -> Reply:
        """Store another text for an object that still is as given.

        Raises:
            MovedError: it is not.
        """
        headers = {**stored.condition, "Content-Type": _TYPE}
        reply = self._connection.write("PUT", self._address(stored.name), text, headers)
        return accept_write(_moved_if_gone(reply), self.url, stored.name)

    def delete(self, stored: Stored) -> None:
        """Delete an object that still is as given; already gone is success.

        Raises:
            MovedError: it is not.
        """
        reply = self._connection.write("DELETE", self._address(stored.name), "", stored.condition)
        if reply.status in _GONE:
            return
        # If-Match on what is gone is answered by 412 on some servers (RFC 9110), by 404 on others.
        if reply.status == 412 and self.objects([stored.name])[stored.name] is None:  # noqa: PLR2004
            return
        accept_write(reply, self.url, stored.name)

    def close(self) -> None:
        self._connection.close()

    def _there(self, query: str) -> list[Stored]:
        return [stored for _, stored in self._stored(query, depth=1) if stored is not None]

    def _stored(self, body: str, *, depth: int | None) -> Iterator[tuple[str, Stored | None]]:
        """By name what a report shows; None for what it calls gone."""
        for answer in self._connection.answers("REPORT", self.url, body, depth=depth):
            name = last_part(answer.href)
            if answer.status in _GONE:
                yield name, None
            elif answer.status == 403 or is_success(answer.status):  # noqa: PLR2004 - as HTTP has it
                text = answer.text(f"{CALDAV}calendar-data")
                yield name, Stored(name, answer.text(f"{DAV}getetag"), text)
            else:
                msg = f"{self.url}: the server told only a part (HTTP {answer.status}); trying again later"
                raise LaterError(msg)

    def _page(self, reply: Reply, states: dict[str, bool]) -> tuple[bool, str]:
        """Put a page of changes into `states`; whether there are more, and the token to go on with."""
        more = False
        for answer in self._connection.whole(reply, self.url):
            if answer.status == 507:  # noqa: PLR2004 - RFC 6578, 3.6: there is more than this page
                more = True
            elif answer.status in _GONE:
                states[last_part(answer.href)] = False
            elif not is_success(answer.status):
                msg = f"{self.url}: the server told only a part (HTTP {answer.status}); trying again later"
                raise LaterError(msg)
            elif not answer.href.endswith("/"):
                states[last_part(answer.href)] = True
        token = reply.tree.findtext(f"{DAV}sync-token")
        if not token:
            msg = f"{self.url}: the server's list of changes has no token to go on with"
            raise LaterError(msg)
        return more, token

    def _expect_gone(self, name: str) -> None:
        """Make sure that an object is gone that the server was asked for and left out of its answer.

        Raises:
            LaterError: it is there after all.
        """
        wanted = multistatus.properties(f"{DAV}getetag")
        reply = self._connection.read("PROPFIND", self._address(name), wanted)
        if reply.status in _GONE:
            return
        if any(answer.status not in _GONE for answer in self._connection.whole(reply, self.url)):
            msg = f"{self.url}: the server told only a part of what it was asked for; trying again later"
            raise LaterError(msg)

    def _address(self, name: str) -> str:
        return self.url + quote(name, safe="@:")


def _moved_if_gone(reply: Reply) -> Reply:
    return Reply(412) if reply.status in _GONE else reply
