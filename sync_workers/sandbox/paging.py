"""Cutting lists into pages."""

from __future__ import annotations

from typing import Any, TypeVar

from sync_workers.sandbox.errors import failed, invalid

LIMIT = 100

T = TypeVar("T")


def page_size(asked: Any) -> int:
    """100 when nothing is asked or more is; 0 is an error [measured]."""
    if asked is None:
        return LIMIT
    try:
        size = int(asked)
    except (TypeError, ValueError):
        raise failed("page_size", "a number", asked) from None
    if size < 1:
        raise failed("page_size", "≥ `1`", size)
    return min(size, LIMIT)


def cut_page(items: list[T], size: int, cursor: Any) -> tuple[list[T], str | None]:
    """The items from the cursor on, and the cursor of the rest; opaque to clients."""
    start = 0
    if cursor is not None:
        if not str(cursor).isdecimal() or int(cursor) >= len(items):
            raise unknown_cursor(cursor)
        start = int(cursor)
    end = start + size
    return items[start:end], str(end) if end < len(items) else None


def page_from(ids: list[str], size: int, cursor: Any) -> tuple[list[str], str | None]:
    """The same for lists whose cursor is the id of the first item of the next page."""
    if cursor is not None and cursor not in ids:
        raise unknown_cursor(cursor)
    start = 0 if cursor is None else ids.index(cursor)
    return ids[start : start + size], next(iter(ids[start + size :]), None)


def unknown_cursor(cursor: Any) -> Exception:
    return invalid(f"The start_cursor provided is invalid: {cursor}")
