"""Nouns as bytes and back."""

from __future__ import annotations

import enum
import math
from dataclasses import fields
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_workers.errors import StateError
from sync_workers.fields import Field, Kind
from sync_workers.model import (
    Action,
    Ambiguity,
    Conflict,
    Failure,
    Hold,
    Listing,
    Operation,
    Pair,
    Part,
    Plan,
    Record,
    Side,
)
from sync_workers.report import Outcome, Report, Trigger
from sync_workers.runs.codec import from_bytes, to_bytes
from sync_workers.runs.get import Gathered
from sync_workers.runs.mirror import Mirror
from sync_workers.values import DateRange

ALL = settings(max_examples=60, deadline=None)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.datetimes(),
    st.times(),
    st.timedeltas(min_value=timedelta(days=-999), max_value=timedelta(days=999)),
    st.decimals(allow_nan=False),
    st.uuids(),
    st.binary(max_size=8),
    st.builds(DateRange, st.dates(), st.dates()),
)
keys = st.one_of(st.text(max_size=6), st.sampled_from(["$Record", "$dict", "$set", "$date", "$Side", "$"]))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(keys, inner, max_size=3),
        st.sets(st.text(max_size=3), max_size=3),
        st.frozensets(st.dates(), max_size=3),
    ),
    max_leaves=6,
)
shown = st.dictionaries(keys, values, max_size=3)
ids = st.text(min_size=1, max_size=6)
times = st.none() | st.datetimes(timezones=st.just(UTC))
sides, texts, maybe_ids = st.sampled_from(Side), st.text(max_size=6), st.none() | ids
records = st.builds(Record, ids, shown, times, st.none() | st.text(), st.none() | st.text())


def pairs(each: st.SearchStrategy[Any]) -> st.SearchStrategy[Pair[Any]]:
    return st.builds(Pair, each, each)


def tuples(each: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(each, max_size=2).map(tuple)


failures = st.builds(Failure, sides, ids, texts, texts, st.booleans())
conflicts = st.builds(
    Conflict, pairs(ids), pairs(texts), pairs(values), st.none() | sides, st.booleans(), st.booleans()
)
operations = st.builds(
    Operation, st.sampled_from(Part), st.sampled_from(Action), sides, pairs(maybe_ids), texts,
    pairs(st.none() | records), shown, pairs(shown), tuples(conflicts), pairs(shown),
)  # fmt: skip
ambiguities = st.builds(Ambiguity, pairs(tuples(ids)))
holds = st.builds(Hold, sides, ids, texts)
setups = st.dictionaries(keys, texts, max_size=2)
listings = st.builds(
    Listing, st.dictionaries(keys, records, max_size=2), st.booleans(), tuples(failures), tuples(ids)
)
known_fields = st.builds(
    Field, ids, st.sampled_from(Kind), texts, st.booleans(), st.booleans(), st.booleans(), tuples(texts),
    st.none() | st.integers(),
)  # fmt: skip
plans = st.builds(
    Plan, tuples(operations), tuples(conflicts), tuples(ambiguities), tuples(holds), st.integers(),
    st.none() | setups,
)  # fmt: skip
gathered = st.builds(
    Gathered, pairs(listings), pairs(st.dictionaries(keys, known_fields, max_size=2)), setups,
    pairs(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9))),
)  # fmt: skip
mirrors = st.builds(
    Mirror, texts, texts, st.dictionaries(keys, records, max_size=2), st.dictionaries(keys, texts, max_size=2)
)
reports = st.builds(
    Report, texts, texts, st.sampled_from(Trigger), st.sampled_from(Outcome), times, times, st.integers(),
    st.dictionaries(texts, st.integers(), max_size=2), st.lists(conflicts, max_size=2),
    st.lists(failures, max_size=2), st.lists(ambiguities, max_size=2), st.lists(holds, max_size=2),
    st.dictionaries(texts, st.integers(), max_size=2),
    st.dictionaries(texts, st.floats(allow_nan=False), max_size=2), texts,
)  # fmt: skip


def there_and_back(thing: Any) -> Any:
    return from_bytes(to_bytes(thing), type(thing))


def enums_in(thing: Any) -> list[enum.Enum]:
    """All enums of a noun, however deep, in order."""
    if isinstance(thing, enum.Enum):
        return [thing]
    if hasattr(thing, "__dataclass_fields__"):
        return [found for part in fields(thing) for found in enums_in(getattr(thing, part.name))]
    if isinstance(thing, list | tuple):
        return [found for item in thing for found in enums_in(item)]
    if isinstance(thing, dict):
        return [found for item in thing.values() for found in enums_in(item)]
    return []


@pytest.mark.parametrize(
    "nouns",
    [plans, gathered, mirrors, reports],
    ids=["plan", "gathered", "mirror", "report"],
)
def test_a_noun_comes_back_as_it_was(nouns: st.SearchStrategy[Any]) -> None:
    @ALL
    @given(nouns)
    def check(noun: Any) -> None:
        back = there_and_back(noun)
        assert back == noun
        # `is` and not `==`: the engine asks `operation.action is Action.LINK`.
        for one, another in zip(enums_in(back), enums_in(noun), strict=True):
            assert one is another

    check()


@pytest.mark.parametrize("member", [*Side, *Action, *Part, *Kind, *Outcome, *Trigger], ids=repr)
def test_every_enum_comes_back_as_itself(member: enum.Enum) -> None:
    assert from_bytes(to_bytes(member), type(member)) is member


@pytest.mark.parametrize(
    "value",
    [
        Decimal("1.10"), UUID(int=5), time(8, 30), b"\x00\xff", math.inf, datetime(2026, 3, 1, tzinfo=UTC),
        DateRange(date(2026, 3, 1), datetime(2026, 3, 2, tzinfo=UTC)), {"$Record": ["x"]}, {"$dict": {}},
        {frozenset({"a"}), frozenset({"b"})}, ("a", ("b",)), {"$tuple": [1]},
    ],
)  # fmt: skip
def test_values_that_look_like_something_else_come_back_as_they_were(value: Any) -> None:
    record = Record("x", {"a": value})
    assert there_and_back(record) == record
    assert type(there_and_back(record).fields["a"]) is type(value)


def test_a_value_that_is_no_number_comes_back_as_none() -> None:
    assert math.isnan(there_and_back(Record("x", {"a": math.nan})).fields["a"])


@pytest.mark.parametrize(
    "data",
    [b"", b"no json", b"{}", b"[]", b'{"$Plan": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]}',
     b'{"$Unknown": []}',
     b'{"$Side": "left"}', b'"text"', b"\xff", b'{"$Record": ["x", {}, {"$datetime": "2026-01-01"}]}'],
)  # fmt: skip
def test_anything_else_is_a_state_error_with_the_next_step(data: bytes) -> None:
    with pytest.raises(StateError, match=r"[Rr]un again"):
        from_bytes(data, Plan)


def test_r11_nothing_but_the_nouns_is_ever_made() -> None:
    with pytest.raises(StateError):
        from_bytes(b'{"$StateError": ["made from outside"]}', StateError)
    assert get_args(Plan) == ()
