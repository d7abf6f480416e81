"""The phase `diff`: guards that refuse, and what a changed set-up means (R9)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

import pytest

from sync_workers.engine.rules import Direction, FieldRule
from sync_workers.errors import GuardError
from sync_workers.model import Listing, Pair, Plan, Side, Snapshot
from sync_workers.remarks import Trail
from sync_workers.report import Outcome, Report
from sync_workers.runs.diff import changed_setup, decide
from sync_workers.runs.finish import finish
from sync_workers.runs.get import Gathered, get
from sync_workers.runs.history import Entry
from sync_workers.runs.setup import AT_ONCE
from sync_workers.runs.store import MemoryStore
from sync_workers.services.memory import Container
from sync_workers.state import Change, State
from tests.runs.crashing import Places, StoppedHereError
from tests.runs.here import RULES, Here
from tests.runs.plain import PLAIN, gathered, linked

BOTH = pytest.mark.parametrize("side", list(Side))


# --- guards ---


def test_accepted_guards_let_the_plan_through() -> None:
    state, snapshot = linked(30)
    seen = Pair(Listing({}), snapshot.other)
    plan = decide(PLAIN, state, gathered(seen), Report("decide"), accept_guards=True)
    assert plan.counts() == {"other.delete": 30}


def test_accepted_guards_never_accept_ids_that_were_listed_twice() -> None:
    """Nobody can mean that: which of the two is the record?"""
    state, snapshot = linked(3)
    seen = Pair(snapshot.notion, Listing(snapshot.other.records, repeated=("other1",)))
    with pytest.raises(GuardError, match="twice"):
        decide(PLAIN, state, gathered(seen), Report("decide"), accept_guards=True)


def test_a_refused_run_changes_nothing_at_all() -> None:
    here = Here()
    for name in ("Bread", "Milk"):
        here.linked(name)
    before = here.state.model_copy(deep=True)
    here.world.containers.other.records.clear()
    services = Pair(here.services.notion, here.services.other)
    report = Report("decide")
    seen = get(services, here.rules, report)
    with pytest.raises(GuardError):
        decide(here.rules, here.state, seen, report)
    assert here.state == before
    assert (here.services.notion.asked, here.services.other.asked) == ([], [])


# --- R9: a changed set-up ---


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, set()),
        ({"a": "1"}, {"a": "2"}, {"a"}),
        ({"a": "1"}, {"a": "1", "other.filter": "f"}, {"other.filter"}),
        ({"a": "1", "other.filter": "f"}, {"a": "1"}, {"other.filter"}),
        ({}, {"a": "1"}, set()),
    ],
    ids=["same", "another", "a filter came", "a filter went", "never ran"],
)
def test_r9_any_fingerprint_that_changed_came_or_went_counts(
    before: dict[str, str], after: dict[str, str], changed: set[str]
) -> None:
    nothing: Snapshot = Pair(Listing({}), Listing({}))
    assert changed_setup(State(setup=before), Gathered(nothing, setup=after)) == changed


def test_r9_another_direction_is_another_setup() -> None:
    here = Here()
    here.linked()
    one_way = FieldRule(RULES.fields[2].attrs, Direction.TO_OTHER)
    report = Report("decide")
    services = Pair(here.services.notion, here.services.other)
    rules = replace(RULES, fields=(*RULES.fields[:2], one_way))
    assert changed_setup(here.state, get(services, rules, report)) == {"fields", "field.Note"}


# --- R9: another container ---


def moved(here: Here, side: Side) -> None:
    """The task is bound to another, empty container on one side."""
    fresh = Container(f"another {side}", clock=here.world.tick)
    here.world.containers = Pair.of(side, fresh, here.world.containers[side.opposite])
    here.open()


@BOTH
def test_r3_r9_a_run_into_another_container_that_dies_drops_nothing_that_it_linked_itself(side: Side) -> None:
    """Records without a key are known by their links alone: to drop these twice would double them."""
    places = undisturbed(side)
    for place in range(1, places + 1):
        here = keyless(side)
        with suppress(StoppedHereError):
            here.world.run(place)
        here.world.settle()
        assert [len(here.world.containers[each].records) for each in Side] == [3, 3]
        assert len(here.state.ids) == 3


def keyless(side: Side) -> Here:
    here = Here()
    for text in ("one", "two", "three"):
        here.add(Side.NOTION, text=text)
    here.run()
    moved(here, side)
    return here


def undisturbed(side: Side) -> int:
    here = keyless(side)
    here.world.run()
    return here.world.places


def test_r3_r9_a_first_run_that_dies_remembers_what_its_links_were_made_with() -> None:
    here = Here()
    here.add(Side.NOTION, text="one")
    with suppress(StoppedHereError):
        here.world.run(here_places(here))
    assert here.state.setup["notion.container"] == "notion"


def here_places(here: Here) -> int:
    """The last place of an undisturbed run."""
    world = here.world.copy()
    world.run()
    return world.places


# --- the end of a run ---


def test_a_finished_run_stores_its_setup() -> None:
    store, report = MemoryStore(), Report("finish")
    found = gathered(Pair(Listing({}), Listing({})), notion_container="a")
    finish(report, store, None, found, Plan(), PLAIN)
    assert store.state == State(setup={"notion.container": "a"})
    assert report.outcome is Outcome.DONE
    assert report.finished is not None


@pytest.mark.parametrize(("number", "commits"), [(0, 1), (1, 1), (AT_ONCE - 1, 1), (AT_ONCE, 2), (1200, 3)])
def test_the_end_is_stored_in_pieces_that_no_store_chokes_on(number: int, commits: int) -> None:
    class Counting(MemoryStore):
        sizes: ClassVar[list[int]] = []

        def commit(self, operation: int | None, change: Change, entry: Entry | None = None) -> None:
            self.sizes.append(len(change.trails))
            super().commit(operation, change, entry)

    Counting.sizes = []
    trail = Trail(last=Side.OTHER)
    known = State(trails={f"n{i}": {"x": trail} for i in range(number)})
    store = Counting(known)
    found = gathered(Pair(Listing({}), Listing({})), notion_container="a")
    finish(Report("finish"), store, store.load(), found, Plan(), PLAIN)
    assert store.state == State(setup={"notion.container": "a"})
    assert len(store.sizes) == commits
    assert sum(store.sizes) == number
    assert max(store.sizes) <= AT_ONCE


def test_places_count_from_one() -> None:
    places = Places(chosen=2)
    assert [places.is_hit() for _ in range(3)] == [False, True, False]
