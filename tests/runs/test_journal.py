"""The journal: what a killed attempt began, and what the history tells afterwards (rules R5 and R12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sync_workers.errors import RejectedError, UnknownOutcomeError
from sync_workers.model import Action, Pair, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application, SliceOverError
from sync_workers.runs.history import Entry
from sync_workers.runs.store import MemoryStore
from sync_workers.services.base import Capabilities
from sync_workers.services.memory import FULL
from sync_workers.state import Change, State
from tests.runs.here import Here, named
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


# --- quarantine ---


def test_r8_a_record_that_was_refused_waits_longer_after_each_time(here: Here) -> None:
    here.add(Side.NOTION, title="Bread")
    here.services.other.errors["create"] = lambda: RejectedError("no bread here")
    waits = []
    for _ in range(4):
        here.world.later += timedelta(days=1)
        here.run()
        ((record_id, one),) = here.state.quarantine[Side.OTHER].items()
        waits.append(one.due - here.world.now)
        assert (record_id, one.reason, one.action) == ("notion-1", "no bread here", "create")
    assert waits == [timedelta(minutes=5 * 3**n) for n in range(4)]
    assert one.count == 4
    assert len(here.services.other.asked) == 4


def test_r8_while_it_waits_nothing_is_called_and_the_report_says_so(here: Here) -> None:
    here.add(Side.NOTION, title="Bread")
    here.services.other.errors["create"] = lambda: RejectedError("no bread here")
    here.run()
    here.open()
    here.add(Side.NOTION, title="Milk")

    report = here.run()

    assert here.services.other.asked == ["create crash/other/notion-2"]
    assert [hold.record_id for hold in report.quarantined] == ["notion-1"]
    assert "no bread here" in report.quarantined[0].reason
    assert report.outcome == "partial"


@BOTH
def test_r8_it_is_tried_at_once_when_its_content_changed(side: Side) -> None:
    here = Here()
    record_id = here.add(side, title="Bread")
    here.services[side.opposite].errors["create"] = lambda: RejectedError("no bread here")
    here.run()
    here.open()
    here.edit(side, record_id, title="Rolls")

    assert here.run().counts == {f"{side.opposite}.create": 1}
    assert not any(here.state.quarantine.values())
    assert here.is_quiet()


def test_r8_a_record_that_needs_nothing_any_more_leaves_the_quarantine(here: Here) -> None:
    ids = here.linked()
    here.edit(Side.NOTION, ids.notion, text="three")
    here.services.other.errors["update"] = lambda: RejectedError("never")
    here.run()
    assert here.state.quarantine[Side.OTHER]
    here.edit(Side.NOTION, ids.notion, text="two")

    here.open()
    here.run()
    assert not any(here.state.quarantine.values())


def test_a_lost_reply_is_looked_for_at_once_and_waits_only_when_it_goes_on(here: Here) -> None:
    here.add(Side.NOTION, title="Bread")
    here.services.other.errors["create"] = lambda: UnknownOutcomeError("cut")
    tries = 0
    for _ in range(6):
        here.run()
        tries = len(here.services.other.asked)
    assert tries == 3


def test_r8_what_belongs_under_a_record_that_failed_is_not_called(here: Here) -> None:
    parent = here.add(Side.NOTION, title="Bread")
    here.child(Side.NOTION, parent, title="Crumb")
    here.add(Side.NOTION, title="Milk")
    here.services.other.refused.add(f"create crash/other/{parent}")

    report = here.run()
    assert here.services.other.asked == [f"create crash/other/{parent}", "create crash/other/notion-3"]
    assert [hold.reason for hold in report.held] == [f"its parent {parent} failed in this run"]

    here.open()
    again = here.run()
    assert here.services.other.asked == []
    assert [hold.record_id for hold in again.quarantined] == [parent, "notion-2"]

    here.world.later = timedelta(days=1)
    assert here.run().counts == {"other.create": 2}


def test_a_parent_is_made_before_what_belongs_under_it(here: Here) -> None:
    late = "notion-3"
    here.child(Side.NOTION, late, title="Crumb")
    here.child(Side.NOTION, "notion-1", title="Half a crumb")
    here.add(Side.NOTION, title="Bread")
    here.run()
    assert here.services.other.asked == [f"create crash/other/notion-{number}" for number in (3, 1, 2)]
