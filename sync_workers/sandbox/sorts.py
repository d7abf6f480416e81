"""Sorts of a data source query."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from sync_workers.sandbox import cells
from sync_workers.sandbox.errors import failed, invalid
from sync_workers.sandbox.filters import TIMESTAMPS, Question, stamp
from sync_workers.sandbox.moments import comparable
from sync_workers.sandbox.nouns import Page, Property
from sync_workers.sandbox.texts import minute, plain_text


def sort_rows(question: Question, rows: Iterable[Page], sorts: Any) -> list[Page]:
    """By the first sort, then the next; empty values last; equal rows keep the order they had."""
    ordered = list(rows)
    if not isinstance(sorts, list):
        raise failed("sorts", "an array", sorts)
    for place, sort in reversed(list(enumerate(sorts))):
        read = _sort_key(question, sort, f"sorts[{place}]")
        keys = {row.id: read(row) for row in ordered}
        filled = [row for row in ordered if keys[row.id] is not None]
        empty = [row for row in ordered if keys[row.id] is None]
        descending = sort.get("direction", "ascending") == "descending"
        filled.sort(key=lambda row, keys=keys: keys[row.id], reverse=descending)  # type: ignore[misc]  # as above
        ordered = filled + empty
    return ordered


def _sort_key(question: Question, sort: Any, path: str) -> Callable[[Page], Any]:
    if not isinstance(sort, dict) or sort.get("direction", "ascending") not in ("ascending", "descending"):
        raise failed(f"{path}.direction", '"ascending" or "descending"', sort)
    if "timestamp" in sort:
        if sort["timestamp"] not in TIMESTAMPS:
            raise failed(f"{path}.timestamp", '"created_time" or "last_edited_time"', sort["timestamp"])
        return lambda row: minute(stamp(row, sort["timestamp"]))
    column = question.source.find(str(sort.get("property")))
    if column is None:
        raise invalid(f"Could not find sort property with name or id: {sort.get('property')}")
    return lambda row: _sortable(column, cells.content(question.store, question.source, column, row))


def _sortable(column: Property, shown: Any) -> Any:
    if shown is None or shown == []:
        return None
    if column.type in {"select", "status"}:  # in the order of the options, as a board shows them
        return [option["id"] for option in column.options].index(shown["id"])
    if column.type == "date":
        return comparable(shown["start"], datetime.now(UTC))[0]
    if column.type == "multi_select":
        return [option["name"] for option in shown]
    if column.type in {"title", "rich_text"}:
        return plain_text(shown).casefold()
    if isinstance(shown, str):
        return shown.casefold()
    return shown if isinstance(shown, int | float) else str(shown)
