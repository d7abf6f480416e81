"""The journal: what a killed attempt began, and what the history tells afterwards (rules R5 and R12)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync_workers.errors import UnknownOutcomeError
from sync_workers.model import Action, ConflictMode, Listing, Pair, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application, SliceOverError
from sync_workers.runs.entries import settle_intents
from sync_workers.runs.history import Entry
from sync_workers.runs.store import MemoryStore
from sync_workers.state import Change, State
from tests.runs.here import RULES, Here, application, carry_out, named

BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def here() -> Here:
    return Here()


# --- what an earlier attempt began ---


# --- what the history tells ---


def entries(here: Here, action: Action) -> list[Entry]:
    return [entry for entry in here.world.history if entry.action is action]


def shown(side: Side, **values: Any) -> dict[str, Any]:
    return named(side, {"note": None, **values})


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


@BOTH
@pytest.mark.parametrize("shown", ["three", "a person's"], ids=["done", "edited"])
def test_r2_a_write_that_nobody_saw_the_end_of_is_no_edit_of_its_target(side: Side, shown: str) -> None:
    """What a person wrote at the source since then crosses; what one wrote at the target is an edit."""
    here = Here(replace(RULES, mode=ConflictMode.OTHER if side is Side.OTHER else ConflictMode.NOTION))
    ids = here.linked()
    here.edit(side.opposite, ids[side.opposite], text="three")
    here.services[side].errors["update"] = lambda: UnknownOutcomeError("cut")
    here.run()
    here.edit(side, ids[side], text=shown)
    here.edit(side.opposite, ids[side.opposite], text="four")

    here.open()
    report = here.run()

    wins = "four" if shown == "three" else "a person's"
    for each in Side:
        assert wins in here.fields(each, ids[each]).values()
    assert bool(report.conflicts) == (shown != "three")
    assert here.is_quiet()


def test_what_this_run_began_itself_is_not_settled_by_it() -> None:
    """A phase that is delivered again looks at it when its turn comes."""
    store = MemoryStore()
    begun = Entry("mine", 3, Action.UPDATE, Side.OTHER, Pair("n", "o"), "edited")
    store.begin(3, Change(), begun)
    settle_intents(store, "mine", RULES, State(), Pair(Listing({}), Listing({})))
    assert (list(store.intents()), store.history) == (["mine:3"], [])


# --- what a create leaves in the state ---
