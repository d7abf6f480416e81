"""What a person decided about a held field, and where the losing values go."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_workers.engine.rules import Direction, FieldRule
from sync_workers.model import About, Action, Conflict, ConflictMode, Operation, Pair, Plan, Side
from tests.engine.build import NAME, RULES, START, TEXT, Situation, told

BOTH = pytest.mark.parametrize("side", list(Side))
HOLDS = replace(RULES, mode=ConflictMode.ERROR)


def waiting() -> tuple[Situation, Pair[str]]:
    """A record whose text waits for a person."""
    here = Situation(HOLDS)
    ids = here.linked(title="Bread", text="two")
    here.edit(Side.NOTION, ids.notion, text="three", at=5)
    here.edit(Side.OTHER, ids.other, text="four", at=9)
    here.held(ids)
    return here, ids


def only_conflict(plan: Plan) -> Conflict:
    (conflict,) = plan.conflicts
    return conflict


def carried(here: Situation, plan: Plan) -> None:
    """Make the plan's updates come true, as `apply` does."""
    for operation in plan:
        side, ids = operation.side, operation.ids
        record = operation.records[side]
        assert record is not None
        assert ids.notion is not None
        assert ids.other is not None
        now = here.records[side][record.id]
        here.records[side][record.id] = replace(now, fields={**now.fields, **operation.fields})
        moved = Pair.of(side, {**operation.bases[side], **operation.fields}, operation.bases[side.opposite])
        here.state.objs[ids.notion] |= moved.notion
        here.state.other_objs[ids.other] |= moved.other


@BOTH
def test_the_chosen_side_is_written_to_the_other_one(side: Side) -> None:
    here, ids = waiting()
    here.decide(ids, "Text", use=side)

    plan = here.plan()

    values = Pair("three", "four")
    assert told(plan) == [("update", side.opposite, {TEXT[side.opposite]: values[side]})]
    conflict = only_conflict(plan)
    assert (conflict.winner, conflict.by_person, conflict.held) == (side, True, False)
    carried(here, plan)
    assert here.plan() == Plan(links=1)


def test_a_third_value_is_written_to_both_sides() -> None:
    here, ids = waiting()
    here.decide(ids, "Text", value="five")

    plan = here.plan()

    assert told(plan) == [("update", "notion", {"Text": "five"}), ("update", "other", {"text": "five"})]
    assert only_conflict(plan).merged
    carried(here, plan)
    assert here.plan() == Plan(links=1)


@BOTH
def test_a_value_that_one_side_has_already_is_written_to_the_other_one(side: Side) -> None:
    here, ids = waiting()
    here.decide(ids, "Text", value=Pair("three", "four")[side])

    plan = here.plan()

    assert [op.side for op in plan] == [side.opposite]
    carried(here, plan)
    assert here.plan() == Plan(links=1)


@BOTH
def test_a_third_value_that_reached_one_side_only_reaches_the_other_one_next_time(side: Side) -> None:
    here, ids = waiting()
    here.decide(ids, "Text", value="five")
    first = here.plan()
    # When: the run dies between the two writes.
    carried(here, replace(first, operations=tuple(op for op in first if op.side is side)))

    plan = here.plan()

    assert told(plan) == [("update", side.opposite, {TEXT[side.opposite]: "five"})]
    carried(here, plan)
    assert here.plan() == Plan(links=1)


@BOTH
@pytest.mark.parametrize("value", [None, "five"])
def test_a_decision_about_other_values_than_those_that_are_there_is_void(
    side: Side, value: str | None
) -> None:
    here, ids = waiting()
    here.decide(ids, "Text", use=None if value else side, value=value)
    here.edit(side.opposite, ids[side.opposite], text="edited since")

    plan = here.plan()

    assert plan.operations == ()
    conflict = only_conflict(plan)
    assert conflict.held
    assert not conflict.by_person


@BOTH
def test_a_decision_about_a_field_that_is_in_conflict_no_more_is_void(side: Side) -> None:
    here, ids = waiting()
    here.decide(ids, "Text", use=side)
    here.edit(side.opposite, ids[side.opposite], text="two")

    assert told(here.plan()) == [
        ("update", side.opposite, {TEXT[side.opposite]: Pair("three", "four")[side]})
    ]
    assert here.plan().conflicts == ()


def test_a_decision_is_about_its_own_field() -> None:
    here, ids = waiting()
    here.edit(Side.NOTION, ids.notion, title="Rye")
    here.edit(Side.OTHER, ids.other, title="Wheat")
    here.held(ids)
    here.decide(ids, "Text", use=Side.NOTION)

    plan = here.plan()

    assert told(plan) == [("update", "other", {"text": "three"})]
    assert [(c.attrs, c.held) for c in plan.conflicts] == [(NAME, True), (TEXT, False)]


def test_a_value_that_has_no_counterpart_leaves_the_field_held_and_says_so() -> None:
    here, ids = waiting()
    mapped = FieldRule(TEXT, values=(Pair("three", "four"), Pair("two", "two"), Pair("one", "one")))
    here.rules = replace(HOLDS, fields=(FieldRule(NAME), mapped))
    here.edit(Side.OTHER, ids.other, text="one")
    here.held(ids)
    here.decide(ids, "Text", value="nine")

    plan = here.plan()

    assert plan.operations == ()
    conflict = only_conflict(plan)
    assert (conflict.held, conflict.by_person) == (True, True)
    assert "has no counterpart in the value map" in plan.held[0].reason
    # Nor is the task asked instead.
    here.rules = replace(here.rules, task_resolves=True)
    assert here.plan().operations == ()


