"""Field values: when two are the same, and their JSON form."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_workers.values import (
    DateRange,
    UnsupportedValueError,
    canonical,
    from_json,
    is_unset,
    same,
    storable,
    to_json,
)

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 3, 1, 12, tzinfo=BERLIN)
TWICE = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)  # comes twice when the clocks change


class Colour(Enum):
    RED = "red"


class Level(StrEnum):
    HIGH = "high"


class RichText(str):
    """As clients have it."""

    __slots__ = ()


@pytest.mark.parametrize("value", [None, "", [], (), set(), frozenset(), {}], ids=repr)
def test_what_nobody_filled_in_is_unset(value: Any) -> None:
    assert is_unset(value)
    assert same(value, None)


@pytest.mark.parametrize("value", [False, 0, 0.0, " ", [None], {"a": None}, timedelta(0)], ids=repr)
def test_a_value_that_says_something_is_not_unset(value: Any) -> None:
    assert not is_unset(value)
    assert not same(value, None)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("Bröt", "Bro\u0308t"),
        ("a\r\nb\rc", "a\nb\nc"),
        (RichText("a"), "a"),
        (Colour.RED, "red"),
        (Level.HIGH, "high"),
        (5, 5.0),
        (Decimal("1.10"), 1.1),
        (Decimal("2.00"), 2),
        (math.nan, math.nan),
        (Decimal("NaN"), math.nan),
        (Decimal("Infinity"), math.inf),
        (["a", "b"], ("a", "b")),
        ({"b", "a"}, frozenset({"a", "b"})),
        ([math.nan], [math.nan]),
        ({"a": ""}, {"a": None}),
        ({1: "a"}, {"1": "a"}),
        (NOON, NOON.astimezone(UTC)),
        (TWICE, TWICE.astimezone(UTC)),
        (DateRange(TWICE, TWICE), DateRange(TWICE.astimezone(UTC), TWICE.astimezone(UTC))),
    ],
)
def test_values_that_a_person_would_call_equal_are_the_same(one: Any, another: Any) -> None:
    assert same(one, another)
    assert same(another, one)


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("a", "A"),
        ("5", 5),
        ("a ", "a"),
        (date(2026, 3, 1), datetime(2026, 3, 1)),  # noqa: DTZ001 - a moment without a zone is meant
        (NOON, NOON.replace(tzinfo=None)),
        (["a", "b"], ["b", "a"]),
        (math.inf, -math.inf),
        (math.nan, 0.0),
        (DateRange(date(2026, 3, 1), date(2026, 3, 2)), date(2026, 3, 1)),
        (object(), None),
        (object(), object()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_that_differ_are_not_the_same(one: Any, another: Any) -> None:
    assert not same(one, another)


@pytest.mark.parametrize("hours", [-12, 12])
def test_the_first_and_the_last_moment_can_be_compared_in_any_zone(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    for moment in (datetime(1, 1, 1, tzinfo=zone), datetime(9999, 12, 31, 23, 59, tzinfo=zone)):
        assert canonical(moment) == moment


# --- JSON ---

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5), st.dates(),
    st.datetimes(timezones=st.none() | st.just(UTC) | st.just(timezone(timedelta(hours=5, minutes=30)))),
    st.times(), st.timedeltas(timedelta(days=-9999), timedelta(days=9999)), st.decimals(allow_nan=False),
    st.uuids(), st.binary(max_size=5), st.builds(DateRange, st.dates(), st.dates()),
)  # fmt: skip
nested = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.sets(st.text(max_size=3) | st.dates() | st.frozensets(st.integers()), max_size=3),
        st.dictionaries(st.text(max_size=3) | st.sampled_from(["$date", "$set", "$"]), inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(nested)
def test_a_value_comes_back_from_json_as_it_was(value: Any) -> None:
    back = from_json(json.loads(json.dumps(to_json(value))))
    assert back == value
    assert type(back) is type(value)


@settings(max_examples=200, deadline=None)
@given(nested)
def test_a_value_is_the_same_after_any_number_of_trips(value: Any) -> None:
    kept = storable(value)
    assert same(kept, value)
    assert storable(kept) == kept
    assert canonical(kept) == canonical(value)


def test_the_name_of_a_zone_is_kept() -> None:
    for moment in (NOON, TWICE, TWICE.replace(fold=1)):
        back = from_json(to_json(moment))
        assert back.tzinfo is BERLIN
        assert back.astimezone(UTC) == moment.astimezone(UTC)


def test_what_is_no_number_and_what_is_endless_come_back() -> None:
    assert math.isnan(from_json(to_json(math.nan)))
    assert from_json(to_json(-math.inf)) == -math.inf


@pytest.mark.parametrize(
    ("value", "kept"),
    [(RichText("a"), "a"), (Colour.RED, "red"), (Level.HIGH, "high"), ({1: "a"}, {"1": "a"}), (True, True)],
)
def test_what_the_state_keeps_is_plain(value: Any, kept: Any) -> None:
    assert storable(value) == kept
    assert type(storable(value)) is type(kept)


@pytest.mark.parametrize("function", [to_json, storable, canonical])
@pytest.mark.parametrize(
    "value", [object(), [object()], {"a": object()}, 1j], ids=["object", "list", "dict", "complex"]
)
def test_r11_a_value_that_cannot_be_kept_is_refused_by_its_type_without_the_value(
    function: Callable[[Any], Any], value: Any
) -> None:
    with pytest.raises(UnsupportedValueError) as refused:
        function(value)
    assert "cannot be kept in the state" in str(refused.value)
    assert "0x" not in str(refused.value)


def test_a_kind_of_value_of_a_newer_version_is_refused_with_the_remedy() -> None:
    with pytest.raises(ValueError, match="Upgrade this one"):
        from_json({"$hologram": 1})


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ({"$uuid": "00000000-0000-0000-0000-000000000005"}, UUID(int=5)),
        ({"$time": "08:30:00"}, time(8, 30)),
        ({"$date": "2026-03-01"}, date(2026, 3, 1)),
        ({"$datetime": "2026-03-01T12:00:00+01:00[Europe/Berlin]"}, NOON),
        ({"$range": [{"$date": "2026-03-01"}, {"$date": "2026-03-02"}]},
         DateRange(date(2026, 3, 1), date(2026, 3, 2))),
    ],
)  # fmt: skip
def test_what_earlier_versions_stored_can_be_read(data: Any, value: Any) -> None:
    """The format is a promise: change it only with a new version of the state."""
    assert from_json(data) == value
    assert to_json(value) == data
