"""Fields that a side does not let us read now, through whole runs: they wait, and the others flow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_workers.model import ID, Action, ConflictMode, Fields, Pair, Record, Side
from sync_workers.remarks import Decision
from sync_workers.report import Outcome
from sync_workers.runs.get import get
from sync_workers.runs.undo import Found, undo
from sync_workers.runs.verify import What, verify
from tests.runs.here import RULES, Guarded, Here
from tests.runs.test_crashes import crashed, finished

BOTH = pytest.mark.parametrize("side", list(Side))
TEXT = {Side.NOTION: "Text", Side.OTHER: "text"}
NAME = {Side.NOTION: "Name", Side.OTHER: "title"}


def hide(here: Here, side: Side, record_id: ID, attr: str = "", *, hidden: bool = True) -> None:
    """From now on, or no more, the text of this record cannot be read."""
    container = here.world.containers[side]
    record = container.records[record_id]
    unread = {attr or TEXT[side]: "is hidden"} if hidden else {}
    container.put(replace(record, about=replace(record.about, unread=unread)))


@BOTH
def test_it_is_held_and_neither_written_nor_cleared_while_the_others_cross(side: Side) -> None:
    # given
    here = Here()
    ids = here.linked()
    hide(here, side, ids[side])
    here.edit(side, ids[side], title="Milk")
    here.edit(side.opposite, ids[side.opposite], text="three", note="new")
    # when
    report = here.run()
    # then
    assert report.outcome is Outcome.DECISION
    (hold,) = report.asking
    assert hold.reason == f"the value of {TEXT[side]!r} is hidden"
    assert here.fields(side.opposite, ids[side.opposite])[NAME[side.opposite]] == "Milk"
    shown = here.fields(side, ids[side])
    assert (shown[TEXT[side]], shown["Note" if side is Side.NOTION else "note"]) == ("two", "new")
    assert here.is_quiet()
    # when it can be read again
    hide(here, side, ids[side], hidden=False)
    here.run()
    # then what was edited meanwhile crosses
    assert here.fields(side, ids[side])[TEXT[side]] == "three"
    assert here.is_quiet()


@BOTH
def test_a_new_record_is_copied_without_it_and_gets_it_later(side: Side) -> None:
    here = Here()
    made = here.add(side, title="Bread", text="two")
    hide(here, side, made)
    here.run()
    (copy,) = here.world.containers[side.opposite].records.values()
    assert copy.fields.get(TEXT[side.opposite]) is None
    assert here.is_quiet()

    hide(here, side, made, hidden=False)
    here.run()

    assert here.fields(side.opposite, copy.id)[TEXT[side.opposite]] == "two"
    assert here.is_quiet()


@BOTH
def test_a_record_whose_key_is_hidden_is_left_alone_as_one_that_cannot_be_read(side: Side) -> None:
    here = Here()
    made = here.add(side, title="Bread")
    ids = here.linked("Milk")
    here.remove(side.opposite, ids[side.opposite])
    for record_id in (made, ids[side]):
        hide(here, side, record_id, NAME[side])
    here.open()
    before = len(here.world.containers[side].records)

    report = here.run()

    assert not any(
        op.action in {Action.CREATE, Action.DELETE} and op.source_id == ids[side] for op in here.plan
    )
    assert {made, ids[side]} <= {failure.record_id for failure in report.failures}
    assert len(here.world.containers[side].records) == before


class Hiding(Guarded):
    """Hides the text of each record that it writes."""

    def __init__(self, here: Here, side: Side) -> None:
        super().__init__(here.services[side])
        self.here, self.side = here, side

    def create(self, fields: Fields, idempotency: str) -> Record:
        made = super().create(fields, idempotency)
        hide(self.here, self.side, made.id)
        return self._show(self.container.records[made.id])

    def update(self, record: Record, fields: Fields) -> Record:
        super().update(record, fields)
        hide(self.here, self.side, record.id)
        return self._show(self.container.records[record.id])


@BOTH
def test_what_a_write_does_not_show_any_more_is_what_was_sent(side: Side) -> None:
    here = Here()
    ids = here.linked()
    here.edit(side.opposite, ids[side.opposite], text="three")
    services = {side: Hiding(here, side), side.opposite: here.services[side.opposite]}
    here.world.run(through=Pair(services[Side.NOTION], services[Side.OTHER]))
    assert here.state.bases(side)[ids[side]][TEXT[side]] == "three"
    hide(here, side, ids[side], hidden=False)
    assert here.is_quiet()


@BOTH
def test_what_a_new_record_holds_unseen_is_not_taken_for_empty(side: Side) -> None:
    here = Here()
    made = here.add(side.opposite, title="Bread", text="two")
    hide(here, side.opposite, made)
    services = {side: Hiding(here, side), side.opposite: here.services[side.opposite]}
    here.world.run(through=Pair(services[Side.NOTION], services[Side.OTHER]))
    (copy,) = here.world.containers[side].records
    assert TEXT[side] not in here.state.bases(side)[copy]


@BOTH
def test_a_decision_about_it_waits_until_it_can_be_read(side: Side) -> None:
    # given
    here = Here(replace(RULES, mode=ConflictMode.ERROR))
    ids = here.linked()
    for one in Side:
        here.edit(one, ids[one], text=f"of {one}")
    here.run()
    held = here.state.held[ids.notion]["Text"]
    decision = Decision(use=side, value=None, seen=held.values, at=here.world.now)
    here.state.decisions[ids.notion] = {"Text": decision}
    hide(here, side, ids[side])
    here.open()
    # when
    here.run()
    # then
    assert here.state.decisions[ids.notion]["Text"] == decision
    assert here.state.held[ids.notion]["Text"] == held
    # when it can be read
    hide(here, side, ids[side], hidden=False)
    here.open()
    here.run()
    # then it is carried out
    assert here.fields(side.opposite, ids[side.opposite])[TEXT[side.opposite]] == f"of {side}"
    assert here.is_quiet()


@BOTH
def test_a_run_that_dies_anywhere_leaves_nothing_of_it_behind(side: Side) -> None:
    here = Here()
    ids = here.linked()
    hide(here, side, ids[side])
    here.edit(side, ids[side], title="Milk")
    here.edit(side.opposite, ids[side.opposite], note="new")
    new = here.add(side, title="Eggs", text="brown")
    hide(here, side, new)
    start = here.world
    whole = start.copy()
    whole.run()
    whole.passed = whole.places
    assert whole.run().operations == ()
    assert whole.passed
    for place in range(1, whole.passed + 1):
        world = crashed(start, place)
        world.settle()
        for one in Side:
            assert world.contents(one) == whole.contents(one), place
        # when all can be read again
        both = (world, whole.copy())
        for each in both:
            for record in list(each.containers[side].records.values()):
                each.containers[side].put(replace(record, about=replace(record.about, unread={})))
            each.settle()
        finished(both[0], both[1])


@BOTH
def test_an_undo_does_not_write_over_what_it_cannot_read(side: Side) -> None:
    here = Here()
    ids = here.linked()
    here.edit(side.opposite, ids[side.opposite], text=None)
    here.run()
    entries = [one for one in here.world.history if one.action is Action.UPDATE][-1:]
    hide(here, side, ids[side])
    snapshot = get(here.services, RULES, here.report).snapshot
    found: Found = Pair.each(lambda one: snapshot[one].records)

    plan = undo(entries, here.state, snapshot, found, Pair({}, {}))

    assert not plan.operations
    assert "changed since" in plan.held[0].reason


@BOTH
def test_a_look_at_the_state_names_it(side: Side) -> None:
    here = Here()
    ids = here.linked()
    hide(here, side, ids[side])
    (finding,) = verify(RULES, here.state, get(here.services, RULES, here.report))
    assert (finding.what, finding.side, finding.ids) == (What.UNREAD, side, (ids[side],))
