"""The journal: what a killed attempt began, and what the history tells afterwards (rules R5 and R12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sync_workers.engine.rules import DeletePolicy
from sync_workers.errors import RejectedError, UnknownOutcomeError
from sync_workers.model import Action, Fields, Listing, Pair, Record, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application, SliceOverError
from sync_workers.runs.entries import settle_intents
from sync_workers.runs.history import Entry
from sync_workers.runs.store import MemoryStore
from sync_workers.services.base import Capabilities
from sync_workers.services.memory import FULL
from sync_workers.state import Change, State
from tests.runs.here import RULES, Guarded, Here, named
from tests.runs.situations import POOR
from tests.runs.test_apply import application, carry_out

BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def here() -> Here:
    return Here()


# --- what an earlier attempt began ---


def test_r3_a_safe_create_that_an_attempt_began_is_made_again_and_is_the_same(here: Here) -> None:
    source = here.add(Side.NOTION, title="Bread")
    here.services.other.create(named(Side.OTHER, {"title": "Bread"}), f"apply/other/{source}")
    store = MemoryStore()
    store.begin(0, Change())
    carried = application(here, store)
    # ... and what the attempt made is not in the listing that the plan was made from
    carry_out(carried)
    assert len(here.world.containers.other.records) == 1


@BOTH
@pytest.mark.parametrize("capabilities", [FULL, POOR], ids=["versions", "re-reads"])
@pytest.mark.parametrize("found", ["done", "not done", "edited by someone else"])
def test_r5_an_update_that_an_attempt_began_is_looked_at_first(
    side: Side, capabilities: Capabilities, found: str
) -> None:
    here = Here(capabilities=Pair(capabilities, capabilities))
    ids = here.linked()
    here.edit(side.opposite, ids[side.opposite], text="three")
    store = MemoryStore(here.world.state)
    carried = application(here, store)
    store.begin(0, Change())
    # ... and the attempt was killed before or after its write, or a person came between
    if found != "not done":
        here.edit(side, ids[side], text="three" if found == "done" else "four")

    carry_out(carried)

    written = [asked for asked in here.services[side].asked if asked.startswith("update")]
    assert len(written) == (found == "not done")
    assert here.fields(side, ids[side])[named(side, {"text": 0}).popitem()[0]] == (
        "four" if found.startswith("edited") else "three"
    )
    assert carried.report.failures == []
    assert bool(carried.report.held) == found.startswith("edited")
    assert bool(carried.report.counts) != found.startswith("edited")
    here.world.state = store.state
    here.open()
    here.world.settle()
    assert here.is_quiet()


# --- what the history tells ---


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


def test_an_attempt_that_was_killed_is_counted_by_the_next_one(here: Here) -> None:
    for name in ("Bread", "Milk", "Wine"):
        here.add(Side.NOTION, title=name)
    store = MemoryStore()
    first = application(here, store)
    first.stop = lambda: len(first.ended) == 2
    with pytest.raises(SliceOverError):
        carry_out(first)
    # ... and with the process went its report

    again = Application("apply", first.services, first.plan, store.load() or State(), store, Report("apply"))
    carry_out(again)
    assert again.report.counts == {"other.create": 3}


def test_what_this_run_began_itself_is_not_settled_by_it() -> None:
    """A phase that is delivered again looks at it when its turn comes."""
    store = MemoryStore()
    begun = Entry("mine", 3, Action.UPDATE, Side.OTHER, Pair("n", "o"), "edited")
    store.begin(3, Change(), begun)
    settle_intents(store, "mine", Pair(Listing({}), Listing({})))
    assert (list(store.intents()), store.history) == (["mine:3"], [])


# --- what a create leaves in the state ---


@BOTH
def test_r3_a_lost_create_is_found_by_its_mark_after_a_person_edited_all_of_it(side: Side) -> None:
    marking = Capabilities(archives=True, marks=True)
    here = Here(capabilities=Pair(marking, marking))
    here.add(side.opposite, title="Bread", text="two")

    class Losing(Guarded):
        def create(self, fields: Fields, idempotency: str) -> Record:
            super().create(fields, idempotency)
            raise UnknownOutcomeError("cut")

    here.services = Pair.of(side, Losing(here.services[side]), here.services[side.opposite])
    here.run()
    (made,) = here.world.containers[side].records
    here.edit(side, made, title="Rolls", text="three", note="four")

    here.open()
    here.world.settle()

    assert [len(here.world.containers[each].records) for each in Side] == [1, 1]
    (source,) = here.world.containers[side.opposite].records
    assert here.fields(side.opposite, source) == named(
        side.opposite, {"title": "Rolls", "text": "three", "note": "four"}
    )


@BOTH
def test_r3_what_was_there_before_the_first_attempt_is_remembered_over_later_ones(side: Side) -> None:
    here = Here(replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.UNLINK)), Pair(POOR, POOR))
    before = here.add(side, text="two")
    here.run()
    (copy,) = here.world.containers[side.opposite].records
    here.remove(side.opposite, copy)
    here.run()  # what is left of it is left alone
    assert here.state.unlinked[side] == {before}
    source = here.add(side.opposite, text="two")
    here.services[side].errors["create"] = lambda: UnknownOutcomeError("cut")
    here.run()
    assert here.state.pending[side][source].alike == (before,)

    here.run()
    assert here.state.pending[side][source].alike == (before,)
