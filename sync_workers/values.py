"""Field values: which there are, when two are the same, how a person reads them, and their JSON form.

A field value is None, a bool, number, text, date, time, duration, range of dates, or a list, tuple, set
or dict of these. JSON keeps text, numbers and lists as they are and tags the rest, so that
`from_json(to_json(value)) == value` with dates and times intact. Nothing here is ever pickled.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sync_workers.references import Counterpart


@dataclass(frozen=True, slots=True)
class DateRange:
    """A span of days or of moments; the end is inclusive for days, as in Notion."""

    start: date | datetime
    end: date | datetime


class UnsupportedValueError(TypeError):
    """A value of a type that cannot be kept in the state."""

    def __init__(self, value: Any) -> None:
        super().__init__(
            f"a value of type {type(value).__name__} cannot be kept in the state; "
            "return text, numbers, dates or lists of them instead"
        )


def is_unset(value: Any) -> bool:
    """None, empty text and the empty list say the same: nobody has filled this in."""
    return value is None or (isinstance(value, str | list | tuple | set | frozenset | dict) and not value)


def same(one: Any, another: Any) -> bool:
    """Whether a person would call the two values equal, whichever side they come from."""
    if one == another:
        return True
    try:
        return bool(canonical(one) == canonical(another))
    except UnsupportedValueError:
        return False


def canonical(value: Any) -> Any:
    """The form in which values of both sides are compared.

    Text in NFC with plain line ends, everything empty as None, enums as their value, whole numbers as
    int, moments in UTC, sequences as lists, sets sorted; a not-a-number equals itself.
    """
    if is_unset(value):
        return None
    if isinstance(value, Enum):
        return canonical(value.value)
    if isinstance(value, str):
        return unicodedata.normalize("NFC", str(value)).replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted((canonical(item) for item in value), key=repr)
    if isinstance(value, Mapping):
        return {str(key): canonical(item) for key, item in value.items()}
    return _canonical_scalar(value)


def _canonical_scalar(value: Any) -> Any:
    if isinstance(value, float | Decimal):
        return _canonical_number(value)
    if isinstance(value, datetime):
        return _canonical_moment(value)
    if isinstance(value, DateRange):
        return DateRange(_canonical_scalar(value.start), _canonical_scalar(value.end))
    if isinstance(value, _SCALARS):
        return value
    raise UnsupportedValueError(value)


_SCALARS = (bool, int, date, time, timedelta, UUID, bytes, Counterpart)


def _canonical_moment(value: datetime) -> datetime:
    # Around a change of clocks Python calls one instant in two zones different (PEP 495).
    try:
        return value.astimezone(UTC) if value.tzinfo is not None else value
    except OverflowError:  # the first or last day that there is
        return value


def _canonical_number(value: float | Decimal) -> Any:
    if math.isnan(value):
        return ("not a number",)
    if math.isinf(value):
        return float(value)
    return int(value) if value == int(value) else float(value)


def one_line(text: str) -> str:
    """Text of others in one line: no line ends, and nothing that a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def shown(value: Any, longest: int = 40) -> str:
    """A field's value as a person reads it."""
    if is_unset(value):
        return "-"
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, datetime):
        text = value.isoformat(sep=" ", timespec="minutes")
    elif isinstance(value, date):
        text = value.isoformat()
    elif isinstance(value, DateRange):
        text = f"{shown(value.start)} to {shown(value.end)}"
    elif isinstance(value, Counterpart):
        text = f"the counterpart of {value.of}"
    elif isinstance(value, list | tuple | set | frozenset):
        text = ", ".join(shown(item) for item in value)
    elif isinstance(value, Mapping):
        text = ", ".join(f"{key}: {shown(item)}" for key, item in value.items())
    else:
        text = one_line(str(value))
    return text if len(text) <= longest else text[: longest - 1] + "…"