@BOTH
def test_a_field_that_crosses_one_way_by_now_takes_no_decision(side: Side) -> None:
    """The decision may ask to write against the direction."""
    here, ids = waiting()
    here.decide(ids, "Text", use=side)
    way = Direction.TO_OTHER if side is Side.OTHER else Direction.TO_NOTION
    here.rules = replace(HOLDS, fields=(FieldRule(NAME), FieldRule(TEXT, direction=way)))

    assert [op.side for op in here.plan()] == [side]


def test_the_task_is_not_asked_where_a_person_decided() -> None:
    here, ids = waiting()
    here.rules = replace(HOLDS, task_resolves=True)
    here.edit(Side.NOTION, ids.notion, title="Rye")
    here.edit(Side.OTHER, ids.other, title="Wheat")
    here.decide(ids, "Text", use=Side.OTHER)

    (operation,) = here.plan().operations

    assert operation.action is Action.RESOLVE
    assert [c.attrs for c in operation.conflicts if c.held] == [NAME]
    assert [c.attrs for c in operation.conflicts if not c.held] == [TEXT]
    assert operation.resolve_fields == Pair({"Text": "four"}, {})
    assert operation.bases == Pair({}, {"text": "four"})


def test_only_what_a_person_decided_is_a_plain_update_for_a_task_that_resolves_itself() -> None:
    here, ids = waiting()
    here.rules = replace(HOLDS, task_resolves=True)
    here.decide(ids, "Text", use=Side.OTHER)

    assert told(here.plan()) == [("update", "notion", {"Text": "four"})]


# --- where the losing values go ---


def overwriting(plan: Plan) -> Operation:
    (operation,) = plan.operations
    return operation


@pytest.mark.parametrize("mode", [ConflictMode.NOTION, ConflictMode.OTHER, ConflictMode.NEWER])
def test_the_update_that_overwrites_a_value_carries_the_conflict_that_it_lost(mode: ConflictMode) -> None:
    here, _ = waiting()
    here.rules = replace(RULES, mode=mode)

    plan = here.plan()

    assert overwriting(plan).conflicts == plan.conflicts
    winner = Side.NOTION if mode is ConflictMode.NOTION else Side.OTHER
    assert [(c.values, c.winner) for c in plan.conflicts] == [(Pair("three", "four"), winner)]


def test_so_does_one_whose_order_was_a_tie() -> None:
    here, ids = waiting()
    here.rules = RULES
    here.edit(Side.NOTION, ids.notion, at=9)

    plan = here.plan()

    assert overwriting(plan).conflicts == plan.conflicts
    assert only_conflict(plan).tie


@BOTH
def test_so_does_one_that_takes_an_edit_from_the_receiving_end(side: Side) -> None:
    here, _ = waiting()
    way = Direction.TO_OTHER if side is Side.OTHER else Direction.TO_NOTION
    here.rules = replace(RULES, fields=(FieldRule(NAME), FieldRule(TEXT, direction=way)))

    plan = here.plan()

    assert overwriting(plan).side is side
    assert [(c.winner, c.values) for c in overwriting(plan).conflicts] == [
        (side.opposite, Pair("three", "four"))
    ]


def test_each_of_two_updates_carries_what_it_overwrites_itself() -> None:
    here, ids = waiting()
    modes = FieldRule(NAME, mode=ConflictMode.NOTION), FieldRule(TEXT, mode=ConflictMode.OTHER)
    here.rules = replace(RULES, fields=modes)
    here.edit(Side.NOTION, ids.notion, title="Rye")
    here.edit(Side.OTHER, ids.other, title="Wheat")

    carried_by = {op.side: [c.attrs for c in op.conflicts] for op in here.plan()}

    assert carried_by == {Side.NOTION: [TEXT], Side.OTHER: [NAME]}


@BOTH
def test_a_third_value_overwrites_both(side: Side) -> None:
    here, ids = waiting()
    here.decide(ids, "Text", value="five")

    (update,) = [op for op in here.plan() if op.side is side]

    assert [c.values for c in update.conflicts] == [Pair("three", "four")]


def test_an_update_without_a_conflict_carries_none() -> None:
    here = Situation(HOLDS)
    ids = here.linked(title="Bread", text="two")
    here.edit(Side.NOTION, ids.notion, title="Rye", text="three")
    here.edit(Side.OTHER, ids.other, text="four")

    assert overwriting(here.plan()).conflicts == ()  # the held one is not settled by it


def test_a_conflict_says_when_each_side_changed_and_who_did_it() -> None:
    here, ids = waiting()
    record = here.records.notion[ids.notion]
    here.records.notion[ids.notion] = replace(record, about=About(author="ada"))

    conflict = only_conflict(here.plan())

    assert conflict.changed == Pair(START + timedelta(seconds=5), START + timedelta(seconds=9))
    assert conflict.authors == Pair("ada", None)
