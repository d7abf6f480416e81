"""Explainable (R12): for any record what was done, when, by which run, why; and its values before."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given

from sync_workers.errors import RejectedError, UnknownOutcomeError
from sync_workers.model import ID, Action, Fields, Pair, Side
from sync_workers.runs.history import Entry
from sync_workers.values import same
from tests.figures import Figures
from tests.runs.crashing import StoppedHereError, World
from tests.runs.here import BOTH, Here, named
from tests.runs.situations import situations
from tests.sizes import UNHURRIED, sized

pytestmark = UNHURRIED


def entries(here: Here, action: Action) -> list[Entry]:
    return [entry for entry in here.world.history if entry.action is action]


def shown(side: Side, **values: Any) -> dict[str, Any]:
    return named(side, {"note": None, **values})


@BOTH
def test_r12_an_update_is_told_with_both_sides_before_and_after(here: Here, side: Side) -> None:
    ids = here.linked()
    old = Pair.each(lambda each: here.state.bases(each)[ids[each]])
    here.edit(side.opposite, ids[side.opposite], text="three")

    report = here.run()

    (entry,) = entries(here, Action.UPDATE)
    assert (entry.run, entry.side, entry.ids) == (report.run, side, ids)
    assert entry.reason == f"edited on {side.opposite}"
    assert entry.before[side] == shown(side, title="Bread", text="two")
    assert entry.before[side.opposite] == shown(side.opposite, title="Bread", text="three")
    assert entry.after[side] == shown(side, title="Bread", text="three")
    assert entry.bases == old
    assert not here.world.opened


@BOTH
def test_r12_a_create_and_a_deletion_are_told_with_what_was_there(here: Here, side: Side) -> None:
    source = here.add(side.opposite, title="Milk", text="one")
    here.run()
    (made,) = entries(here, Action.CREATE)
    assert (made.before[side], made.bases) == (None, None)
    assert made.after[side] == shown(side, title="Milk", text="one")
    assert made.ids[side.opposite] == source
    assert made.ids[side] in here.world.containers[side].records

    here.open()
    here.linked("Corn")
    here.remove(side.opposite, source)
    here.run()

    (deleted,) = entries(here, Action.DELETE)
    assert deleted.ids == made.ids
    assert deleted.before[side] == shown(side, title="Milk", text="one")
    assert (deleted.after[side], deleted.before[side.opposite]) == (None, None)


@pytest.mark.parametrize("error", [RejectedError, UnknownOutcomeError])
def test_r12_what_failed_is_not_told_as_done(here: Here, error: type[Exception]) -> None:
    ids = here.linked()
    known = len(here.world.history)
    here.edit(Side.NOTION, ids.notion, text="three")
    here.services.other.errors["update"] = lambda: error("not now")
    here.run()
    assert here.world.history[known:] == []
    assert [intent.action for intent in here.world.opened.values()] == (
        [Action.UPDATE] if error is UnknownOutcomeError else []
    )


UNSEEN: dict[str, tuple[Callable[[Here, Pair[str]], object], str]] = {
    "done": (lambda here, ids: here.edit(Side.OTHER, ids.other, text="three"), "done"),
    "not done": (lambda *_: None, "not done"),
    "someone else": (lambda here, ids: here.edit(Side.OTHER, ids.other, text="4"), "not to be told"),
    "gone": (lambda here, ids: here.remove(Side.OTHER, ids.other), "not to be told"),
}


@pytest.mark.parametrize("what", UNSEEN)
def test_r12_a_write_whose_end_nobody_saw_is_told_by_the_next_run(here: Here, what: str) -> None:
    ids = here.linked()
    here.linked("Milk")
    here.edit(Side.NOTION, ids.notion, text="three")
    here.services.other.errors["update"] = lambda: UnknownOutcomeError("cut")
    first = here.run()
    change, said = UNSEEN[what]
    change(here, ids)

    here.open()
    here.run()

    (lost,) = [entry for entry in here.world.history if entry.lost]
    assert (lost.run, lost.action) == (first.run, Action.UPDATE)
    assert lost.reason.endswith(f"its end was not seen, afterwards: {said}")
    assert lost.before.other == shown(Side.OTHER, title="Bread", text="two")
    assert not here.world.opened


def test_r12_a_deletion_whose_end_nobody_saw_is_told_by_the_next_run(here: Here) -> None:
    ids = here.linked()
    here.linked("Milk")
    here.remove(Side.NOTION, ids.notion)
    here.services.other.errors["delete"] = lambda: UnknownOutcomeError("cut")
    here.run()
    here.remove(Side.OTHER, ids.other)  # it was done

    here.open()
    here.run()

    (lost,) = [entry for entry in here.world.history if entry.lost]
    assert lost.reason.endswith("afterwards: done")
    assert lost.before.other == shown(Side.OTHER, title="Bread", text="two")


def changed(start: World, world: World) -> dict[tuple[Side, ID], tuple[Fields | None, Fields | None]]:
    """What each record shows before and after, where that differs."""
    found: dict[tuple[Side, ID], tuple[Fields | None, Fields | None]] = {}
    for side in Side:
        before, after = (mapped(each, side) for each in (start, world))
        for record_id in before.keys() | after.keys():
            one, another = before.get(record_id), after.get(record_id)
            if one is None or another is None or any(not same(one[attr], another[attr]) for attr in one):
                found[side, record_id] = one, another
    return found


def mapped(world: World, side: Side) -> dict[ID, dict[str, Any]]:
    attrs = [rule.attrs[side] for rule in world.rules.fields]
    records = world.containers[side].records
    return {i: {attr: record.fields.get(attr) for attr in attrs} for i, record in records.items()}


@sized(100, nightly=3000)
@given(situations())
def test_r12_every_write_of_a_run_is_told_with_what_was_there_before_and_after(
    figures: Figures, start: World
) -> None:
    world = start.copy()
    world.run()
    run = world.reports[-1].run
    writes = [e for e in world.history if e.run == run and e.action.writes]
    # A note beside a record changes no field of it.
    told = {(e.side, e.ids[e.side]): e for e in writes if e.action is not Action.ANNOTATE}
    for (side, record_id), (before, after) in changed(start, world).items():
        figures["changed records that were looked up in the history"] += 1
        entry = told.pop((side, record_id))
        assert (entry.before[side], entry.after[side]) == (before, after)
        assert entry.reason
    assert told == {}


@sized(40, nightly=1000)
@given(situations())
def test_r12_a_run_that_died_is_told_as_well(start: World) -> None:
    """After a stop anywhere: whatever changed has an entry with what was there when the first run began."""
    expected = start.copy()
    expected.run()
    for place in range(1, expected.places + 1):
        world, known = start.copy(), len(start.history)
        with suppress(StoppedHereError):
            world.run(place)
        world.settle()
        told = [(e.side, e.ids[e.side], e.before[e.side]) for e in world.history[known:]]
        made = {e.ids[e.side] for e in world.history[known:] if e.action is Action.CREATE}
        for (side, record_id), (before, _) in changed(start, world).items():
            # What a create made whose reply nobody saw is told when it is linked.
            assert (side, record_id, before) in told or (
                before is None and is_linked(world, side, record_id, made)
            )


def is_linked(world: World, side: Side, record_id: ID, made: set[ID | None]) -> bool:
    return record_id in made or (world.state is not None and record_id in world.state.linked(side))
