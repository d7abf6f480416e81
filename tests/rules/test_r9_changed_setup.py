"""Changed set-up is no deletion (R9): credentials, container, filter and mapping are fingerprinted in
the state; a change asks for a fresh comparison, which links and updates but deletes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_workers.model import Listing, Pair, Record, Side
from sync_workers.report import Outcome, Report
from sync_workers.runs.diff import decide
from sync_workers.runs.get import Gathered
from sync_workers.services.memory import Container
from tests.runs.here import BOTH, RULES, Here
from tests.runs.plain import PLAIN, linked


@BOTH
@pytest.mark.parametrize("name", ["credential", "filter", "fields"])
def test_r9_a_changed_setup_updates_and_links_but_takes_nothing_absent_for_deleted(
    side: Side, name: str
) -> None:
    state, snapshot = linked(10)
    state.setup = {f"{side}.{name}": "old"}
    records = {i: r for i, r in snapshot[side].records.items() if i.endswith("9")}
    edited = {i: replace(r, fields={"x": "edited"}) for i, r in records.items()}
    seen = Pair.of(side, Listing({**edited, "new": Record("new", {"x": "new"})}), snapshot[side.opposite])

    plan = decide(PLAIN, state, Gathered(seen, setup={f"{side}.{name}": "new"}), Report("decide"))

    assert plan.counts() == {f"{side.opposite}.update": 1, f"{side.opposite}.create": 1}
    assert len(plan.held) == 9


@BOTH
def test_r9_the_run_after_the_fresh_one_deletes_again_what_is_confirmed_gone(side: Side) -> None:
    here = Here()
    ids, _ = here.linked(), here.linked("Milk")
    here.world.state = here.state.model_copy(update={"setup": {**here.state.setup, "fields": "older"}})
    here.remove(side, ids[side])
    assert here.run().counts == {}
    assert here.report.outcome is Outcome.DONE
    here.open()
    assert here.run().counts == {f"{side.opposite}.delete": 1}


def test_r9_a_new_field_map_fills_the_new_field_and_deletes_nothing() -> None:
    here = Here(replace(RULES, fields=RULES.fields[:2]))
    ids, gone = here.linked(), here.linked("Milk")
    here.world.rules = here.rules = RULES
    here.open()
    here.edit(Side.NOTION, ids.notion, note="only here")
    here.remove(Side.OTHER, gone.other)
    assert here.run().counts == {"other.update": 1}
    assert here.fields(Side.OTHER, ids.other)["note"] == "only here"
    assert set(here.world.containers.notion.records) == {ids.notion, gone.notion}


def moved(here: Here, side: Side) -> None:
    """The task is bound to another, empty container on one side."""
    fresh = Container(f"another {side}", clock=here.world.tick)
    here.world.containers = Pair.of(side, fresh, here.world.containers[side.opposite])
    here.open()


@BOTH
def test_r9_another_container_drops_the_links_matches_afresh_and_deletes_nothing(side: Side) -> None:
    here = Here()
    here.linked("Bread")
    here.linked("Milk")
    moved(here, side)
    there = here.add(side, title="Bread", text="two")

    report = here.run()

    assert report.counts == {"drop": 2, "link": 1, f"{side}.create": 1}
    assert len(here.world.containers[side.opposite].records) == 2
    assert there in here.state.linked(side)
    assert len(here.state.ids) == 2
    assert here.is_quiet()


@BOTH
def test_r9_a_container_that_is_moved_and_found_empty_is_no_accident(side: Side) -> None:
    """No guard refuses it, since no link is left that could be lost."""
    state, snapshot = linked(30)
    state.setup = {f"{side}.container": "old"}
    seen = Pair.of(side, Listing({}), snapshot[side.opposite])
    plan = decide(PLAIN, state, Gathered(seen, setup={f"{side}.container": "new"}), Report("decide"))
    assert plan.counts() == {"notion.drop": 30, f"{side}.create": 30}
    assert plan.setup == {f"{side}.container": "new"}
