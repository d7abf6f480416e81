"""Filters of a data source query.

What is recorded: texts compare without case, and a `rich_text` condition works on every text-like
property. Dates are in `moments`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sync_workers.sandbox import cells
from sync_workers.sandbox.checks import check_list, check_object
from sync_workers.sandbox.errors import failed, invalid
from sync_workers.sandbox.moments import date_test, known, one
from sync_workers.sandbox.nouns import DataSource, Json, Page, Property
from sync_workers.sandbox.store import Store
from sync_workers.sandbox.texts import plain_text, show_time

TIMESTAMPS = ("created_time", "last_edited_time")
_TEXTS = frozenset(["title", "rich_text", "url", "email", "phone_number"])
_USERS = frozenset(["people", "created_by", "last_edited_by"])
_DATES = frozenset({"date", *TIMESTAMPS})
_DEPTH = 2  # compound filters may be nested this deep


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
    condition = check_object(condition, path)
    for word, combine in (("and", all), ("or", any)):
        if word in condition:
            if depth >= _DEPTH:
                raise invalid(f"body failed validation: body.{path} is nested too deeply.")
            parts = [
                row_filter(question, part, f"{path}.{word}[{place}]", depth + 1)
                for place, part in enumerate(check_list(condition[word], f"{path}.{word}"))
            ]
            return _compound(parts, combine)
    if "timestamp" in condition:
        return _timestamp(question, condition, path)
    return _property(question, condition, path)


def _compound(parts: list[Test], combine: Callable[[Iterable[bool]], bool]) -> Test:
    return lambda row: combine(part(row) for part in parts)


def _timestamp(question: Question, condition: Json, path: str) -> Test:
    kind = condition["timestamp"]
    if kind not in TIMESTAMPS or not isinstance(condition.get(kind), dict):
        raise failed(f"{path}.{kind}", "defined", "undefined")
    test = date_test(question.now, condition[kind], f"{path}.{kind}")
    return lambda row: test({"start": show_time(stamp(row, kind))})


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
        test = date_test(question.now, condition, path)
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


def _text_test(condition: Json, path: str) -> Callable[[Any], bool]:
    word, wanted = one(condition, path)
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
    test = known(tests, word, path)
    return lambda shown: test((plain_text(shown) if isinstance(shown, list) else shown or "").casefold())


_ORDER = ("_than", "_than_or_equal_to")
_PLAIN_ID = re.compile("[0-9a-f]{32}", re.IGNORECASE)


def _scalar_test(condition: Json, path: str, read: Callable[[Any], Any]) -> Callable[[Any], bool]:
    word, wanted = one(condition, path)
    if word.endswith(_ORDER) and (isinstance(wanted, bool) or not isinstance(wanted, int | float)):
        raise failed(f"{path}.{word}", "a number", wanted)
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
    test = known(tests, word, path)
    return lambda shown: test(read(shown))


def _list_test(condition: Json, path: str) -> Callable[[Any], bool]:
    """Options by name; people and relations by id."""
    word, wanted = one(condition, path)
    if word.endswith("contain") or word == "contains":
        if not isinstance(wanted, str):
            raise failed(f"{path}.{word}", "a string", wanted)
        if _PLAIN_ID.fullmatch(wanted):  # ids may be written without dashes
            wanted = str(UUID(wanted))
    tests: dict[str, Callable[[set[str]], bool]] = {
        "contains": lambda items: wanted in items,
        "does_not_contain": lambda items: wanted not in items,
        "is_empty": lambda items: not items,
        "is_not_empty": bool,
    }
    test = known(tests, word, path)

    def read(shown: Any) -> set[str]:
        items = shown if isinstance(shown, list) else [shown]
        return {item["name"] if "color" in item else item.get("id", "") for item in items}

    return lambda shown: test(read(shown))


def _formula_test(question: Question, condition: Json, path: str) -> Callable[[Any], bool]:
    kind, inner = one(condition, path)
    if kind == "string":
        test = _text_test(inner, f"{path}.string")
    elif kind == "date":
        test = date_test(question.now, inner, f"{path}.date")
    else:
        test = _scalar_test(inner, f"{path}.{kind}", lambda shown: shown)
    return lambda shown: test(shown[shown["type"]])


def stamp(row: Page, kind: str) -> datetime:
    return row.created.at if kind == "created_time" else row.edited.at
