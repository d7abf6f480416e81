"""Fields that must not be written on one record, and texts that a service keeps in a form of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.fields import Field, Kind
from sync_workers.model import Action, ConflictMode, Pair, Side
from sync_workers.record import Record
from sync_workers.runs.codec import from_bytes, to_bytes
from tests.engine.build import NAME, TEXT, Situation

MODES = [ConflictMode.NEWER, ConflictMode.NOTION, ConflictMode.OTHER, ConflictMode.ERROR]
MARKDOWN: Pair[dict[str, Field]] = Pair({"Text": Field("Text", Kind.TEXT, markdown=True)}, {})


def fix(situation: Situation, side: Side, ids: Pair[str]) -> None:
    """From now on the text of this one record is not to be written."""
    record = situation.records[side][ids[side]]
    about = replace(record.about, fixed={TEXT[side]: "it holds what cannot be written back"})
    situation.records[side][ids[side]] = replace(record, about=about)


@pytest.mark.parametrize("side", list(Side))
def test_a_field_that_must_not_be_written_waits_and_the_others_cross(side: Side) -> None:
    # given
    situation = Situation()
    ids = situation.linked(title="Bread", text="old")
    situation.edit(side.opposite, ids[side.opposite], title="Milk", text="new")
    fix(situation, side, ids)
    # when
    plan = situation.plan()
    # then
    (operation,) = plan.operations
    assert (operation.action, operation.side, dict(operation.fields)) == (
        Action.UPDATE,
        side,
        {NAME[side]: "Milk"},
    )
    assert TEXT[side.opposite] not in operation.bases[side.opposite]
    (hold,) = plan.held
    assert (hold.side, hold.record_id) == (side.opposite, ids[side.opposite])
    assert "what cannot be written back" in hold.reason


@pytest.mark.parametrize("side", list(Side))
def test_it_still_crosses_the_other_way(side: Side) -> None:
    situation = Situation()
    ids = situation.linked(title="Bread", text="old")
    situation.edit(side, ids[side], text="new")
    fix(situation, side, ids)
    (operation,) = situation.plan().operations
    assert (operation.side, dict(operation.fields)) == (side.opposite, {TEXT[side.opposite]: "new"})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("side", list(Side))
def test_a_conflict_never_writes_it(side: Side, mode: ConflictMode) -> None:
    situation = Situation(Rules((FieldRule(NAME), FieldRule(TEXT, mode=mode)), key=("Name",)))
    ids = situation.linked(title="Bread", text="old")
    for one in Side:
        situation.edit(one, ids[one], text=f"of {one}")
    fix(situation, side, ids)
    assert all(operation.side is not side for operation in situation.plan().operations)


def test_the_reason_goes_from_phase_to_phase() -> None:
    situation = Situation()
    ids = situation.linked(title="Bread", text="old")
    fix(situation, Side.NOTION, ids)
    record = situation.records.notion[ids.notion]
    assert from_bytes(to_bytes(record), Record) == record


@pytest.mark.parametrize("side", list(Side))
def test_texts_that_mean_the_same_are_no_conflict_where_a_side_keeps_markdown(side: Side) -> None:
    situation = Situation(fields=MARKDOWN)
    ids = situation.linked(title="Bread", text="old")
    situation.edit(side, ids[side], text="* one\n\n* two")
    situation.edit(side.opposite, ids[side.opposite], text="- one\n- two")
    plan = situation.plan()
    assert plan.conflicts == ()
    assert [operation.action for operation in plan.operations] == [Action.ADVANCE]
    # and where none does, they are two texts
    assert Situation(state=situation.state, records=situation.records).plan().conflicts


@pytest.mark.parametrize("text", ["- one\n- two\n\nthree", r"\- one", "- *one*"])
def test_an_edit_that_means_something_crosses(text: str) -> None:
    situation = Situation(fields=MARKDOWN)
    ids = situation.linked(title="Bread", text="- one\n- two")
    situation.edit(Side.OTHER, ids.other, text=text)
    (operation,) = situation.plan().operations
    assert dict(operation.fields) == {"Text": text}
