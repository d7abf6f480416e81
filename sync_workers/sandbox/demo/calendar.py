"""The calendar as a person uses it: past the service under demonstration, by its own client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sync_workers.errors import MissingExtraError


@dataclass(frozen=True, slots=True)
class Todo:
    """A to-do in plain values."""

    uid: str
    summary: str
    status: str
    due: date | None
    description: str | None


class Calendar:
    """One calendar of to-dos on a CalDAV server, made when it is not there.

    Attributes:
        url: the calendar's address.
    """

    def __init__(self, server: str, name: str) -> None:
        try:
            import caldav
        except ImportError as error:
            raise MissingExtraError("The demo", "demo") from error
        connect: Any = caldav.DAVClient
        self._client = connect(url=server, username="demo", password="demo")  # noqa: S106 - sandbox
        principal = self._client.principal()
        self._calendar = principal.make_calendar(name=name, supported_calendar_component_set=["VTODO"])
        self.url = str(self._calendar.url)

    def add(self, summary: str, **values: Any) -> None:
        """Write down a new to-do."""
        self._calendar.add_todo(summary=summary, **values)

    def edit(self, summary: str, values: Mapping[str, Any]) -> None:
        """Change properties of a to-do; named as in iCalendar.

        Raises:
            LookupError: there is no such to-do.
        """
        for found in self._calendar.todos(include_completed=True):
            todo = found.icalendar_component
            if str(todo.get("SUMMARY")) == summary:
                for name, value in values.items():
                    todo.pop(name, None)
                    if value is not None:
                        todo.add(name, value)
                todo.pop("LAST-MODIFIED", None)
                todo.add("LAST-MODIFIED", datetime.now(UTC))  # as calendar programs do
                found.save()
                return
        msg = f"the calendar has no to-do {summary!r}"
        raise LookupError(msg)

    def todos(self) -> list[Todo]:
        """All to-dos, by summary."""
        found = [todo.icalendar_component for todo in self._calendar.todos(include_completed=True)]
        return sorted((_read(todo) for todo in found), key=lambda todo: todo.summary)

    def close(self) -> None:
        self._client.close()


def _read(todo: Any) -> Todo:
    due = todo.get("DUE")
    return Todo(
        uid=str(todo.get("UID")),
        summary=str(todo.get("SUMMARY", "")),
        status=str(todo.get("STATUS", "NEEDS-ACTION")),
        due=due.dt if due is not None else None,
        description=str(todo["DESCRIPTION"]) if "DESCRIPTION" in todo else None,
    )
