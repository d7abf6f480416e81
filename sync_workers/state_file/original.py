"""The state of a task of ultimate-notion 0.10, as its `SyncTask` pickles it, made a `State` of ours.

That library is never imported: which classes mean which plain value stands in one table here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync_workers.model import ID
from sync_workers.state import State, write_fields
from sync_workers.state_file.pickled import (
    Made,
    Members,
    Name,
    Pairs,
    UnreadableError,
    load,
    refuse,
)
from sync_workers.values import DateRange, UnsupportedValueError

STATE = "ultimate_notion.adapters.sync.State"

DEEPEST = 50
"""A value nested deeper than this is none that a service shows."""

LARGEST_NUMBER = 10_000
"""Bits; what JSON can keep is somewhat more."""


def state_of(data: bytes) -> State:
    """The state in a pickle of the original: `ids` and `objs`; nothing of it is run.

    Raises:
        UnreadableError: it is damaged, holds no such state, or anything but plain data.
    """
    root = load(data, _is_admitted)
    if not isinstance(root, Made) or str(root.of) != STATE:
        raise UnreadableError("the pickle holds no State of ultimate-notion")
    plain = _Plain(most=50_000_000 + 20 * len(data))
    ids, objs = (plain.of(attribute(root, name)) for name in ("ids", "objs"))
    if not isinstance(ids, dict) or not isinstance(objs, dict):
        raise UnreadableError("the state in the pickle has no ids or no objs")
    links = {_id(notion_id): _id(other_id) for notion_id, other_id in ids.items()}
    if len(links) < len(ids):
        raise UnreadableError("two ids of the state in the pickle are one as text")
    try:
        # Through the JSON form, as everything that a state keeps: what it cannot take is told here.
        return State(ids=links, objs={_id(i): write_fields(_base(base)) for i, base in objs.items()})
    except UnsupportedValueError as error:
        raise UnreadableError(str(error)) from None
    except (ValueError, TypeError, ArithmeticError) as error:  # its text may quote values
        raise UnreadableError(f"a value in the pickle cannot be kept ({type(error).__name__})") from None


def attribute(made: Made, name: str) -> Any:
    """An attribute from the state that was pickled with an object; None when there is no such one."""
    state = made.state.items if isinstance(made.state, Pairs) else []
    found = {key: value for key, value in state if isinstance(key, str)}
    if isinstance(inner := found.get("__dict__"), Pairs):
        found = {key: value for key, value in inner.items if isinstance(key, str)}
    return found.get(name)


def _id(value: Any) -> ID:
    if not isinstance(value, str | int | UUID) or isinstance(value, bool) or not str(value):
        raise UnreadableError("an id of the state in the pickle is no text")
    return str(value)


def _base(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not all(isinstance(attr, str) for attr in value):
        raise UnreadableError("a record of the state in the pickle has no attributes")
    return value


def _is_admitted(name: Name) -> bool:
    # Objects of the library may stand within others, such as the parts of a rich text; as a value they
    # are refused all the same.
    return str(name) in {*_MAKES, *_FROM_STATE, *_PARTS} or name.module.startswith("ultimate_notion.")


@dataclass(slots=True)
class _Plain:
    """Turns notes into plain values.

    Attributes:
        most: how much may still come; what stands once in a file can be referred to without end.
    """

    most: int

    def of(self, value: Any, depth: int = 0) -> Any:
        self.most -= 1 + (len(value) if isinstance(value, str | bytes) else 0)
        if depth > DEEPEST or self.most < 0:
            raise UnreadableError("a value in the pickle is nested too deeply, or too large")
        if isinstance(value, list):
            return [self.of(item, depth + 1) for item in value]
        if isinstance(value, tuple):
            return tuple(self.of(item, depth + 1) for item in value)
        if isinstance(value, Pairs):
            return {_key(self.of(key, depth + 1)): self.of(item, depth + 1) for key, item in value.items}
        if isinstance(value, Members):
            items = (_key(self.of(item, depth + 1)) for item in value.items)
            return frozenset(items) if value.frozen else set(items)
        if isinstance(value, Made):
            return self.made(value, depth)
        if isinstance(value, Name):
            refuse(value)
        if isinstance(value, int) and value.bit_length() > LARGEST_NUMBER:
            raise UnreadableError("a number in the pickle is too large")
        return value

    def made(self, made: Made, depth: int) -> Any:
        name = str(made.of)
        args = self.of(made.args, depth + 1)
        try:
            if name in _MAKES:
                return _MAKES[name](*args)
            if name in _FROM_STATE:
                return _FROM_STATE[name](self, made)
            if name.startswith("ultimate_notion.obj_api.enums."):
                return _text(*args)
        except UnreadableError:
            raise
        except (ValueError, TypeError, LookupError, ArithmeticError, OSError) as error:
            text = f"a {made.of.shown} in the pickle cannot be read ({type(error).__name__})"
            raise UnreadableError(text) from None
        return refuse(made.of)


def _key(value: Any) -> Any:
    if isinstance(value, list | dict | set):
        raise UnreadableError("the pickle is damaged")
    return value


# --- what the classes mean ---


def _bytes(text: str = "", encoding: str = "latin1") -> bytes:
    """How the protocols up to 2 write bytes."""
    if encoding != "latin1":
        raise ValueError(encoding)
    return text.encode("latin1")


def _raw(value: bytes | str = b"") -> bytes:
    return value if isinstance(value, bytes) else _bytes(value)


def _text(value: str = "") -> str:
    if not isinstance(value, str):
        raise TypeError(type(value))
    return value


def _date(raw: bytes) -> date:
    return date(int.from_bytes(raw[:2]), raw[2], raw[3])


def _datetime(raw: bytes, zone: tzinfo | None = None) -> datetime:
    # The eighth bit of the month says which of two equal times on the clock's face it is (PEP 495).
    day, hour, minute, second = raw[3:7]
    moment = datetime(int.from_bytes(raw[:2]), raw[2] & 127, day, hour, minute, second, tzinfo=zone)
    return moment.replace(microsecond=int.from_bytes(raw[7:10]), fold=raw[2] >> 7)


def _time(raw: bytes, zone: tzinfo | None = None) -> time:
    return time(raw[0] & 127, raw[1], raw[2], int.from_bytes(raw[3:6]), zone, fold=raw[0] >> 7)


def _moment(  # as pendulum writes it, in plain numbers
    year: int, month: int, day: int, hour: int, minute: int, second: int, fraction: int, zone: tzinfo | None
) -> datetime:
    return datetime(year, month, day, hour, minute, second, fraction, zone)


def _clock(hour: int, minute: int, second: int, fraction: int, zone: tzinfo | None) -> time:
    return time(hour, minute, second, fraction, zone)


def _zone(key: str, _from_cache: object = True) -> tzinfo:
    if key == "UTC":
        return UTC
    try:
        return ZoneInfo(_text(key))
    except ZoneInfoNotFoundError:
        raise UnreadableError("a time in the pickle has a time zone that is not known here") from None


def _offset(seconds: float, _name: object = None) -> tzinfo:
    return timezone(timedelta(seconds=seconds))


def _span(start: Any, end: Any, _absolute: object = False) -> DateRange:
    if not isinstance(start, date) or not isinstance(end, date):
        raise TypeError(type(start))
    return DateRange(start, end)


def _uuid(_plain: _Plain, made: Made) -> UUID:
    return UUID(int=attribute(made, "int"))


def _option(plain: _Plain, made: Made) -> str:
    """An option is compared by its name."""
    inner = attribute(made, "_obj_ref")
    return _text(plain.of(attribute(inner, "name") if isinstance(inner, Made) else None, DEEPEST))


_MAKES: Mapping[str, Callable[..., Any]] = {
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.bytes": _raw,
    "builtins.bytearray": _raw,
    "_codecs.encode": _bytes,
    "datetime.date": _date,
    "datetime.datetime": _datetime,
    "datetime.time": _time,
    "datetime.timedelta": timedelta,
    "datetime.timezone": timezone,
    "decimal.Decimal": lambda text: Decimal(_text(text)),
    "zoneinfo.ZoneInfo._unpickle": _zone,
    "pendulum.date.Date": _date,
    "pendulum.datetime.DateTime": _moment,
    "pendulum.time.Time": _clock,
    "pendulum.duration.Duration": timedelta,
    "pendulum.interval.Interval": _span,
    "pendulum.tz.timezone.Timezone._unpickle": _zone,
    "pendulum.tz.timezone.FixedTimezone": _offset,
    "ultimate_notion.rich_text.Text": _text,
}
"""By a class's full name, what makes its plain value of what it was called with; never the class itself."""

_FROM_STATE: Mapping[str, Callable[[_Plain, Made], Any]] = {
    "uuid.UUID": _uuid,
    "ultimate_notion.option.Option": _option,
}
"""Likewise of those whose value stands in the state that was pickled."""

_PARTS = frozenset({
    "builtins.object", "builtins.str", "builtins.unicode", "zoneinfo.ZoneInfo",
    "pendulum.tz.timezone.Timezone", "uuid.SafeUUID",
})  # fmt: skip
"""Names that only stand within the notes of the above."""
