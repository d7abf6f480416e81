"""The loop detector: what is a turn, and what becomes of a field that made too many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync_workers.engine.loops import LONGEST, is_loop, walked
from sync_workers.engine.rules import Direction, FieldRule
from sync_workers.model import ConflictMode, Pair, Side
from sync_workers.remarks import Trail
from tests.engine.build import NAME, RULES, TEXT, Situation, told

BOTH = pytest.mark.parametrize("side", list(Side))


def trail_of(*writes: tuple[Side, Any]) -> Trail:
    trail = None
    for side, value in writes:
        trail = walked(trail, side, [value])
    assert trail is not None
    return trail


@BOTH
def test_new_values_in_one_direction_are_no_turns(side: Side) -> None:
    assert trail_of(*((side, number) for number in range(50))).turns == 0


@BOTH
def test_each_write_against_the_one_before_is_a_turn(side: Side) -> None:
    writes = [(side if number % 2 else side.opposite, number) for number in range(6)]
    assert trail_of(*writes).turns == 5


@BOTH
def test_each_value_that_was_there_before_is_a_turn(side: Side) -> None:
    assert trail_of(*((side, number % 2) for number in range(6))).turns == 4
    assert trail_of(*((side, number % 3) for number in range(6))).turns == 3


def test_values_that_a_person_would_call_equal_are_one() -> None:
    assert trail_of((Side.NOTION, 1), (Side.NOTION, 1.0)).turns == 1
    assert trail_of((Side.NOTION, "a\r\nb"), (Side.NOTION, "a\nb")).turns == 1
    assert trail_of((Side.NOTION, None), (Side.NOTION, "")).turns == 1


def test_a_trail_does_not_grow_for_ever() -> None:
    assert len(trail_of(*((Side.NOTION, number) for number in range(100))).written) == LONGEST


def test_a_trail_keeps_no_values() -> None:
    assert "secret" not in trail_of((Side.NOTION, "secret")).model_dump_json()


@pytest.mark.parametrize(
    ("limit", "turns", "said"), [(3, 3, False), (3, 4, True), (0, 99, False), (1, 2, True)]
)
def test_more_turns_than_the_limit_are_a_loop(limit: int, turns: int, said: bool) -> None:
    assert is_loop(replace(RULES, loop_limit=limit), Trail(last=Side.NOTION, turns=turns)) is said


# --- what becomes of the field ---


def turning(turns: int = 11) -> tuple[Situation, Pair[str]]:
    here = Situation()
    ids = here.linked(title="Bread", text="two")
    here.state.trails[ids.notion] = {"Text": Trail(last=Side.OTHER, turns=turns)}
    return here, ids


@BOTH
def test_a_field_in_a_loop_is_written_no_more(side: Side) -> None:
    here, ids = turning()
    here.edit(side, ids[side], title="Rye", text="three")

    plan = here.plan()

    assert told(plan) == [("update", side.opposite, {NAME[side.opposite]: "Rye"})]
    (conflict,) = plan.conflicts
    assert (conflict.attrs, conflict.values) == (TEXT, Pair.of(side, "three", "two"))
    assert conflict.held
    assert conflict.frozen


@pytest.mark.parametrize("mode", list(ConflictMode))
def test_nor_is_a_conflict_in_it_decided_by_a_mode(mode: ConflictMode) -> None:
    here, ids = turning()
    here.rules = replace(RULES, mode=mode)
    for side in Side:
        here.edit(side, ids[side], text=f"{side} text")
    assert here.plan().operations == ()
    assert [c.frozen for c in here.plan().conflicts] == [True]


def test_nor_by_the_task_itself() -> None:
    here, ids = turning()
    here.rules = replace(RULES, task_resolves=True)
    for side in Side:
        here.edit(side, ids[side], text=f"{side} text")
    assert here.plan().operations == ()


def test_a_field_that_turned_less_often_is_written() -> None:
    here, ids = turning(10)
    here.edit(Side.NOTION, ids.notion, text="three")
    assert told(here.plan()) == [("update", "other", {"text": "three"})]


def test_without_a_limit_nothing_is_frozen() -> None:
    here, ids = turning(1000)
    here.rules = replace(RULES, loop_limit=0)
    here.edit(Side.NOTION, ids.notion, text="three")
    assert told(here.plan()) == [("update", "other", {"text": "three"})]


def test_both_sides_agreeing_ends_it() -> None:
    here, ids = turning()
    for one in Side:
        here.edit(one, ids[one], text="three")
    assert [op.action for op in here.plan()] == ["advance"]
    assert here.plan().conflicts == ()


@BOTH
def test_a_person_ends_it(side: Side) -> None:
    here, ids = turning()
    here.edit(Side.NOTION, ids.notion, text="three")
    here.held(ids)
    here.decide(ids, "Text", use=side)

    plan = here.plan()

    values = Pair("three", "two")
    assert told(plan) == [("update", side.opposite, {TEXT[side.opposite]: values[side]})]
    assert [(c.winner, c.frozen) for c in plan.conflicts] == [(side, False)]


@BOTH
def test_a_field_that_crosses_one_way_is_no_loop(side: Side) -> None:
    """Nothing of it comes back: it may swing as it likes."""
    here, ids = turning()
    way = Direction.TO_OTHER if side is Side.OTHER else Direction.TO_NOTION
    here.rules = replace(RULES, fields=(FieldRule(NAME), FieldRule(TEXT, direction=way)))
    here.edit(side.opposite, ids[side.opposite], text="three")
    assert told(here.plan()) == [("update", side, {TEXT[side]: "three"})]
