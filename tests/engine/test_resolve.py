"""Who wins a conflict."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_workers.engine.resolve import newer_side, verdict
from sync_workers.engine.rules import FieldRule
from sync_workers.model import ConflictMode, Pair, Record, Side
from tests.engine.build import NAME, RULES, START, TEXT, Situation, told

MINUTE = timedelta(minutes=1)
EXACT = Pair(timedelta(0), timedelta(0))


def records(notion: float | None, other: float | None) -> Pair[Record]:
    """Two records that changed so many seconds after the start; None: nobody knows when."""
    times = Pair(notion, other)
    at = Pair.each(lambda side: None if (t := times[side]) is None else START + timedelta(seconds=t))
    return Pair.each(lambda side: Record(side, {}, at[side]))


def conflicting(
    mode: ConflictMode, *, at: Pair[float] = Pair(0, 0), steps: Pair[timedelta] = EXACT
) -> Situation:
    here = Situation(replace(RULES, mode=mode, clock_steps=steps))
    ids = here.linked(title="Bread", text="two")
    for side in Side:
        here.edit(side, ids[side], title=f"{side} title", text=f"{side} text", at=at[side])
    return here


@pytest.mark.parametrize(
    ("mode", "winner"),
    [(ConflictMode.NOTION, Side.NOTION), (ConflictMode.OTHER, Side.OTHER), (ConflictMode.ERROR, None)],
)
def test_the_mode_names_the_winner(mode: ConflictMode, winner: Side | None) -> None:
    assert verdict(mode, records(5, 9), RULES).winner is winner
    assert verdict(mode, records(9, 5), RULES).winner is winner


@pytest.mark.parametrize("side", list(Side))
def test_newer_takes_all_conflicts_of_a_record_from_the_side_that_changed_last(side: Side) -> None:
    """One decision per record: its fields are never mixed."""
    plan = conflicting(ConflictMode.NEWER, at=Pair.of(side, 9.0, 5.0)).plan()
    values = {attrs[side.opposite]: f"{side} {attrs.other}" for attrs in (NAME, TEXT)}
    assert told(plan) == [("update", side.opposite, values)]
    assert {conflict.winner for conflict in plan.conflicts} == {side}
    assert not any(conflict.tie for conflict in plan.conflicts)


def test_a_field_may_have_a_mode_of_its_own() -> None:
    here = conflicting(ConflictMode.OTHER)
    here.rules = replace(
        here.rules,
        fields=(FieldRule(NAME, mode=ConflictMode.NOTION), FieldRule(TEXT, mode=ConflictMode.ERROR)),
    )
    plan = here.plan()
    assert told(plan) == [("update", "other", {"title": "notion title"})]
    assert [conflict.winner for conflict in plan.conflicts] == [Side.NOTION, None]


@pytest.mark.parametrize(
    ("notion", "other", "steps", "newer"),
    [
        # exact clocks
        (5, 9, EXACT, Side.OTHER),
        (9, 5, EXACT, Side.NOTION),
        (5, 5, EXACT, None),
        # Notion shows 12:00 for all of that minute: it may be before or after the other's 12:00:30
        (0, 30, Pair(MINUTE, timedelta(0)), None),
        (0, 59.9, Pair(MINUTE, timedelta(0)), None),
        (0, 60, Pair(MINUTE, timedelta(0)), Side.OTHER),
        (60, 30, Pair(MINUTE, timedelta(0)), Side.NOTION),
        (0, 0, Pair(MINUTE, timedelta(0)), None),
        # both coarse: 12:01 begins when 12:00 is over
        (0, 60, Pair(MINUTE, MINUTE), Side.OTHER),
        (60, 0, Pair(MINUTE, MINUTE), Side.NOTION),
        (0, 0, Pair(MINUTE, MINUTE), None),
        # nobody knows
        (None, 5, EXACT, None),
        (5, None, EXACT, None),
        (None, None, EXACT, None),
    ],
)
def test_a_time_says_only_that_the_change_was_within_its_clock_step(
    notion: float | None, other: float | None, steps: Pair[timedelta], newer: Side | None
) -> None:
    assert newer_side(records(notion, other), steps) is newer
    swapped = newer_side(records(other, notion), Pair(steps.other, steps.notion))
    assert swapped is (newer.opposite if newer is not None else None)


@pytest.mark.parametrize("tie", list(Side))
def test_a_tie_goes_by_the_tasks_rule_and_is_reported(tie: Side) -> None:
    here = conflicting(ConflictMode.NEWER)
    here.rules = replace(here.rules, tie=tie)
    assert {(c.winner, c.tie) for c in here.plan().conflicts} == {(tie, True)}


@pytest.mark.parametrize(
    ("notion", "other", "steps", "winner"),
    [
        (0, 30, Pair(MINUTE, timedelta(0)), None),
        (0, 59.999999, Pair(MINUTE, timedelta(0)), None),
        (0, 60, Pair(MINUTE, timedelta(0)), Side.OTHER),
        (60, 59.999999, Pair(MINUTE, timedelta(0)), Side.NOTION),
        (60, 60, Pair(MINUTE, timedelta(0)), None),
        (60, 0, Pair(MINUTE, MINUTE), Side.NOTION),
        (59, 0, Pair(MINUTE, MINUTE), None),
        (5, 5, EXACT, None),
        (5, 5.000001, EXACT, Side.OTHER),
    ],
)
def test_a_plan_names_a_tie_just_where_the_clocks_cannot_tell(
    notion: float, other: float, steps: Pair[timedelta], winner: Side | None
) -> None:
    for tie in Side:
        here = conflicting(ConflictMode.NEWER, at=Pair(notion, other), steps=steps)
        here.rules = replace(here.rules, tie=tie)
        assert {(c.winner, c.tie) for c in here.plan().conflicts} == {(winner or tie, winner is None)}


def test_only_newer_can_tie() -> None:
    assert not any(conflict.tie for conflict in conflicting(ConflictMode.OTHER).plan().conflicts)


def test_a_task_that_resolves_itself_gets_the_conflicts_and_the_undisputed_fields_in_one_operation() -> None:
    here = Situation(replace(RULES, task_resolves=True))
    ids = here.linked(title="Bread", text="two")
    here.edit(Side.NOTION, ids.notion, title="Milk", text="three")
    here.edit(Side.OTHER, ids.other, title="Wine")

    (operation,) = here.plan().operations

    assert operation.action == "resolve"
    assert [conflict.values for conflict in operation.conflicts] == [Pair("Milk", "Wine")]
    assert operation.resolve_fields == Pair({}, {"text": "three"})
