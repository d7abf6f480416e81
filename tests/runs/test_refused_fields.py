"""Fields that a service refuses wait alone, and the rest of their record is written (rule R8)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from sync_workers.engine.rules import Rules
from sync_workers.errors import MovedError, RejectedError
from sync_workers.model import ID, ConflictMode, Fields, Pair, Record, Side
from sync_workers.remarks import Decision
from sync_workers.report import Outcome
from sync_workers.runs.quarantine import FIRST_PAUSE, GROWTH
from sync_workers.services.base import Capabilities
from sync_workers.services.memory import FULL, MemoryService
from tests.runs.crashing import Places, StoppableService, StoppedHereError, World
from tests.runs.here import RULES, Guarded, Here, named

BOTH = pytest.mark.parametrize("side", list(Side))
BAD = "bad"
ATTR = {
    "title": {Side.NOTION: "Name", Side.OTHER: "title"},
    "text": {Side.NOTION: "Text", Side.OTHER: "text"},
}


def refused(fields: Fields) -> None:
    """As a service refuses values before it sends anything."""
    if names := tuple(name for name, value in fields.items() if value == BAD):
        msg = f"field {', '.join(names)} takes no such value"
        raise RejectedError(msg, fields=names)


class Picky(Guarded):
    """Refuses a value, whatever the field."""

    def create(self, fields: Fields, idempotency: str) -> Record:
        self._ask("create", idempotency)
        refused(fields)
        return MemoryService.create(self, fields, idempotency)

    def update(self, record: Record, fields: Fields) -> Record:
        self._ask("update", record.id)
        refused(fields)
        return MemoryService.update(self, record, fields)


@dataclass
class Shop(Here):
    """A world whose services are picky."""

    def open(self) -> None:
        made = self.world.services(Places())
        self.services = Pair.each(lambda side: Picky(made[side].real))

    def again(self, *, later: timedelta = timedelta(0)) -> list[str]:
        """What the next run asks of the services."""
        self.world.later += later
        self.open()
        self.run()
        return [asked for side in Side for asked in self.services[side].asked]


def edited(side: Side, **values: Any) -> tuple[Shop, Pair[ID]]:
    here = Shop()
    ids = here.linked()
    here.edit(side, ids[side], **values)
    return here, ids


@BOTH
def test_r8_the_other_fields_are_written_and_the_refused_one_is_named(side: Side) -> None:
    # given
    target = side.opposite
    here, ids = edited(side, text=BAD, note="new")
    # when
    report = here.run()
    # then
    assert here.fields(target, ids[target]) == named(target, {"title": "Bread", "text": "two", "note": "new"})
    assert report.outcome is Outcome.PARTIAL
    assert report.counts == {f"{target}.update": 1}
    (failure,) = report.failures
    assert (failure.side, failure.record_id) == (target, ids[side])
    assert ATTR["text"][target] in failure.reason
    kept = here.state.quarantine[target][ids[side]]
    assert (list(kept.fields), kept.reason) == ([ATTR["text"][target]], failure.reason)


@BOTH
def test_r10_it_costs_no_call_until_it_is_due_and_each_pause_is_longer(side: Side) -> None:
    here, ids = edited(side, text=BAD, note="new")
    here.run()
    assert here.again() == []
    assert [hold.record_id for hold in here.report.quarantined] == [ids[side]]
    assert here.plan.operations == ()
    pause = FIRST_PAUSE
    for _ in range(3):
        assert here.again(later=pause) == [f"update {ids[side.opposite]}"]
        assert here.again() == []
        pause *= GROWTH
        assert here.again(later=pause / 2) == []


@BOTH
def test_an_edit_of_another_field_crosses_while_it_waits(side: Side) -> None:
    here, ids = edited(side, text=BAD)
    here.run()
    here.edit(side, ids[side], note="new")
    assert here.again() == [f"update {ids[side.opposite]}"]
    target = side.opposite
    assert here.fields(target, ids[target]) == named(target, {"title": "Bread", "text": "two", "note": "new"})
    assert here.again() == []
    assert here.state.quarantine[target][ids[side]].fields


@BOTH
def test_an_edit_on_the_refusing_side_crosses_while_it_waits(side: Side) -> None:
    here, ids = edited(side, text=BAD)
    here.run()
    here.edit(side.opposite, ids[side.opposite], note="new")
    assert here.again() == [f"update {ids[side]}"]
    assert here.fields(side, ids[side]) == named(side, {"title": "Bread", "text": BAD, "note": "new"})
    assert here.again() == []


@BOTH
def test_it_is_tried_at_once_when_it_changes_and_leaves_the_quarantine(side: Side) -> None:
    here, ids = edited(side, text=BAD, note="new")
    here.run()
    here.edit(side, ids[side], text="good")
    assert here.again() == [f"update {ids[side.opposite]}"]
    assert not any(here.state.quarantine.values())
    assert here.is_quiet()


@BOTH
def test_it_leaves_the_quarantine_when_it_is_taken_back(side: Side) -> None:
    here, ids = edited(side, text=BAD, note="new")
    here.run()
    here.edit(side, ids[side], text="two", note="newer")
    here.again()
    assert not any(here.state.quarantine.values())
    assert here.is_quiet()


@BOTH
def test_two_that_are_refused_one_after_the_other_wait_both(side: Side) -> None:
    here, ids = edited(side, text=BAD)
    here.run()
    here.edit(side, ids[side], note=BAD)
    here.again()
    assert len(here.state.quarantine[side.opposite][ids[side]].fields) == 2
    for _ in range(3):
        assert here.again() == []
    here.edit(side, ids[side], note="good")
    here.again()
    assert list(here.state.quarantine[side.opposite][ids[side]].fields) == [ATTR["text"][side.opposite]]


@BOTH
def test_one_that_is_taken_back_while_another_is_refused_leaves_that_one_waiting(side: Side) -> None:
    here, ids = edited(side, text=BAD)
    here.run()
    here.edit(side, ids[side], text="two", note=BAD)
    here.again()
    (name,) = here.state.quarantine[side.opposite][ids[side]].fields
    assert name == named(side.opposite, {"note": None}).popitem()[0]
    assert here.again() == []


@BOTH
def test_it_goes_on_waiting_when_somebody_was_faster_with_another_field(side: Side) -> None:
    here, ids = edited(side, text=BAD)
    here.run()
    here.edit(side, ids[side], note="new")
    here.open()
    here.services[side.opposite].errors["update"] = lambda: MovedError("changed since")
    here.run()
    assert here.state.quarantine[side.opposite][ids[side]].fields
    here.again()
    assert here.again() == []


@BOTH
def test_a_new_record_is_made_without_it_and_gets_it_later(side: Side) -> None:
    here = Shop()
    made = here.add(side, title="Bread", text=BAD, note="new")
    here.run()
    target = side.opposite
    (copy,) = here.world.containers[target].records.values()
    assert dict(copy.fields) == named(target, {"title": "Bread", "note": "new"})
    assert here.again() == []
    assert here.again() == []

    here.edit(side, made, text="good")
    here.again()

    assert here.fields(target, copy.id) == named(target, {"title": "Bread", "text": "good", "note": "new"})
    assert here.is_quiet()


@BOTH
def test_a_child_does_not_wait_for_it(side: Side) -> None:
    here = Shop()
    parent = here.add(side, title="Bread", text=BAD)
    here.child(side, parent, title="Crumb")
    assert here.run().counts == {f"{side.opposite}.create": 2}


@BOTH
def test_a_refused_key_keeps_the_whole_record(side: Side) -> None:
    here, ids = edited(side, title=BAD, note="new")
    here.run()
    target = side.opposite
    assert here.fields(target, ids[target]) == named(target, {"title": "Bread", "text": "two", "note": None})
    assert not here.state.quarantine[target][ids[side]].fields
    assert here.again() == []


@BOTH
def test_without_a_key_that_is_known_the_record_waits_whole(side: Side) -> None:
    here = Shop(replace(RULES, key=()))
    here.world.containers[side].add(**named(side, {"title": "Bread", "text": BAD}))
    here.run()
    assert not here.world.containers[side.opposite].records


@BOTH
def test_what_is_refused_after_all_without_it_waits_whole(side: Side) -> None:
    here, ids = edited(side, text=BAD, note="new")

    class Pickier(Picky):
        def update(self, record: Record, fields: Fields) -> Record:
            super().update(record, fields)
            msg = "needs its text"
            raise RejectedError(msg)

    real = here.services[side.opposite]
    picky = Pickier(real)
    here.world.run(through=Pair.of(side.opposite, picky, here.services[side]))
    kept = here.state.quarantine[side.opposite][ids[side]]
    assert (kept.reason, kept.fields) == ("needs its text", {})


@BOTH
def test_a_decision_about_it_is_not_taken_for_carried_out(side: Side) -> None:
    here = Shop(replace(RULES, mode=ConflictMode.ERROR))
    ids = here.linked()
    here.edit(side, ids[side], text=BAD, note="new")
    here.edit(side.opposite, ids[side.opposite], text="four")
    here.run()
    held = here.state.held[ids.notion]["Text"]
    decision = Decision(use=side, value=None, seen=held.values, at=here.world.now)
    here.state.decisions[ids.notion] = {"Text": decision}
    here.edit(side, ids[side], note="newer")
    here.again()
    assert here.state.decisions[ids.notion]["Text"] == decision


SAFE = [FULL, replace(FULL, safe_create=False), replace(FULL, safe_create=False, marks=False)]


@dataclass
class PickyWorld(World):
    """Services that refuse a value, and can be hit around each write that they accept."""

    def services(self, places: Places) -> Pair[Any]:
        made = super().services(places)
        return Pair.each(lambda side: _PickyAtPlaces(made[side].real, places))


class _PickyAtPlaces(StoppableService):
    def create(self, fields: Fields, idempotency: str) -> Record:
        refused(fields)
        return super().create(fields, idempotency)

    def update(self, record: Record, fields: Fields) -> Record:
        refused(fields)
        return super().update(record, fields)


def crowded(rules: Rules, capabilities: Capabilities) -> World:
    """Records of which a field is refused: one that is linked and edited on both sides, and new ones."""
    world = PickyWorld(rules, Pair(capabilities, capabilities))
    first = world.containers.notion.add(Name="Bread", Text="two", Note=None)
    world.run()
    world.containers.notion.edit(first.id, Text=BAD, Note="new")
    for side in Side:
        world.containers[side].add(**named(side, {"title": f"of {side}", "text": BAD, "note": "mine"}))
    return world


def copied(world: World) -> World:
    made = world.copy()
    return PickyWorld(**{name: getattr(made, name) for name in _KEPT})


_KEPT = (
    *("rules", "capabilities", "containers", "state", "mirrors", "minutes", "reports", "opened", "history"),
    "later",
)


@pytest.mark.parametrize("redelivered", [False, True])
@pytest.mark.parametrize("capabilities", SAFE, ids=["safe", "marks", "neither"])
def test_r5_a_run_that_dies_anywhere_in_the_smaller_write_is_finished(
    capabilities: Capabilities, *, redelivered: bool
) -> None:
    # given
    start = crowded(RULES, capabilities)
    whole = copied(start)
    whole.run()
    places = whole.places
    assert not whole.run().operations
    assert places > 12
    for place in range(1, places + 1):
        # when
        world = copied(start)
        with suppress(StoppedHereError):
            world.run(place, redelivered=redelivered)
        world.settle()
        # then
        for side in Side:
            assert world.contents(side) == whole.contents(side), place
        assert world.state is not None
        assert whole.state is not None
        waits = {
            (side, i): set(one.fields)
            for side in Side
            for i, one in world.state.quarantine.get(side, {}).items()
        }
        expected = {
            (side, i): set(one.fields)
            for side in Side
            for i, one in whole.state.quarantine.get(side, {}).items()
        }
        assert waits == expected, place
        assert not world.opened
