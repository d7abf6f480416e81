"""Filters and sorts of a data source query.

What is recorded: texts compare without case, and a `rich_text` condition works on every text-like
property; dates compare at the minute; "past" and "next" spans are whole days and include today.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sync_workers.sandbox import cells
from sync_workers.sandbox.errors import failed, invalid
from sync_workers.sandbox.nouns import DataSource, Json, Page, Property
from sync_workers.sandbox.store import Store
from sync_workers.sandbox.texts import minute, plain_text, read_moment, show_time

TIMESTAMPS = ("created_time", "last_edited_time")
_TEXTS = frozenset(["title", "rich_text", "url", "email", "phone_number"])
_USERS = frozenset(["people", "created_by", "last_edited_by"])
_DATES = frozenset({"date", *TIMESTAMPS})
_DEPTH = 2  # compound filters may be nested this deep
_SPANS = {"week": timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Question:
    """Where and when a query is asked."""

    store: Store
    source: DataSource
    now: datetime


Test = Callable[[Page], bool]


def row_filter(question: Question, condition: Any, path: str = "filter", depth: int = 0) -> Test:
    """Whether a row belongs to the answer.

    Raises:
        Refusal: for unknown properties, types or conditions.
    """
    if not isinstance(condition, dict):
        raise failed(path, "an object", condition)
    for word, combine in (("and", all), ("or", any)):
        if word in condition:
            if depth >= _DEPTH:
                raise invalid(f"body failed validation: body.{path} is nested too deeply.")
            parts = [
                row_filter(question, part, f"{path}.{word}[{place}]", depth + 1)
                for place, part in enumerate(condition[word])
            ]
            return lambda row, parts=parts, combine=combine: combine(part(row) for part in parts)  # type: ignore[misc]  # a lambda's defaults are untyped
    if "timestamp" in condition:
        return _timestamp(question, condition, path)
    return _property(question, condition, path)


def _timestamp(question: Question, condition: Json, path: str) -> Test:
    kind = condition["timestamp"]
    if kind not in TIMESTAMPS or not isinstance(condition.get(kind), dict):
        raise failed(f"{path}.{kind}", "defined", "undefined")
    test = _date_test(question, condition[kind], f"{path}.{kind}")
    return lambda row: test({"start": show_time(_stamp(row, kind))})


def _property(question: Question, condition: Json, path: str) -> Test:
    column = question.source.find(str(condition.get("property")))
    if column is None:
        raise invalid(f"Could not find property with name or id: {condition.get('property')}")
    kind = next((key for key in condition if key not in {"property", "type"}), None)
    if kind is None or not isinstance(condition[kind], dict):
        raise failed(f"{path}.{column.type}", "defined", "undefined")
    text_like = kind in _TEXTS and column.type in _TEXTS
    if kind != column.type and not text_like and not {kind, column.type} <= _DATES:
        raise invalid(f"database property {column.type} does not match filter {kind}")
    test = _test(question, column, condition[kind], f"{path}.{kind}")
    return lambda row: test(cells.content(question.store, question.source, column, row))


def _test(question: Question, column: Property, condition: Json, path: str) -> Callable[[Any], bool]:
    if column.type in _TEXTS:
        return _text_test(condition, path)
    if column.type in _DATES:
        test = _date_test(question, condition, path)
        return lambda shown: test({"start": shown} if isinstance(shown, str) else shown)
    if column.type in _USERS or column.type in {"relation", "multi_select", "files"}:
        return _list_test(condition, path)
    if column.type == "formula":
        return _formula_test(question, condition, path)
    if column.type in {"select", "status"}:
        if column.type == "status":
            _known_option(column, condition)
        return _scalar_test(condition, path, lambda shown: shown and shown["name"])
    if column.type == "unique_id":
        return _scalar_test(condition, path, lambda shown: shown["number"])
    if column.type in {"number", "checkbox"}:
        return _scalar_test(condition, path, lambda shown: shown)
    raise invalid(f"The sandbox has no filters for properties of type {column.type}.")


def _known_option(column: Property, condition: Json) -> None:
    for wanted in condition.values():
        if isinstance(wanted, str) and wanted not in {option["name"] for option in column.options}:
            raise invalid(f'status option "{wanted}" not found for property "{column.name}".')


def _one(condition: Json, path: str) -> tuple[str, Any]:
    if len(condition) != 1:
        raise failed(path, "an object with one condition", condition)
    return next(iter(condition.items()))


def _text_test(condition: Json, path: str) -> Callable[[Any], bool]:
    word, wanted = _one(condition, path)
    asked = str(wanted).casefold()
    tests: dict[str, Callable[[str], bool]] = {
        "equals": lambda text: text == asked,
        "does_not_equal": lambda text: text != asked,
        "contains": lambda text: asked in text,
        "does_not_contain": lambda text: asked not in text,
        "starts_with": lambda text: text.startswith(asked),
        "ends_with": lambda text: text.endswith(asked),
        "is_empty": lambda text: not text,
        "is_not_empty": bool,
    }
    test = _known(tests, word, path)
    return lambda shown: test((plain_text(shown) if isinstance(shown, list) else shown or "").casefold())


def _scalar_test(condition: Json, path: str, read: Callable[[Any], Any]) -> Callable[[Any], bool]:
    word, wanted = _one(condition, path)
    tests: dict[str, Callable[[Any], bool]] = {
        "equals": lambda value: value == wanted,
        "does_not_equal": lambda value: value != wanted,
        "greater_than": lambda value: value is not None and value > wanted,
        "less_than": lambda value: value is not None and value < wanted,
        "greater_than_or_equal_to": lambda value: value is not None and value >= wanted,
        "less_than_or_equal_to": lambda value: value is not None and value <= wanted,
        "is_empty": lambda value: value is None,
        "is_not_empty": lambda value: value is not None,
    }
    test = _known(tests, word, path)
    return lambda shown: test(read(shown))


def _list_test(condition: Json, path: str) -> Callable[[Any], bool]:
    """Options by name; people and relations by id."""
    word, wanted = _one(condition, path)
    tests: dict[str, Callable[[set[str]], bool]] = {
        "contains": lambda items: wanted in items,
        "does_not_contain": lambda items: wanted not in items,
        "is_empty": lambda items: not items,
        "is_not_empty": bool,
    }
    test = _known(tests, word, path)

    def read(shown: Any) -> set[str]:
        items = shown if isinstance(shown, list) else [shown]
        return {item["name"] if "color" in item else item.get("id", "") for item in items}

    return lambda shown: test(read(shown))


def _formula_test(question: Question, condition: Json, path: str) -> Callable[[Any], bool]:
    kind, inner = _one(condition, path)
    if kind == "string":
        test = _text_test(inner, f"{path}.string")
    elif kind == "date":
        test = _date_test(question, inner, f"{path}.date")
    else:
        test = _scalar_test(inner, f"{path}.{kind}", lambda shown: shown)
    return lambda shown: test(shown[shown["type"]])


def _date_test(question: Question, condition: Json, path: str) -> Callable[[Any], bool]:
    word, wanted = _one(condition, path)
    if word in {"is_empty", "is_not_empty"}:
        return lambda shown: (shown is None) is (word == "is_empty")
    if word.startswith(("this_", "past_", "next_")):
        first, last = _span(word, question.now.astimezone(UTC).date(), path)
        return lambda shown: shown is not None and first <= _day(shown["start"]) <= last
    asked = read_moment(wanted, f"{path}.{word}")
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "equals": lambda one, other: one == other,
        "before": lambda one, other: one < other,
        "after": lambda one, other: one > other,
        "on_or_before": lambda one, other: one <= other,
        "on_or_after": lambda one, other: one >= other,
    }
    test = _known(tests, word, path)
    return lambda shown: shown is not None and test(*_comparable(shown["start"], asked))


def _comparable(shown: str, asked: date | datetime) -> tuple[Any, Any]:
    """Whole days where the question is a day, else minutes; a day begins at midnight UTC."""
    moment = read_moment(shown, "start")
    if not isinstance(asked, datetime):
        return (moment.date() if isinstance(moment, datetime) else moment), asked
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return minute(moment.astimezone(UTC)), minute(asked.astimezone(UTC))


def _day(shown: str) -> date:
    moment = read_moment(shown, "start")
    return moment.astimezone(UTC).date() if isinstance(moment, datetime) else moment


def _span(word: str, today: date, path: str) -> tuple[date, date]:
    direction, _, length = word.partition("_")
    if length not in {"week", "month", "year"}:
        raise failed(f"{path}.{word}", "not present", "{}")
    if direction == "this":
        return _this(length, today)
    if direction == "past":
        return _shift(today, length, -1), today
    return today, _shift(today, length, 1)


def _this(length: str, today: date) -> tuple[date, date]:
    if length == "week":  # from Sunday on, Notion's default start of the week
        first = today - timedelta(days=today.isoweekday() % 7)
        return first, first + timedelta(days=6)
    if length == "month":
        return today.replace(day=1), today.replace(day=calendar.monthrange(today.year, today.month)[1])
    return date(today.year, 1, 1), date(today.year, 12, 31)


def _shift(day: date, length: str, step: int) -> date:
    if length == "week":
        return day + step * _SPANS["week"]
    months = day.year * 12 + day.month - 1 + step * (1 if length == "month" else 12)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _known(tests: dict[str, Any], word: str, path: str) -> Any:
    if word not in tests:
        raise failed(f"{path}.{word}", "not present", word)
    return tests[word]


def _stamp(row: Page, kind: str) -> datetime:
    return row.created.at if kind == "created_time" else row.edited.at


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
    if not isinstance(sort, dict) or sort.get("direction", "ascending") not in {"ascending", "descending"}:
        raise failed(f"{path}.direction", '"ascending" or "descending"', sort)
    if "timestamp" in sort:
        if sort["timestamp"] not in TIMESTAMPS:
            raise failed(f"{path}.timestamp", '"created_time" or "last_edited_time"', sort["timestamp"])
        return lambda row: minute(_stamp(row, sort["timestamp"]))
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
        return _comparable(shown["start"], datetime.now(UTC))[0]
    if column.type == "multi_select":
        return [option["name"] for option in shown]
    if column.type in {"title", "rich_text"}:
        return plain_text(shown).casefold()
    if isinstance(shown, str):
        return shown.casefold()
    return shown if isinstance(shown, int | float) else str(shown)