def storable(value: Any) -> Any:
    """The value as the state keeps it: equal to itself after a trip through JSON.

    Raises:
        UnsupportedValueError: for types that have no JSON form here.
    """
    kind = type(value)
    if value is None or kind in _PLAIN:
        return value
    return from_json(to_json(value))


_PLAIN = frozenset({bool, int, str, date})


def to_json(value: Any) -> Any:
    """The value in terms of JSON; see the module's text.

    Raises:
        UnsupportedValueError: for types that have no JSON form here.
    """
    if value is None or type(value) in {bool, int, str}:
        return value
    if isinstance(value, Enum):
        return to_json(value.value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": str(value)}
    if isinstance(value, str | int):  # subclasses, such as a client's rich text
        return str(value) if isinstance(value, str) else int(value)
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if isinstance(value, Mapping):
        plain = {str(key): to_json(item) for key, item in value.items()}
        return {"$dict": plain} if any(key.startswith("$") for key in plain) else plain
    for kind, tag, write in _WRITERS:
        if isinstance(value, kind):
            return {tag: write(value)}
    raise UnsupportedValueError(value)


def from_json(data: Any) -> Any:
    """The value that `to_json` wrote.

    Raises:
        ValueError: for a tag that this version does not know.
    """
    if isinstance(data, list):
        return [from_json(item) for item in data]
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        ((tag, body),) = data.items()
        if tag.startswith("$"):
            read = _READERS.get(tag)
            if read is None:
                msg = f"unknown kind of value {tag!r}: written by a newer version? Upgrade this one"
                raise ValueError(msg)
            return read(body)
    return {key: from_json(item) for key, item in data.items()}


def _write_datetime(moment: datetime) -> str:
    # RFC 9557: the offset decides the instant, the name in brackets keeps the zone's rules.
    zone = f"[{moment.tzinfo.key}]" if isinstance(moment.tzinfo, ZoneInfo) else ""
    return moment.isoformat() + zone


def _read_datetime(text: str) -> datetime:
    moment, _, zone = text.partition("[")
    read = datetime.fromisoformat(moment)
    return read.astimezone(ZoneInfo(zone.rstrip("]"))) if zone else read


def _read_set(items: list[Any]) -> set[Any]:
    # A set inside a set was a frozen one.
    return {frozenset(item) if isinstance(item, set) else item for item in map(from_json, items)}


def _write_set(items: set[Any] | frozenset[Any]) -> list[Any]:
    return sorted((to_json(item) for item in items), key=repr)


# Order matters: a datetime is a date.
_WRITERS: tuple[tuple[type | tuple[type, ...], str, Callable[[Any], Any]], ...] = (
    (datetime, "$datetime", _write_datetime),
    (date, "$date", date.isoformat),
    (time, "$time", time.isoformat),
    (timedelta, "$seconds", timedelta.total_seconds),
    (DateRange, "$range", lambda span: [to_json(span.start), to_json(span.end)]),
    (Decimal, "$decimal", str),
    (UUID, "$uuid", str),
    (bytes, "$bytes", bytes.hex),
    (tuple, "$tuple", lambda items: [to_json(item) for item in items]),
    ((set, frozenset), "$set", _write_set),
    (Counterpart, "$counterpart", lambda one: [one.of, one.number]),
)

_READERS: dict[str, Callable[[Any], Any]] = {
    "$datetime": _read_datetime,
    "$date": date.fromisoformat,
    "$time": time.fromisoformat,
    "$seconds": lambda seconds: timedelta(seconds=seconds),
    "$range": lambda ends: DateRange(from_json(ends[0]), from_json(ends[1])),
    "$decimal": Decimal,
    "$uuid": UUID,
    "$bytes": bytes.fromhex,
    "$tuple": lambda items: tuple(from_json(item) for item in items),
    "$set": _read_set,
    "$counterpart": lambda parts: Counterpart(*parts),
    "$float": float,
    "$dict": lambda plain: {key: from_json(item) for key, item in plain.items()},
}
