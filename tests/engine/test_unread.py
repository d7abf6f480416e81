"""Fields of single records that a side does not let us read now: they wait, and the others cross."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_workers.engine.rules import AmbiguousPolicy, DeletePolicy, Direction, FieldRule, Rules
from sync_workers.engine.unread import without_keyless
from sync_workers.model import Action, ConflictMode, Pair, Side
from sync_workers.record import Record
from sync_workers.runs.codec import from_bytes, to_bytes
from tests.engine.build import NAME, RULES, TEXT, Situation, actions, only, told

WHY = "names someone whose e-mail address Notion does not show"
SIDES = pytest.mark.parametrize("side", list(Side))
MODES = [ConflictMode.NEWER, ConflictMode.NOTION, ConflictMode.OTHER, ConflictMode.ERROR]


def hide(situation: Situation, side: Side, record_id: str, attrs: Pair[str] = TEXT) -> None:
    """From now on the text of this one record cannot be read."""
    record = situation.records[side][record_id]
    fields = {attr: value for attr, value in record.fields.items() if attr != attrs[side]}
    about = replace(record.about, unread={attrs[side]: WHY})
    situation.records[side][record_id] = replace(record, fields=fields, about=about)


@SIDES
def test_a_field_that_cannot_be_read_is_neither_edited_nor_empty(side: Side) -> None:
    # given
    situation = Situation()
    ids = situation.linked(title="Bread", text="old")
    hide(situation, side, ids[side])
    # when
    plan = situation.plan()
    # then
    assert not plan.operations
    (hold,) = plan.held
    assert (hold.side, hold.record_id, hold.asks) == (side, ids[side], True)
    assert hold.reason == f"the value of {TEXT[side]!r} {WHY}"


@SIDES
def test_it_is_told_also_when_nobody_ever_read_it(side: Side) -> None:
    situation = Situation()
    ids = situation.linked(title="Bread", text="old")
    hide(situation, side, ids[side])
    situation.state.bases(side)[ids[side]].pop(TEXT[side])
    plan = situation.plan()
    assert (plan.operations, len(plan.held)) == ((), 1)


@pytest.mark.parametrize("mode", MODES)
@SIDES
def test_the_other_fields_cross_both_ways_and_its_bases_stay(side: Side, mode: ConflictMode) -> None:
    # given
    situation = Situation(replace(RULES, mode=mode))
    ids, another = (situation.linked(number, title="Bread", text="old") for number in (1, 2))
    situation.edit(side, ids[side], title="Milk")
    situation.edit(side.opposite, another[side.opposite], title="Eggs", text="new")
    for record_id in (ids[side], another[side]):
        hide(situation, side, record_id)
    # when
    plan = situation.plan()
    # then
    assert told(plan) == [
        ("update", str(side.opposite), {NAME[side.opposite]: "Milk"}),
        ("update", str(side), {NAME[side]: "Eggs"}),
    ]
    assert all(TEXT[one] not in operation.bases[one] for operation in plan for one in Side)
    assert not plan.conflicts


@SIDES
def test_it_crosses_as_soon_as_it_is_read_again(side: Side) -> None:
    situation = Situation()
    ids = situation.linked(title="Bread", text="old")
    situation.edit(side, ids[side], text="new")
    shown = situation.records[side][ids[side]]
    hide(situation, side, ids[side])
    assert not situation.plan().operations
    situation.records[side][ids[side]] = shown
    assert told(situation.plan()) == [("update", str(side.opposite), {TEXT[side.opposite]: "new"})]


@SIDES
def test_a_copy_is_made_without_it_and_gets_it_later(side: Side) -> None:
    # given
    situation = Situation()
    record = situation.has(side, "new", title="Bread", text="secret")
    hide(situation, side, "new")
    # when
    operation = only(situation.plan())
    # then
    target = side.opposite
    assert (operation.action, dict(operation.fields)) == (Action.CREATE, {NAME[target]: "Bread"})
    assert operation.unsent == (TEXT[target],)
    assert TEXT[side] not in operation.bases[side]
    # when it was made, and the field can be read
    situation.has(target, "made", title="Bread")
    situation.records[side]["new"] = record
    bases = Pair.of(target, {NAME[target]: "Bread", TEXT[target]: None}, dict(operation.bases[side]))
    ids = Pair.of(target, "made", "new")
    situation.state.link(ids.notion, ids.other, bases.notion, bases.other)
    # then
    assert told(situation.plan()) == [("update", str(target), {TEXT[target]: "secret"})]


@SIDES
def test_a_match_by_key_links_and_leaves_it_alone(side: Side) -> None:
    situation = Situation()
    for one in Side:
        situation.has(one, f"{one}-1", title="Bread", text=f"of {one}")
    hide(situation, side, f"{side}-1")
    plan = situation.plan()
    assert Action.UPDATE not in actions(plan)
    assert all(TEXT[one] not in operation.bases[one] for operation in plan for one in Side)


@pytest.mark.parametrize("policy", list(AmbiguousPolicy))
@SIDES
def test_of_several_with_one_key_it_is_equal_to_none_and_never_copied(
    side: Side, policy: AmbiguousPolicy
) -> None:
    situation = Situation(replace(RULES, ambiguous=policy))
    situation.has(side, "one", title="Bread")
    for record_id in ("two", "three"):
        situation.has(side.opposite, record_id, title="Bread")
    hide(situation, side, "one")
    plan = situation.plan()
    assert not plan.operations
    assert len(plan.ambiguous) == 1


@pytest.mark.parametrize("policy", [DeletePolicy.PROPAGATE, DeletePolicy.ARCHIVE])
@SIDES
def test_its_record_is_not_deleted_since_it_may_have_been_edited(side: Side, policy: DeletePolicy) -> None:
    situation = Situation(replace(RULES, delete=Pair(policy, policy)))
    ids = situation.linked(title="Bread", text="old")
    situation.remove(side.opposite, ids[side.opposite])
    hide(situation, side, ids[side])
    plan = situation.plan()
    assert not plan.operations
    (hold,) = plan.held
    assert "may have been edited" in hold.reason


@SIDES
def test_another_edit_still_wins_over_a_deletion(side: Side) -> None:
    situation = Situation()
    ids = situation.linked(title="Bread", text="old")
    situation.remove(side.opposite, ids[side.opposite])
    situation.edit(side, ids[side], title="Milk")
    hide(situation, side, ids[side])
    operation = only(situation.plan())
    assert (operation.action, dict(operation.fields)) == (Action.CREATE, {NAME[side.opposite]: "Milk"})


@SIDES
def test_a_decision_about_it_waits_and_the_note_stays(side: Side) -> None:
    # given
    situation = Situation(replace(RULES, mode=ConflictMode.ERROR), notes=Pair(notion=True, other=True))
    ids = situation.linked(title="Bread", text="old")
    for one in Side:
        situation.edit(one, ids[one], text=f"of {one}")
    situation.held(ids)
    situation.decide(ids, TEXT.notion, use=side)
    situation.note(side, ids[side], "notion")
    # when
    hide(situation, side, ids[side])
    plan = situation.plan()
    # then
    assert not plan.operations
    assert plan.unread == ((ids.notion, TEXT.notion),)


@SIDES
def test_a_record_whose_key_cannot_be_read_counts_as_unreadable(side: Side) -> None:
    situation = Situation()
    situation.has(side, "one", title="Bread")
    situation.has(side, "two", title="Milk")
    hide(situation, side, "one", NAME)
    hide(situation, side, "two")
    listing = without_keyless(situation.snapshot[side], side, RULES)
    assert set(listing.records) == {"two"}
    (failure,) = listing.failures
    assert (failure.side, failure.record_id, failure.reason) == (
        side,
        "one",
        f"property {NAME[side]!r} {WHY}",
    )


@SIDES
def test_a_field_that_never_crosses_from_there_hides_no_edit(side: Side) -> None:
    to_it = Direction.TO_NOTION if side is Side.NOTION else Direction.TO_OTHER
    situation = Situation(Rules((FieldRule(NAME), FieldRule(TEXT, direction=to_it)), key=("Name",)))
    ids = situation.linked(title="Bread", text="old")
    situation.remove(side.opposite, ids[side.opposite])
    hide(situation, side, ids[side])
    assert actions(situation.plan()) == ["delete"]


def test_the_reason_goes_from_phase_to_phase() -> None:
    situation = Situation()
    ids = situation.linked(title="Bread", text="old")
    hide(situation, Side.NOTION, ids.notion)
    record = situation.records.notion[ids.notion]
    assert from_bytes(to_bytes(record), Record).about == record.about
