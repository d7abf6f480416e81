"""Date conditions of a filter.

As recorded: moments compare at the minute; "past" and "next" spans are whole days and include today.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sync_workers.sandbox.errors import failed
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.texts import minute, read_moment


def date_test(now: datetime, condition: Json, path: str) -> Callable[[Any], bool]:
    word, wanted = one(condition, path)
    if word in {"is_empty", "is_not_empty"}:
        return lambda shown: (shown is None) is (word == "is_empty")
    if word.startswith(("this_", "past_", "next_")):
        first, last = _span(word, now.astimezone(UTC).date(), path)
        return lambda shown: shown is not None and first <= _day(shown["start"]) <= last
    asked = read_moment(wanted, f"{path}.{word}")
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "equals": lambda one, other: one == other,
        "before": lambda one, other: one < other,
        "after": lambda one, other: one > other,
        "on_or_before": lambda one, other: one <= other,
        "on_or_after": lambda one, other: one >= other,
    }
    test = known(tests, word, path)
    return lambda shown: shown is not None and test(*comparable(shown["start"], asked))


def comparable(shown: str, asked: date | datetime) -> tuple[Any, Any]:
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
        return day + step * timedelta(days=7)
    months = day.year * 12 + day.month - 1 + step * (1 if length == "month" else 12)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def one(condition: Json, path: str) -> tuple[str, Any]:
    """The only word of a condition, and what is asked with it."""
    if len(condition) != 1:
        raise failed(path, "an object with one condition", condition)
    return next(iter(condition.items()))


def known(tests: dict[str, Any], word: str, path: str) -> Any:
    if word not in tests:
        raise failed(f"{path}.{word}", "not present", word)
    return tests[word]
