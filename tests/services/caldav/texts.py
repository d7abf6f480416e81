"""Texts of to-dos as calendar programs write them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sync_workers.services.caldav.fields import values_of
from sync_workers.services.caldav.todo import Setting, ToDo

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)

# What calendar programs write and this one knows nothing about, some of it against the rules.
FOREIGN = [
    "X-APPLE-SORT-ORDER:712345678",
    'x-lower;X-Param="quoted; , : text":raw;semi,comma\\;\\n',
    "RRULE:FREQ=WEEKLY;BYDAY=MO;X-THING=1",
    "RELATED-TO;RELTYPE=PARENT:someone-else",
    "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY:aGVsbG8=",
    "GEO:52.5;13.4",
    "SEQUENCE:7",
    "X-BROKEN;VALUE=DATE:no date",
    "X-LONG:" + "0123456789" * 6 + "\r\n " + "0123456789" * 6 + "\r\n\tabc",
    "COMMENT:one",
    "COMMENT:two",
]
ALARM = "BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nACTION:DISPLAY\r\nDESCRIPTION:Wake up\r\nSUMMARY:No\r\nEND:VALARM"
RULES = "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\nEND:STANDARD"
ODD_ZONE = f"BEGIN:VTIMEZONE\r\nTZID:Odd\r\nX-A:b\r\n{RULES}\r\nEND:VTIMEZONE"
OTHER_DAY = "BEGIN:VTODO\r\nUID:1\r\nRECURRENCE-ID:20260708T090000Z\r\nSUMMARY:Only that day\r\nEND:VTODO"


def object_text(own: Sequence[str] = (), before: str = "", inside: str = "", after: str = "") -> str:
    todo = ["BEGIN:VTODO", "UID:1", *own, *filter(None, [inside]), "END:VTODO"]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *filter(None, [before]), *todo, *filter(None, [after])]
    return "".join(f"{line}\r\n" for line in [*lines, "END:VCALENDAR"])


def parse(*own: str, setting: Setting | None = None) -> ToDo:
    todo = ToDo.parse(object_text(own), setting or Setting())
    assert todo is not None
    return todo


def value(todo: ToDo, name: str) -> Any:
    return values_of(todo, [name])[name]
