"""Held conflicts live in the state, a person's decision is carried out once, what lost is in the history."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync_workers.errors import LaterError, RejectedError, UnknownOutcomeError
from sync_workers.model import ID, About, ConflictMode, Pair, Side
from sync_workers.remarks import Decision, HeldConflict
from sync_workers.report import Outcome
from sync_workers.runs.remember import remember
from sync_workers.services.memory import FULL
from sync_workers.state import State
from tests.runs.crashing import StoppedHereError
from tests.runs.here import RULES, Here

BOTH = pytest.mark.parametrize("side", list(Side))
HOLDS = replace(RULES, mode=ConflictMode.ERROR)
PLAIN = replace(FULL, notes=False)
NOW = datetime(2026, 5, 1, tzinfo=UTC)
TEXT = Pair("Text", "text")


def waiting(*, notes: bool = False) -> tuple[Here, Pair[ID]]:
    """A record whose text waits for a person; nothing ran since the edits."""
    here = Here(HOLDS, Pair(FULL, FULL) if notes else Pair(PLAIN, PLAIN))
    ids = here.linked()
    here.edit(Side.NOTION, ids.notion, text="three")
    here.edit(Side.OTHER, ids.other, text="four")
    return here, ids


def held(notes: bool = False) -> tuple[Here, Pair[ID]]:
    """The same, after a run that holds it."""
    here, ids = waiting(notes=notes)
    here.run()
    here.open()
    return here, ids


def one(here: Here, ids: Pair[ID]) -> HeldConflict:
    assert here.state.held.keys() == {ids.notion}
    return here.state.held[ids.notion]["Text"]


def decide(here: Here, ids: Pair[ID], *, use: Side | None = None, value: Any = None) -> None:
    seen = one(here, ids).values
    decision = Decision(use=use, value=value, seen=seen, at=NOW)
    here.state.decisions[ids.notion] = {"Text": decision}


def shown(here: Here, ids: Pair[ID]) -> Pair[Any]:
    return Pair.each(lambda side: here.fields(side, ids[side])[TEXT[side]])


def test_a_held_conflict_stands_in_the_state_with_values_times_and_authors() -> None:
    here, ids = waiting()
    container = here.world.containers.other
    record = container.records[ids.other]
    container.records[ids.other] = replace(record, about=About(author="ada"))
    here.run()

    found = one(here, ids)

    assert (found.other_id, found.other_attr, found.frozen) == (ids.other, "text", False)
    assert found.values == {Side.NOTION: "three", Side.OTHER: "four"}
    records = Pair.each(lambda side: here.world.containers[side].records[ids[side]])
    assert found.changed == {side: records[side].modified for side in Side}
    assert found.authors == {Side.NOTION: None, Side.OTHER: "ada"}
    assert (found.since, found.run) == (here.report.finished, here.report.run)
    assert here.report.outcome is Outcome.DECISION


def test_the_next_run_stores_nothing() -> None:
    here, ids = held()
    before = one(here, ids)
    assert here.is_quiet()
    assert here.world.places == 0
    assert one(here, ids) == before


@BOTH
def test_another_value_keeps_since_when_it_waits_and_the_other_sides_time(side: Side) -> None:
    here, ids = held()
    before = one(here, ids)
    here.edit(side, ids[side], text="five")
    here.edit(side.opposite, ids[side.opposite], note="elsewhere")
    here.run()

    after = one(here, ids)

    assert after.values == {**before.values, side: "five"}
    assert (after.since, after.run) == (before.since, before.run)
    assert after.changed[side] != before.changed[side]
    # The other side was changed, too, but not in this field.
    assert after.changed[side.opposite] == before.changed[side.opposite]


@BOTH
def test_a_person_who_makes_both_sides_equal_ends_it(side: Side) -> None:
    here, ids = held()
    here.edit(side, ids[side], text=Pair("four", "three")[side])
    report = here.run()
    assert here.state.held == {}
    assert report.outcome is Outcome.DONE
    assert here.is_quiet()


@BOTH
def test_a_record_that_a_listing_does_not_show_still_waits(side: Side) -> None:
    here, ids = held()
    decide(here, ids, use=side)
    before = one(here, ids)
    # When: it is there, but cannot be read as deleted: another record takes its place in the plan.
    container = here.world.containers[side]
    container.archived[ids[side]] = container.records.pop(ids[side])
    decided = here.state.decisions
    here.run()

    assert one(here, ids) == before
    assert here.state.decisions == decided

    container.records[ids[side]] = container.archived.pop(ids[side])
    here.open()
    here.run()
    assert shown(here, ids) == Pair.each(lambda _: Pair("three", "four")[side])


@BOTH
def test_a_record_that_is_unlinked_waits_no_more(side: Side) -> None:
    here, ids = held()
    decide(here, ids, use=side)
    for one_side in Side:
        here.remove(one_side, ids[one_side])
    here.run()
    assert (here.state.ids, here.state.held, here.state.decisions) == ({}, {}, {})


@BOTH
def test_a_record_that_is_made_again_waits_no_more(side: Side) -> None:
    """Its counterpart was deleted: the edit wins."""
    here, ids = held()
    decide(here, ids, use=side)
    here.remove(side, ids[side])
    here.run()
    assert here.report.remade
    assert (here.state.held, here.state.decisions) == ({}, {})
    assert here.is_quiet()


@BOTH
def test_a_decision_is_carried_out_once_and_forgotten(side: Side) -> None:
    here, ids = held()
    decide(here, ids, use=side)
    report = here.run()

    assert shown(here, ids) == Pair.each(lambda _: Pair("three", "four")[side])
    assert (here.state.held, here.state.decisions, here.state.trails) == ({}, {}, {})
    assert report.outcome is Outcome.DONE
    assert [(c.winner, c.by_person) for c in report.conflicts] == [(side, True)]
    assert here.is_quiet()


def test_a_third_value_reaches_both_sides() -> None:
    here, ids = held()
    decide(here, ids, value="five")
    here.run()
    assert shown(here, ids) == Pair("five", "five")
    assert (here.state.held, here.state.decisions) == ({}, {})
    assert here.is_quiet()


@BOTH
def test_a_void_decision_is_forgotten_and_the_conflict_waits_anew(side: Side) -> None:
    here, ids = held()
    decide(here, ids, use=side.opposite)
    here.edit(side, ids[side], text="five")
    report = here.run()

    assert here.state.decisions == {}
    assert one(here, ids).values[side] == "five"
    assert report.outcome is Outcome.DECISION


def test_what_lost_is_in_the_history() -> None:
    here, ids = held()
    decide(here, ids, use=Side.NOTION)
    here.run()
    entry = here.world.history[-1]
    assert [(c.values, c.winner) for c in entry.conflicts] == [(Pair("three", "four"), Side.NOTION)]
    assert (entry.before.other or {})["text"] == "four"


@pytest.mark.parametrize("mode", [ConflictMode.NEWER, ConflictMode.NOTION, ConflictMode.OTHER])
def test_also_what_lost_by_a_mode(mode: ConflictMode) -> None:
    here = Here(replace(RULES, mode=mode), Pair(PLAIN, PLAIN))
    ids = here.linked()
    here.edit(Side.NOTION, ids.notion, text="three")
    here.edit(Side.OTHER, ids.other, text="four")
    here.run()
    (conflict,) = here.world.history[-1].conflicts
    assert conflict.values == Pair("three", "four")
    assert conflict.winner is (Side.NOTION if mode is ConflictMode.NOTION else Side.OTHER)


@BOTH
@pytest.mark.parametrize(
    "error",
    [lambda: RejectedError("no"), lambda: UnknownOutcomeError("lost"), lambda: LaterError("patience")],
    ids=["rejected", "lost", "later"],
)
@pytest.mark.parametrize("value", [None, "five"])
def test_a_decision_that_could_not_be_carried_out_stays(
    side: Side, error: Callable[[], Exception], value: str | None
) -> None:
    here, ids = held()
    decide(here, ids, use=None if value else side.opposite, value=value)
    here.services[side].errors["update"] = error
    here.run()

    assert here.state.decisions[ids.notion]["Text"].value == value
    assert one(here, ids).values == {Side.NOTION: "three", Side.OTHER: "four"}

    here.open()
    here.world.later = NOW - datetime(2026, 1, 1, tzinfo=UTC)  # past every pause
    here.run()
    assert shown(here, ids) == Pair.each(lambda _: value or Pair("three", "four")[side.opposite])
    assert (here.state.held, here.state.decisions) == ({}, {})


def test_a_decision_that_came_while_the_run_worked_is_left_to_the_next_one() -> None:
    here, ids = held()
    here.run()
    plan = here.plan
    # When: a run has made its plan, and a person decides before its end.
    decide(here, ids, use=Side.NOTION)
    change = remember(HOLDS, here.report, here.state, plan, frozenset(), NOW)
    assert not change
    here.open()
    here.run()
    assert shown(here, ids) == Pair("three", "three")


@pytest.mark.parametrize("value", [None, "five"])
@BOTH
def test_a_stop_at_any_place_loses_no_decision(side: Side, value: str | None) -> None:
    here, ids = held()
    decide(here, ids, use=None if value else side, value=value)
    count = here.world.copy()
    count.run()
    assert count.places > 4
    for chosen in range(1, count.places + 1):
        world = here.world.copy()
        with suppress(StoppedHereError):
            world.run(chosen)
        world.later = NOW - datetime(2026, 1, 1, tzinfo=UTC)
        world.settle()
        texts = {world.containers[one].records[ids[one]].fields[TEXT[one]] for one in Side}
        assert texts == {value or Pair("three", "four")[side]}, chosen
        state = world.state or State()
        assert (state.held, state.decisions) == ({}, {}), chosen


def test_a_stop_at_any_place_loses_no_held_conflict() -> None:
    here, ids = waiting(notes=True)
    count = here.world.copy()
    count.run()
    for chosen in range(1, count.places + 1):
        world = here.world.copy()
        with suppress(StoppedHereError):
            world.run(chosen)
        world.settle()
        assert (world.state or State()).held[ids.notion]["Text"].values == {
            Side.NOTION: "three",
            Side.OTHER: "four",
        }, chosen


def test_a_tie_is_counted_in_the_report() -> None:
    here = Here(replace(RULES, mode=ConflictMode.NEWER), Pair(PLAIN, PLAIN))
    ids = here.linked()
    for side in Side:
        here.world.containers[side].clock = lambda: NOW
        here.edit(side, ids[side], text=f"{side} text", note=f"{side} note")
    report = here.run()
    assert report.summary()["ties"] == report.ties == 2
    assert report.summary()["conflicts"] == 2
    # An order that can be told is none.
    here.open()
    here.edit(Side.NOTION, ids.notion, text="three")
    here.world.containers.other.clock = lambda: NOW + timedelta(seconds=1)
    here.edit(Side.OTHER, ids.other, text="four")
    assert here.run().summary()["ties"] == 0
    assert here.report.summary()["conflicts"] == 1


def test_what_has_no_link_does_not_wait() -> None:
    """Nobody could decide it: decisions are looked for at linked records."""
    here, ids = held()
    here.run()
    here.state.unlink(ids.notion)
    change = remember(HOLDS, here.report, here.state, here.plan, frozenset(), NOW)
    assert change.held == {ids.notion: None}


@BOTH
@pytest.mark.parametrize("paused", list(Side))
def test_a_paused_record_still_waits_with_its_decision(side: Side, paused: Side) -> None:
    here, ids = held()
    decide(here, ids, use=side)
    before = here.state.held, here.state.decisions
    here.state.paused[paused] = {ids[paused]}
    here.run()
    assert (here.state.held, here.state.decisions) == before
    here.state.paused.clear()
    here.open()
    here.run()
    assert shown(here, ids) == Pair.each(lambda _: Pair("three", "four")[side])


# --- inside Notion ---


@BOTH
def test_a_person_decides_beside_the_record(side: Side) -> None:
    here, ids = held(notes=True)
    notes = {s: here.world.containers[s].records[ids[s]].about.note or "" for s in Side}
    assert all(note.startswith("Sync conflict: Text is three on notion") for note in notes.values())
    assert here.is_quiet()
    assert here.world.places == 0
    here.note(side, ids[side], "other")
    report = here.run()

    assert shown(here, ids) == Pair("four", "four")
    assert report.outcome is Outcome.DONE
    assert {here.world.containers[s].records[ids[s]].about.note for s in Side} == {None}
    assert (here.state.held, here.state.decisions) == ({}, {})
    assert here.is_quiet()


@BOTH
def test_our_own_note_does_not_look_like_an_edit_of_the_field(side: Side) -> None:
    here, ids = held(notes=True)
    before = one(here, ids)
    here.run()
    # The note has given the record a later time of change.
    record = here.world.containers[side].records[ids[side]]
    assert record.modified != before.changed[side]
    assert one(here, ids).changed == before.changed


@BOTH
def test_an_answer_whose_write_failed_is_not_lost_with_its_note(side: Side) -> None:
    here, ids = held(notes=True)
    here.note(side, ids[side], "other")
    here.services.notion.errors["update"] = lambda: RejectedError("no")
    here.run()
    assert here.state.decisions[ids.notion]["Text"].use is Side.OTHER
    here.open()
    here.world.later = NOW - datetime(2026, 1, 1, tzinfo=UTC)
    here.run()
    assert shown(here, ids) == Pair("four", "four")
    assert here.is_quiet()


def test_a_note_that_fails_stops_no_decision() -> None:
    here, ids = waiting(notes=True)
    here.services.notion.errors["annotate"] = lambda: RejectedError("no such property")
    here.run()
    here.open()
    decide(here, ids, use=Side.OTHER)
    here.run()
    assert shown(here, ids) == Pair("four", "four")
