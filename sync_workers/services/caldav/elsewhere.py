"""Whether a to-do that left its calendar lies in another one of the same login: moved is not deleted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from urllib.parse import quote

from sync_workers.errors import AccessError, SettingsError
from sync_workers.model import ID
from sync_workers.services.base import Gone, OutOfScope
from sync_workers.services.caldav.connection import Connection
from sync_workers.services.caldav.locate import calendars
from sync_workers.services.caldav.multistatus import DAV, properties

_GONE = frozenset({404, 410})


class Elsewhere:
    """The other calendars of a login; which there are is asked when one is first looked for.

    Programs move a to-do under the name it has, by MOVE or by PUT and DELETE: so that is what is looked for.
    """

    def __init__(self, connection: Connection, here: Callable[[], str]) -> None:
        self._connection = connection
        self._here = here

    def find(self, name: ID) -> Gone | OutOfScope:
        """What became of a to-do that is not in its calendar any more; one call for each other calendar."""
        for url, title in self._calendars:
            address = url.rstrip("/") + "/" + quote(name, safe="@:")
            reply = self._connection.read("PROPFIND", address, properties(f"{DAV}getetag"))
            if reply.status in _GONE:
                continue
            if any(answer.status not in _GONE for answer in self._connection.whole(reply, address)):
                return OutOfScope(name, f"moved to the calendar {title!r}")
        return Gone(name)

    @cached_property
    def _calendars(self) -> list[tuple[str, str]]:
        try:
            there = calendars(self._connection)
        except (AccessError, SettingsError):
            return []  # a login for this one calendar, such as that of a shared link, cannot look around
        here = self._here().rstrip("/")
        return [(url, title) for url, title in there if url.rstrip("/") != here]
