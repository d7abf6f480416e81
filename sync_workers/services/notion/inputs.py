"""From a canonical value to what a request says under a property's type.

What Notion would not take is refused here, before anything is sent, so that nothing is ever cut.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sync_workers.values import DateRange

MOST_ITEMS = 100
"""The most items of a text, a multi-select, people or a relation in one request."""

LONGEST_ITEM = 2000
LONGEST_TEXT = MOST_ITEMS * LONGEST_ITEM


VERIFIED, UNVERIFIED = "verified", "unverified"


class RefusedValueError(ValueError):
    """Why Notion would not take a value, without the value."""


def line(longest: int) -> Callable[[Any], str | None]:
    """For text that is one JSON string; empty text is an error there and goes as null."""

    def write(value: Any) -> str | None:
        written = text(value)
        if len(written) > longest:
            msg = f"takes at most {longest} characters"
            raise RefusedValueError(msg)
        return written or None

    return write


def number(value: Any) -> int | float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise _wrong("a number", value)
    if not _is_finite(value):
        msg = "takes only finite numbers"
        raise RefusedValueError(msg)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def checkbox(value: Any) -> bool:
    """A checkbox is never unset: None clears it."""
    if value is not None and not isinstance(value, bool):
        raise _wrong("true or false", value)
    return bool(value)


def date(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, DateRange):
        return {"start": _moment(value)}
    if isinstance(value.start, dt.datetime) != isinstance(value.end, dt.datetime):
        msg = "takes a range of days or of moments, not one of each"
        raise RefusedValueError(msg)
    return {"start": _moment(value.start), "end": _moment(value.end)}


def cut_to_minute(value: Any) -> Any:
    """The value as Notion keeps it: times lose their seconds; everything else stays."""
    if isinstance(value, DateRange):
        return DateRange(cut_to_minute(value.start), cut_to_minute(value.end))
    return value.replace(second=0, microsecond=0) if isinstance(value, dt.datetime) else value


def option(value: Any) -> dict[str, str] | None:
    """By name: what a select does not have yet is made; a status refuses it."""
    name = text(value)
    if "," in name:
        msg = "takes no option with a comma in its name"
        raise RefusedValueError(msg)
    return {"name": name} if name else None


def options(value: Any) -> list[dict[str, str]]:
    return [named for item in items(value) if (named := option(item)) is not None]


def people(value: Any) -> list[dict[str, str]]:
    return [{"object": "user", "id": _id(item)} for item in items(value)]


def people_again(value: Any, shown: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The same for a page that shows people already: a group among them stays one."""
    groups = {item["id"] for item in shown if item["object"] == "group"}
    return [{**item, "object": "group" if item["id"] in groups else "user"} for item in people(value)]


def verification(value: Any) -> dict[str, str]:
    """Only in a wiki; by whom and until when is up to Notion."""
    state = text(value) or UNVERIFIED
    if state not in {VERIFIED, UNVERIFIED}:
        msg = f"takes {VERIFIED!r} or {UNVERIFIED!r}; anything else Notion decides itself"
        raise RefusedValueError(msg)
    return {"state": state}


def pages(value: Any) -> list[dict[str, str]]:
    return [{"id": _id(item)} for item in items(value)]


def text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong("text", value)
    try:
        value.encode()
    except UnicodeEncodeError:
        msg = "takes no text with half a character in it (a lone surrogate)"
        raise RefusedValueError(msg) from None  # the cause would show the text
    return str(value)


def _is_finite(value: float | Decimal) -> bool:
    try:
        return math.isfinite(value)
    except (OverflowError, ValueError):  # an int beyond all floats, a signalling not-a-number
        return False


def _moment(value: Any) -> str:
    if isinstance(value, dt.datetime):
        if value.tzinfo is None:
            msg = "takes no time without a time zone"
            raise RefusedValueError(msg)
        return str(cut_to_minute(value).isoformat())
    if not isinstance(value, dt.date):
        raise _wrong("a date", value)
    return value.isoformat()


def items(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list | tuple | set | frozenset):
        raise _wrong("a list", value)
    if len(value) > MOST_ITEMS:
        msg = f"takes at most {MOST_ITEMS} items"
        raise RefusedValueError(msg)
    return sorted(value) if isinstance(value, set | frozenset) else list(value)


def _id(value: Any) -> str:
    try:
        return str(UUID(value))
    except (ValueError, TypeError, AttributeError):
        msg = "takes ids of Notion only"
        raise RefusedValueError(msg) from None  # the cause would show the value


def _wrong(expected: str, value: Any) -> RefusedValueError:
    return RefusedValueError(f"takes {expected}, not a value of type {type(value).__name__}")
