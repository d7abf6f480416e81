"""Taking back a run: a plan from the history that never writes over what came later (rule R12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sync_workers.engine.guard import refusals_of_undo
from sync_workers.engine.rules import DeletePolicy, Limits
from sync_workers.errors import UnknownOutcomeError
from sync_workers.model import ID, NOTHING, Action, ConflictMode, Pair, Part, Plan, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.get import get
from sync_workers.runs.history import Entry
from sync_workers.runs.store import MemoryStore
from sync_workers.runs.undo import concerned, undo
from sync_workers.services.base import Capabilities
from sync_workers.services.memory import FULL
from tests.runs.here import RULES, Here, named
from tests.runs.situations import POOR

BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def here() -> Here:
    return Here()


def planned(here: Here, entries: list[Entry]) -> Plan:
    """What taking these back would do."""
    services = Pair(here.services.notion, here.services.other)
    snapshot = get(services, here.rules, Report("undo")).snapshot
    ids = concerned(entries)
    found = Pair.each(lambda side: services[side].read(ids[side]))
    return undo(entries[::-1], here.state, snapshot, found, Pair(NOTHING, NOTHING))


def take_back(here: Here, run: str) -> Report:
    """Take back a run, as a run of its own; gives its report."""
    here.open()
    plan = planned(here, [entry for entry in here.world.history if entry.run == run])
    here.open()
    store = MemoryStore(here.world.state)
    store.history = list(here.world.history)
    report = Report("undo", f"undo{len(here.world.history)}")
    report.held.extend(plan.held)
    services = Pair(here.services.notion, here.services.other)
    state = store.load()
    assert state is not None
    application = Application("undo", services, plan, state, store, report, now=lambda: here.world.now)
    application.run(Part.UNDONE)
    here.world.state, here.world.history = store.state, store.history
    here.world.reports.append(report)
    return report


def both_shown(here: Here) -> Pair[list[dict[str, Any]]]:
    return Pair.each(
        lambda side: [dict(one.fields) for _, one in sorted(here.world.containers[side].records.items())]
    )


@BOTH
def test_an_update_gets_back_what_stood_there_and_is_not_done_again(here: Here, side: Side) -> None:
    ids = here.linked()
    here.edit(side.opposite, ids[side.opposite], text="three", note="four")
    run = here.run().run

    report = take_back(here, run)

    assert report.counts == {f"{side}.update": 1}
    assert here.fields(side, ids[side]) == named(side, {"title": "Bread", "text": "two", "note": None})
    assert (
        here.fields(side.opposite, ids[side.opposite])[named(side.opposite, {"text": 0}).popitem()[0]]
        == "three"
    )
    assert here.is_quiet()


@BOTH
@pytest.mark.parametrize("edited", list(Side))
def test_an_edit_after_an_undo_crosses_again(here: Here, side: Side, edited: Side) -> None:
    ids = here.linked()
    here.edit(side.opposite, ids[side.opposite], text="three")
    take_back(here, here.run().run)
    here.open()
    here.edit(edited, ids[edited], text="four")
    assert here.run().counts == {f"{edited.opposite}.update": 1}
    assert here.is_quiet()


@BOTH
def test_a_later_edit_is_never_written_over(here: Here, side: Side) -> None:
    ids = here.linked()
    here.edit(side.opposite, ids[side.opposite], text="three")
    run = here.run().run
    here.edit(side, ids[side], text="later")

    report = take_back(here, run)

    assert report.counts == {}
    assert [hold.record_id for hold in report.held] == [ids[side]]
    assert "changed since" in report.held[0].reason
    assert "later" in here.fields(side, ids[side]).values()


@BOTH
def test_an_edit_of_another_field_keeps_no_update_from_being_taken_back(here: Here, side: Side) -> None:
    ids = here.linked()
    here.edit(side.opposite, ids[side.opposite], text="three")
    run = here.run().run
    here.edit(side, ids[side], note="mine")
    assert take_back(here, run).counts == {f"{side}.update": 1}
    assert here.fields(side, ids[side]) == named(side, {"title": "Bread", "text": "two", "note": "mine"})


@BOTH
@pytest.mark.parametrize("capabilities", [FULL, POOR], ids=["full", "poor"])
def test_a_copy_is_deleted_and_not_made_again(side: Side, capabilities: Capabilities) -> None:
    here = Here(capabilities=Pair(capabilities, capabilities))
    here.linked("Milk")
    source = here.add(side.opposite, title="Bread")
    run = here.run().run

    assert take_back(here, run).counts == {f"{side}.delete": 1}

    assert len(here.world.containers[side].records) == 1
    assert source in here.world.containers[side.opposite].records
    assert here.state.unlinked[side.opposite] == {source}
    assert here.is_quiet()


@BOTH
def test_a_copy_that_somebody_edited_since_stays(here: Here, side: Side) -> None:
    here.add(side.opposite, title="Bread")
    run = here.run().run
    (copy,) = here.world.containers[side].records
    here.edit(side, copy, note="mine now")
    report = take_back(here, run)
    assert (report.counts, len(report.held)) == ({}, 1)
    assert copy in here.world.containers[side].records


@BOTH
@pytest.mark.parametrize("policy", [DeletePolicy.PROPAGATE, DeletePolicy.ARCHIVE])
@pytest.mark.parametrize("capabilities", [FULL, POOR], ids=["full", "poor"])
def test_a_deleted_record_comes_back_and_is_left_alone(
    side: Side, policy: DeletePolicy, capabilities: Capabilities
) -> None:
    """Its counterpart is still gone: bringing that back is up to whoever deleted it."""
    here = Here(replace(RULES, delete=DeletePolicy.each_way(policy)), Pair(capabilities, capabilities))
    here.linked("Milk")
    ids = here.linked()
    here.remove(side.opposite, ids[side.opposite])
    run = here.run().run

    assert take_back(here, run).counts == {f"{side}.restore": 1}

    assert sorted(fields[named(side, {"title": 0}).popitem()[0]] for fields in both_shown(here)[side]) == [
        "Bread", "Milk",
    ]  # fmt: skip
    assert len(here.world.containers[side.opposite].records) == 1
    assert here.is_quiet()


@BOTH
def test_a_record_that_was_brought_back_links_again_with_its_counterpart(here: Here, side: Side) -> None:
    """Both are there again: a deletion by mistake is taken back on both sides."""
    here.linked("Milk")
    ids = here.linked()
    container = here.world.containers[side.opposite]
    deleted = container.records[ids[side.opposite]]
    here.remove(side.opposite, ids[side.opposite])
    run = here.run().run
    take_back(here, run)
    container.put(deleted)

    here.open()
    assert here.run().counts == {"link": 1}
    assert here.is_quiet()
    assert all(len(here.world.containers[each].records) == 2 for each in Side)


@BOTH
def test_an_undo_is_not_done_twice(here: Here, side: Side) -> None:
    here.linked("Milk")
    ids = here.linked()
    here.remove(side.opposite, ids[side.opposite])
    run = here.run().run
    take_back(here, run)

    again = take_back(here, run)

    assert again.counts == {}
    assert len(here.world.containers[side].records) == 2


def test_a_record_that_was_brought_back_and_edited_is_not_brought_back_twice() -> None:
    here = Here(replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.ARCHIVE)))
    here.linked("Milk")
    ids = here.linked()
    here.remove(Side.NOTION, ids.notion)
    run = here.run().run
    take_back(here, run)
    here.edit(Side.OTHER, ids.other, text="edited")
    report = take_back(here, run)
    assert (report.counts, "is there again" in report.held[0].reason) == ({}, True)


def test_a_link_is_dropped_and_not_made_again(here: Here) -> None:
    for side in Side:
        here.add(side, title="Bread", text="two")
    run = here.run().run
    assert take_back(here, run).counts == {"unlink": 1}
    assert here.state.ids == {}
    assert here.is_quiet()


def test_a_dropped_link_is_made_again_where_both_are_there() -> None:
    here = Here(replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.UNLINK)))
    ids = here.linked()
    deleted = here.world.containers.notion.records[ids.notion]
    here.remove(Side.NOTION, ids.notion)
    run = here.run().run
    assert here.state.ids == {}
    here.world.containers.notion.put(deleted)
    here.edit(Side.OTHER, ids.other, text="edited while it was alone")

    assert take_back(here, run).counts == {"link": 1}

    assert here.state.ids == {ids.notion: ids.other}
    here.open()
    assert here.run().counts == {"notion.update": 1}


def edit_both(here: Here, ids: Pair[ID]) -> None:
    here.edit(Side.NOTION, ids.notion, text="three")
    here.edit(Side.OTHER, ids.other, note="four")


SITUATIONS: dict[str, Callable[[Here, Side, Pair[ID]], object]] = {
    "update": lambda here, side, ids: here.edit(side, ids[side], text="three"),
    "both": lambda here, _, ids: edit_both(here, ids),
    "create": lambda here, side, _: here.add(side, title="Corn"),
    "delete": lambda here, side, ids: here.remove(side, ids[side]),
}


@BOTH
@pytest.mark.parametrize("what", SITUATIONS)
@pytest.mark.parametrize("capabilities", [FULL, POOR], ids=["full", "poor"])
def test_an_undo_can_be_undone(side: Side, what: str, capabilities: Capabilities) -> None:
    here = Here(capabilities=Pair(capabilities, capabilities))
    here.linked("Milk")
    ids = here.linked()
    SITUATIONS[what](here, side, ids)
    run = here.run().run
    expected = both_shown(here)
    undone = take_back(here, run).run
    assert both_shown(here) != expected

    take_back(here, undone)

    assert sorted(map(repr, both_shown(here).notion)) == sorted(map(repr, expected.notion))
    assert sorted(map(repr, both_shown(here).other)) == sorted(map(repr, expected.other))
    assert here.is_quiet()


def test_what_nobody_knows_the_end_of_is_not_taken_back_over_an_edit() -> None:
    """Our write, or a person's? What stands there now may be theirs."""
    here = Here(replace(RULES, mode=ConflictMode.OTHER))
    ids = here.linked()
    here.edit(Side.NOTION, ids.notion, text="three")
    here.services.other.errors["update"] = lambda: UnknownOutcomeError("cut")
    run = here.run().run
    here.edit(Side.OTHER, ids.other, text="a person's")
    here.open()
    here.world.run(through=Pair(here.services.notion, here.services.other))

    report = take_back(here, run)

    assert report.counts == {}
    assert "a person's" in here.world.values()


def test_what_only_changed_bases_is_nothing_to_take_back(here: Here) -> None:
    ids = here.linked()
    for side in Side:
        here.edit(side, ids[side], text="the same edit")
    run = here.run().run
    assert here.report.counts == {"advance": 1}
    report = take_back(here, run)
    assert (report.counts, report.held) == ({}, [])


@pytest.mark.parametrize(("deletes", "links", "refused"), [(5, 5, False), (6, 24, False), (6, 23, True)])
def test_an_undo_that_deletes_many_is_refused(here: Here, deletes: int, links: int, refused: bool) -> None:
    for number in range(links - deletes):
        here.linked(f"kept {number}")
    for number in range(deletes):
        here.add(Side.NOTION, title=f"new {number}")
    run = here.run().run
    here.open()
    plan = planned(here, [entry for entry in here.world.history if entry.run == run])
    assert sum(operation.action is Action.DELETE for operation in plan) == deletes
    reasons = refusals_of_undo(Limits(), here.state, plan)
    assert bool(reasons) == refused
    assert all(
        f"would delete {deletes} records on other, with {links} linked" in reason for reason in reasons
    )
