"""How values cross between fields that keep different things."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import starmap
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.rules import Direction, FieldRule
from sync_workers.fields import Field, Kind
from sync_workers.model import ConflictMode, Pair, Side
from sync_workers.values import DateRange
from tests.engine.build import NAME, RULES, TEXT, Situation, actions, told

BERLIN = ZoneInfo("Europe/Berlin")
DAY, NEXT_DAY, LAST_DAY = date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 5)
NOON = datetime(2026, 3, 1, 12, tzinfo=BERLIN)
ONE, TWO, THREE = (timedelta(days=number) for number in (1, 2, 3))

RICH = Field("date", Kind.DATE, ranges=True)
MOMENTS = Field("date", Kind.DATE)
DAYS = Field("date", Kind.DATE, times=False)
SPANS_OF_DAYS = Field("date", Kind.DATE, times=False, ranges=True)
TICK = Field("tick", Kind.CHECKBOX)
ANY = Field("any", Kind.ANY)


def crossing(notion: Field | None = None, other: Field | None = None, **rule: Any) -> Crossing:
    return Crossing(FieldRule(TEXT, **rule), Pair(notion, other))


@pytest.mark.parametrize(
    ("other", "value", "expected"),
    [
        (DAYS, NOON, DAY),
        (DAYS, DateRange(NOON, NOON + TWO), DAY),
        (DAYS, datetime(2026, 3, 1, 0, 30, tzinfo=BERLIN), DAY),  # the day on the wall, not that of UTC
        (SPANS_OF_DAYS, DateRange(NOON, NOON + ONE), DateRange(DAY, NEXT_DAY)),
        (MOMENTS, DateRange(NOON, NOON + ONE), NOON),
        (RICH, DateRange(NOON, NOON + ONE), DateRange(NOON, NOON + ONE)),
        (DAYS, None, None),
        (Field("t", Kind.TEXT, longest=3), "12345", "123"),
        (Field("t", Kind.TEXT), 5, "5"),
        (TICK, None, False),
        (ANY, ["a"], ["a"]),
    ],
)
def test_a_value_crosses_in_the_form_that_the_poorer_side_keeps(
    other: Field, value: Any, expected: Any
) -> None:
    assert crossing(RICH, other).to(Side.OTHER, value) == expected


@pytest.mark.parametrize(
    ("other", "value", "current", "expected"),
    [
        # the poorer value already says what is there: it stays as it is
        (DAYS, DAY, NOON, NOON),
        (DAYS, DAY, DateRange(NOON, NOON + ONE), DateRange(NOON, NOON + ONE)),
        # another day: the time of day and the length of the span stay
        (DAYS, NEXT_DAY, NOON, NOON + ONE),
        (DAYS, NEXT_DAY, DateRange(NOON, NOON + ONE), DateRange(NOON + ONE, NOON + TWO)),
        (DAYS, NEXT_DAY, DateRange(DAY, NEXT_DAY), DateRange(NEXT_DAY, DAY + TWO)),
        (MOMENTS, NOON + ONE, DateRange(NOON, NOON + ONE), DateRange(NOON + ONE, NOON + TWO)),
        # the kind of the start changes: the span stays as many days long
        (MOMENTS, NEXT_DAY, DateRange(NOON, NOON + ONE), DateRange(NEXT_DAY, DAY + TWO)),
        (
            MOMENTS,
            NOON + ONE,
            DateRange(DAY, LAST_DAY),
            DateRange(NOON + ONE, NOON + ONE + timedelta(days=4)),
        ),
        # a person cleared it
        (DAYS, None, NOON, None),
        # nothing was there
        (DAYS, DAY, None, DAY),
        # a side that keeps spans says how long they are
        (SPANS_OF_DAYS, DateRange(DAY, LAST_DAY), DateRange(DAY, NEXT_DAY), DateRange(DAY, LAST_DAY)),
    ],
)
def test_a_poorer_value_is_joined_with_what_only_the_richer_side_keeps(
    other: Field, value: Any, current: Any, expected: Any
) -> None:
    assert crossing(RICH, other).to(Side.NOTION, value, current) == expected


def test_a_span_that_would_end_after_the_last_day_is_held_instead_of_cut() -> None:
    with pytest.raises(UncrossableError):
        crossing(RICH, DAYS).to(Side.NOTION, date.max, DateRange(DAY, NEXT_DAY))


@pytest.mark.parametrize(
    ("value", "current", "expected"),
    [
        ("12345", "1234567", "1234567"),
        ("X2345", "1234567", "X234567"),
        ("12", "1234567", "1267"),  # the tail was out of sight: who shortened the rest did not mean it
        ("", "1234567", ""),
        ("12345", None, "12345"),
    ],
)
def test_the_tail_of_a_text_that_one_side_cuts_stays(value: Any, current: Any, expected: Any) -> None:
    cutting = crossing(None, Field("t", Kind.TEXT, longest=5))
    assert cutting.to(Side.NOTION, value, current) == expected


@pytest.mark.parametrize(
    ("notion", "other", "values"),
    [
        (RICH, DAYS, Pair(NOON, DAY)),
        (DAYS, RICH, Pair(DAY, DateRange(NOON, NOON + ONE))),
        (RICH, RICH, Pair(NOON, NOON.astimezone(UTC))),
        (None, Field("t", Kind.TEXT, longest=3), Pair("12345", "123")),
        (TICK, ANY, Pair(notion=False, other=None)),
        (Field("c", Kind.CHOICES), None, Pair(["a", "b"], ["b", "a"])),
        (None, Field("c", Kind.REFERENCES), Pair(["a", "b"], ("b", "a"))),
        (None, None, Pair("", None)),
        (None, None, Pair("a\r\nb", "a\nb")),
    ],
)
def test_values_that_say_the_same_agree(notion: Field | None, other: Field | None, values: Pair[Any]) -> None:
    assert crossing(notion, other).agree(values)
    assert crossing(other, notion).agree(Pair(values.other, values.notion))


@pytest.mark.parametrize(
    ("notion", "other", "values"),
    [
        (RICH, DAYS, Pair(NOON, NEXT_DAY)),
        (None, Field("t", Kind.TEXT, longest=3), Pair("12345", "124")),
        (TICK, ANY, Pair(notion=True, other=None)),
        (Field("c", Kind.CHOICES), None, Pair(["a", "b"], ["a"])),
        (Field("t", Kind.TEXT), None, Pair(["a", "b"], ["b", "a"])),  # here the order says something
    ],
)
def test_values_that_say_something_else_do_not_agree(
    notion: Field | None, other: Field | None, values: Pair[Any]
) -> None:
    assert not crossing(notion, other).agree(values)


def test_one_instant_in_two_zones_agrees_even_when_the_clocks_change() -> None:
    """Python calls the two different in the hour that comes twice."""
    twice = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    assert twice != twice.astimezone(UTC)
    assert crossing().agree(Pair(twice, twice.astimezone(UTC)))


# --- value maps ---

STATES = {"Waiting": False, "Doing": False, "Done": True, "Dropped": True}
DONE = tuple(starmap(Pair, STATES.items()))


@pytest.mark.parametrize(("notion", "other"), STATES.items())
def test_several_values_of_one_side_cross_to_one_of_the_other(notion: str, *, other: bool) -> None:
    assert crossing(values=DONE).to(Side.OTHER, notion) is other


@pytest.mark.parametrize(
    ("other", "current", "expected"),
    [
        (True, "Doing", "Done"),
        (True, "Dropped", "Dropped"),
        (False, "Done", "Waiting"),
        (False, None, "Waiting"),
    ],
)
def test_on_the_way_back_the_value_that_is_there_stays_if_it_fits_and_the_first_is_written_if_not(
    other: Any, current: str | None, expected: str
) -> None:
    assert crossing(values=DONE).to(Side.NOTION, other, current) == expected


@pytest.mark.parametrize(("side", "value"), [(Side.NOTION, "Dreaming"), (Side.OTHER, 3)])
def test_a_value_that_the_map_does_not_know_is_held(side: Side, value: Any) -> None:
    here = Situation(replace(RULES, fields=(FieldRule(NAME), FieldRule(TEXT, values=DONE))))
    ids = here.linked(title="Bread")
    here.edit(Side.NOTION, ids.notion, text="Doing")
    here.state.objs[ids.notion]["Text"] = "Doing"
    here.edit(Side.OTHER, ids.other, text=False)
    here.state.other_objs[ids.other]["text"] = False
    here.edit(side, ids[side], title="Milk", text=value)

    plan = here.plan()

    assert [fields for _, _, fields in told(plan)] == [{NAME[side.opposite]: "Milk"}]  # the rest flows
    assert f"the value of {TEXT[side]!r} has no counterpart in the value map" in plan.held[0].reason


def test_a_new_record_with_an_unknown_value_is_created_without_it_and_says_so() -> None:
    here = Situation(replace(RULES, fields=(FieldRule(NAME), FieldRule(TEXT, values=DONE))))
    here.has(Side.NOTION, "n", title="Bread", text="Dreaming")
    plan = here.plan()
    assert told(plan) == [("create", "other", {"title": "Bread"})]
    assert [hold.record_id for hold in plan.held] == ["n"]


def test_unset_crosses_as_unset_where_the_map_does_not_name_it() -> None:
    assert crossing(values=DONE).to(Side.OTHER, None) is None
    assert crossing(None, TICK, values=DONE).to(Side.NOTION, None) == "Waiting"  # an untouched checkbox


# --- one-way fields ---


@pytest.mark.parametrize("to", list(Side))
def test_a_one_way_field_crosses_its_way_and_never_back(to: Side) -> None:
    here = one_way(to)
    ids = here.linked(title="Bread", text="two")
    here.edit(to.opposite, ids[to.opposite], text="three")
    assert told(here.plan()) == [("update", to, {TEXT[to]: "three"})]

    back = one_way(to)
    ids = back.linked(title="Bread", text="two")
    back.edit(to, ids[to], text="three")
    assert actions(back.plan()) == ["advance"]


@pytest.mark.parametrize("to", list(Side))
@pytest.mark.parametrize("mode", list(ConflictMode))
def test_r2_a_one_way_field_edited_on_both_sides_goes_its_way_and_names_the_loser(
    to: Side, mode: ConflictMode
) -> None:
    here = one_way(to, mode)
    ids = here.linked(title="Bread", text="two")
    here.edit(to, ids[to], text="lost")
    here.edit(to.opposite, ids[to.opposite], text="three")

    plan = here.plan()

    assert told(plan) == [("update", to, {TEXT[to]: "three"})]
    assert [(c.winner, c.values[to]) for c in plan.conflicts] == [(to.opposite, "lost")]


@pytest.mark.parametrize("to", list(Side))
def test_r2_a_copy_does_not_empty_the_one_way_field_that_it_was_made_without(to: Side) -> None:
    here = one_way(to)
    here.has(to, "x", title="Bread", text="mine")

    (create,) = here.plan().operations

    assert TEXT[to.opposite] not in create.fields
    assert create.bases[to.opposite] == {TEXT[to.opposite]: None}


@pytest.mark.parametrize("to", list(Side))
def test_a_match_leaves_a_one_way_field_alone_that_its_source_has_not_filled(to: Side) -> None:
    here = one_way(to)
    here.has(to, "x", title="Bread", text="mine")
    here.has(to.opposite, "y", title="Bread")
    plan = here.plan()
    assert (actions(plan), plan.conflicts) == (["link"], ())


def one_way(to: Side, mode: ConflictMode = ConflictMode.OTHER) -> Situation:
    way = Direction.TO_NOTION if to is Side.NOTION else Direction.TO_OTHER
    fields = (FieldRule(NAME), FieldRule(TEXT, direction=way))
    return Situation(replace(RULES, fields=fields, mode=mode))
