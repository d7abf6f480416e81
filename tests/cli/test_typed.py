"""A field's value from what a person typed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from sync_workers.cli.typed import typed
from sync_workers.fields import Field, Kind
from sync_workers.values import DateRange

DAY = date(2026, 3, 1)
MOMENT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
EAST = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Kind.TEXT, " as it is ", " as it is "),
        (Kind.TEXT, "3", "3"),
        (Kind.NUMBER, " 3 ", 3),
        (Kind.NUMBER, "-2.5", -2.5),
        (Kind.CHECKBOX, "Yes", True),
        (Kind.CHECKBOX, "false", False),
        (Kind.DATE, "2026-03-01", DAY),
        (Kind.DATE, "2026-03-01T08:30+00:00", MOMENT),
        (Kind.DATE, "2026-03-01 08:30", datetime(2026, 3, 1, 8, 30)),  # noqa: DTZ001 - it says no zone
        (Kind.DATE, "2026-03-01 to 2026-03-04", DateRange(DAY, date(2026, 3, 4))),
        (Kind.CHOICE, "Done", "Done"),
        (Kind.CHOICES, '["red", "blue"]', ["red", "blue"]),
        (Kind.REFERENCES, "[]", []),
        (Kind.NUMBER, "", None),
        (Kind.TEXT, "  ", None),
    ],
)
def test_the_fields_kind_says_how_it_is_read(kind: Kind, text: str, value: Any) -> None:
    found = typed(text, Field("x", kind), [])
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("shown", "text", "value"),
    [
        (("a", "b"), "3", "3"),
        ((None, None), "3", "3"),
        ((1, 2), "3", 3),
        ((None, 2.5), "3", 3),
        ((True, False), "no", False),
        ((None, DAY), "2026-03-02", date(2026, 3, 2)),
        ((DateRange(DAY, DAY), None), "2026-03-02", date(2026, 3, 2)),
        (((1, 2), (3,)), "[4]", (4,)),
        (({"a"}, None), '["b"]', {"b"}),
        (({"k": 1}, None), '{"k": 2}', {"k": 2}),
        ((["x"], None), '[{"$date": "2026-03-01"}]', [DAY]),
    ],
)
def test_without_a_kind_the_values_that_are_there_say_it(shown: Any, text: str, value: Any) -> None:
    assert typed(text, None, shown) == value
    assert typed(text, Field("x", Kind.ANY), shown) == value


def test_a_moment_without_a_zone_is_meant_as_the_fields_own() -> None:
    shown = [None, datetime(2026, 1, 1, tzinfo=EAST)]
    assert typed("2026-03-01T08:30", None, shown) == datetime(2026, 3, 1, 8, 30, tzinfo=EAST)
    assert typed("2026-03-01T08:30Z", None, shown) == MOMENT
    span = [DateRange(MOMENT, MOMENT)]
    assert typed("2026-03-01T08:30 to 2026-03-01T08:30", None, span) == DateRange(MOMENT, MOMENT)


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (Kind.NUMBER, "many", "is no number"),
        (Kind.CHECKBOX, "maybe", "is neither yes nor no"),
        (Kind.DATE, "tomorrow", "is no day or moment"),
        (Kind.DATE, "2026-13-01", "is no day or moment"),
        (Kind.DATE, "2026-03-01 to", "is no day or moment"),
        (Kind.DATE, "2026-03-01 to 2026-03-02 to 2026-03-03", "is no span"),
        (Kind.DATE, "2026-03-01 to 2026-03-02T08:30", "is no span"),
        (Kind.CHOICES, "red, blue", "is no list"),
        (Kind.CHOICES, '"green"', "is no list"),
        (Kind.CHOICES, '{"$unknown": 1}', "is no list"),
    ],
)
def test_what_is_none_of_the_kind_is_refused_without_repeating_it(kind: Kind, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refused:
        typed(text, Field("x", kind), [])
    assert text not in str(refused.value)
