"""What each field of a to-do means: how it is read, and which properties change when it is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sync_workers.errors import RejectedError
from sync_workers.model import Fields
from sync_workers.services.base import Field, Kind
from sync_workers.services.caldav.todo import DONE, Changes, ToDo

STATUSES = ("NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED")

FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("summary", Kind.TEXT, id="SUMMARY"),
        Field("description", Kind.TEXT, id="DESCRIPTION"),
        Field("location", Kind.TEXT, id="LOCATION"),
        Field("url", Kind.TEXT, id="URL"),
        Field("status", Kind.CHOICE, id="STATUS", options=STATUSES),
        Field("done", Kind.CHECKBOX, id="STATUS=COMPLETED"),
        Field("due", Kind.DATE, id="DUE"),
        Field("start", Kind.DATE, id="DTSTART"),
        Field("priority", Kind.NUMBER, id="PRIORITY"),
        Field("percent", Kind.NUMBER, id="PERCENT-COMPLETE"),
        Field("categories", Kind.CHOICES, id="CATEGORIES"),
        Field("parent", Kind.TEXT, id="RELATED-TO"),
    )
}


def values_of(todo: ToDo, names: Iterable[str]) -> Fields:
    """The canonical values of these fields; the parent by its UID (see `Relations`)."""
    return {name: _READERS[name](todo) for name in names}


def with_values(todo: ToDo, fields: Fields, now: datetime) -> ToDo:
    """The to-do with other values for these fields, and nothing else changed.

    Raises:
        RejectedError: there is no such field, or it cannot hold its value.
    """
    changes: dict[str, Any] = {}
    refused: dict[str, RejectedError] = {}
    for name, value in fields.items():
        if name not in _WRITERS:
            msg = f"a to-do has no field {name!r}; there are {', '.join(FIELDS)}"
            raise RejectedError(msg)
        try:
            changes |= _WRITERS[name](todo, value, now)
        except RejectedError as error:
            refused[name] = error
    if refused:
        raise RejectedError("; ".join(map(str, refused.values())), fields=tuple(refused))
    return todo.with_properties(changes, now) if changes else todo


# What XML cannot carry, and iCalendar may not: it would make the whole calendar unreadable.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def _plain(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _unfit(field, "text")
    return _FORBIDDEN.sub("", value.replace("\r\n", "\n").replace("\r", "\n"))


def _unfit(field: str, wanted: str) -> RejectedError:
    return RejectedError(f"the CalDAV field {field!r} takes {wanted}; correct the value or the field map")


def _write_text(field: str, todo: ToDo, value: Any, now: datetime) -> Changes:
    del todo, now
    return {FIELDS[field].id: None if value is None else _plain(field, value) or None}


def _write_url(field: str, todo: ToDo, value: Any, now: datetime) -> Changes:
    changes = _write_text(field, todo, value, now)
    if any("\n" in (text or "") for text in changes.values()):
        raise _unfit(field, "one line")
    return changes


def _write_status(field: str, todo: ToDo, value: Any, now: datetime) -> Changes:
    if value is not None and value not in STATUSES:
        raise _unfit(field, f"one of {', '.join(STATUSES)}")
    return todo.completion(value, now)


def _write_done(field: str, todo: ToDo, value: Any, now: datetime) -> Changes:
    if not isinstance(value, bool | None):
        raise _unfit(field, "yes or no")
    # Not done is said by three statuses; the one that is there stays.
    if bool(value) == (todo.status() == DONE):
        return {}
    return todo.completion(DONE if value else "NEEDS-ACTION", now)


def _write_number(field: str, highest: int, todo: ToDo, value: Any, now: datetime) -> Changes:
    del todo, now
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (number and value in range(highest + 1)):
        raise _unfit(field, f"whole numbers from 0 to {highest}")
    return {FIELDS[field].id: None if value is None else int(value)}


def _write_categories(field: str, todo: ToDo, value: Any, now: datetime) -> Changes:
    del todo, now
    if not isinstance(value, list | tuple | set | frozenset | None):
        raise _unfit(field, "a list of texts")
    names = [_plain(field, name) for name in value or ()]
    return {"CATEGORIES": [name for name in names if name] or None}


def _write_parent(field: str, todo: ToDo, value: Any, now: datetime) -> Changes:
    del now
    if not isinstance(value, str | None) or "\n" in (value or ""):
        raise _unfit(field, "the id of one to-do")
    return todo.under(_plain(field, value) or None) if value is not None else todo.under(None)


def _write_date(field: str, todo: ToDo, value: Any, now: datetime) -> Changes:
    del now
    name = FIELDS[field].id
    # A to-do has a due date or a duration, never both (RFC 5545, 3.6.2).
    ended: Changes = {"DURATION": None} if field == "due" else {}
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return {name: value} | ended
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise _unfit(field, "a day, or a moment with a time zone")
    return {name: _written(value, todo.zone_of(name))} | ended


def _written(moment: datetime, zone: ZoneInfo) -> datetime:
    """The moment in a zone that can be written: its own named one, else the given one, else UTC."""
    named = moment if isinstance(moment.tzinfo, ZoneInfo) else moment.astimezone(zone)
    # An hour that comes twice a year means its first time in iCalendar.
    if named.tzinfo == ZoneInfo("UTC") or named.utcoffset() != named.replace(fold=0).utcoffset():
        return named.astimezone(UTC)
    return named


_READERS: dict[str, Callable[[ToDo], Any]] = {
    "summary": lambda todo: todo.text_of("SUMMARY"),
    "description": lambda todo: todo.text_of("DESCRIPTION"),
    "location": lambda todo: todo.text_of("LOCATION"),
    "url": lambda todo: todo.text_of("URL"),
    "status": ToDo.status,
    "done": lambda todo: todo.status() == DONE,
    "due": ToDo.due,
    "start": lambda todo: todo.when("DTSTART"),
    "priority": lambda todo: todo.number("PRIORITY"),
    "percent": lambda todo: todo.number("PERCENT-COMPLETE"),
    "categories": ToDo.categories,
    "parent": lambda todo: todo.parent_uid,
}

_WRITERS: dict[str, Callable[[ToDo, Any, datetime], Changes]] = {
    "summary": partial(_write_text, "summary"),
    "description": partial(_write_text, "description"),
    "location": partial(_write_text, "location"),
    "url": partial(_write_url, "url"),
    "status": partial(_write_status, "status"),
    "done": partial(_write_done, "done"),
    "due": partial(_write_date, "due"),
    "start": partial(_write_date, "start"),
    "priority": partial(_write_number, "priority", 9),
    "percent": partial(_write_number, "percent", 100),
    "categories": partial(_write_categories, "categories"),
    "parent": partial(_write_parent, "parent"),
}
