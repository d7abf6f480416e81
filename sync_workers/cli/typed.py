"""A field's value from what a person typed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sync_workers.fields import Field, Kind
from sync_workers.values import DateRange, from_json, is_unset

YES, NO = frozenset({"yes", "true"}), frozenset({"no", "false"})


def typed(text: str, field: Field | None, shown: Sequence[Any]) -> Any:
    """The value that a person means.

    Args:
        field: what the field holds; None where that is not known.
        shown: what it holds now and on the other side, from which its kind is told else.

    Raises:
        ValueError: it is none of that kind; the text says what is.
    """
    if not text.strip():
        return None
    kind = field.kind if field is not None else Kind.ANY
    if kind is Kind.ANY:
        kind = next((_kind_of(value) for value in shown if not is_unset(value)), Kind.TEXT)
    read = _READ.get(kind)
    return read(text.strip(), shown) if read is not None else text


def _kind_of(value: Any) -> Kind:
    if isinstance(value, bool):
        return Kind.CHECKBOX
    if isinstance(value, int | float | Decimal):
        return Kind.NUMBER
    if isinstance(value, date | DateRange):
        return Kind.DATE
    return Kind.CHOICES if isinstance(value, list | tuple | set | frozenset | Mapping) else Kind.TEXT


def _number(text: str, _shown: Sequence[Any]) -> int | float:
    for read in (int, float):
        with suppress(ValueError):
            return read(text)
    raise ValueError("is no number: write one such as 3 or 2.5")


def _checkbox(text: str, _shown: Sequence[Any]) -> bool:
    if text.lower() in YES | NO:
        return text.lower() in YES
    raise ValueError("is neither yes nor no")


def _date(text: str, shown: Sequence[Any]) -> date | DateRange:
    ends = [_moment(part.strip(), shown) for part in text.split(" to ")]
    if len(ends) == 1:
        return ends[0]
    if len(ends) != 2 or type(ends[0]) is not type(ends[1]):  # noqa: PLR2004 - a span has two ends
        raise ValueError("is no span: write two days or two moments such as 2026-03-01 to 2026-03-04")
    return DateRange(*ends)


def _moment(text: str, shown: Sequence[Any]) -> date:
    with suppress(ValueError):
        return date.fromisoformat(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            "is no day or moment: write 2026-03-01, 2026-03-01T08:30 or 2026-03-01T08:30+02:00"
        ) from None
    # Without a zone it is meant as the field's own moments are.
    ends = [
        end
        for value in shown
        for end in ((value.start, value.end) if isinstance(value, DateRange) else (value,))
    ]
    zones = [end.tzinfo for end in ends if isinstance(end, datetime) and end.tzinfo is not None]
    return moment.replace(tzinfo=zones[0]) if moment.tzinfo is None and zones else moment


def _list(text: str, shown: Sequence[Any]) -> Any:
    value = None
    with suppress(ValueError):
        value = from_json(json.loads(text))
    if not isinstance(value, list | dict):
        msg = 'is no list: write JSON such as ["red", "blue"]'
        raise ValueError(msg)  # noqa: TRY004 - what was typed is wrong, not a type of ours
    kinds = {type(one) for one in shown if not is_unset(one)}
    return next((kind(value) for kind in (tuple, set, frozenset) if kinds == {kind}), value)


_READ: Mapping[Kind, Callable[[str, Sequence[Any]], Any]] = {
    Kind.NUMBER: _number,
    Kind.CHECKBOX: _checkbox,
    Kind.DATE: _date,
    Kind.CHOICES: _list,
    Kind.REFERENCES: _list,
}
