"""Lists against text: `a, b` and back, where no item can hold a comma. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sync_workers.fields import Field, Kind
from sync_workers.values import canonical, is_unset, same

LISTS = frozenset({Kind.CHOICES, Kind.REFERENCES})
"""Kinds whose values are lists without an order."""

COMMA = ","


def is_list(field: Field | None, value: Any) -> bool:
    """Whether the value is a list, by what its field holds or, where that says nothing, by itself."""
    if field is None or field.kind is Kind.ANY:
        return isinstance(value, list | tuple | set | frozenset)
    return field.kind in LISTS


def items_of(value: Any) -> list[Any]:
    """The items of a list, or those of a text with commas between them."""
    if is_unset(value):
        return []
    if isinstance(value, str):
        return list(dict.fromkeys(part.strip() for part in value.split(COMMA) if part.strip()))
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return list(value) if isinstance(value, list | tuple) else [value]


def joined(items: Sequence[Any], longest: int | None = None, *, comes_back: bool) -> str | None:
    """The items as one text; None where that would lose something.

    An item with a comma would come back as two, and an item beyond the longest text not at all.
    """
    texts = []
    for item in items:
        text = _text(item)
        if text is None or (comes_back and (COMMA in text or text != text.strip() or not text)):
            return None
        texts.append(text)
    whole = f"{COMMA} ".join(texts)
    return None if longest is not None and len(whole) > longest else whole


def _text(item: Any) -> str | None:
    if isinstance(item, str):
        return item
    if isinstance(item, date):
        return item.isoformat()
    return str(item) if isinstance(item, int | float) and not isinstance(item, bool) else None


def alike(one: Iterable[Any], another: Iterable[Any]) -> bool:
    """Whether two lists hold the same, in whatever order."""
    return _sorted(one) == _sorted(another)


def holds(items: Iterable[Any], wanted: Any) -> bool:
    return any(same(item, wanted) for item in items)


def _sorted(items: Iterable[Any]) -> list[Any]:
    return sorted((canonical(item) for item in items), key=repr)
