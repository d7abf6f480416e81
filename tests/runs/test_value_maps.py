"""Value maps over several runs: the state that a record had comes back, and unknown values wait."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.engine.rules import FieldRule
from sync_workers.model import ID, Action, ConflictMode, Pair, Side
from sync_workers.report import Outcome
from sync_workers.services.memory import FULL
from sync_workers.state import State
from tests.runs.crashing import ATTRS, StoppedHereError, World
from tests.runs.here import BOTH, RULES, Here, named

STATES = ("To do", "Doing", "Blocked", "Done", "Cancelled")
DONE, OPEN = True, False
IS_DONE = {state: state in STATES[3:] for state in STATES}
NAME, TEXT, NOTE = (Pair(*attrs) for attrs in ATTRS)


def rules(rich: Side, states: tuple[str, ...] = STATES, mode: ConflictMode = ConflictMode.NEWER) -> Any:
    """The field `Text` has five states on the rich side and is done or not on the other one."""
    pairs = tuple(Pair.of(rich, state, IS_DONE[state]) for state in states)
    return replace(RULES, fields=(FieldRule(NAME), FieldRule(TEXT, values=pairs), FieldRule(NOTE)), mode=mode)


def world_of(rich: Side, state: str = "Doing") -> Here:
    """A linked record in that state."""
    here = Here(rules(rich))
    here.add(rich, title="Bread", text=state)
    here.run()
    here.open()
    return here


def ids_of(here: Here) -> Pair[ID]:
    ((notion, other),) = here.state.links()
    return Pair(notion, other)


def text(here: Here, side: Side) -> Any:
    return here.fields(side, ids_of(here)[side]).get(TEXT[side])


def says(here: Here, side: Side, value: object) -> None:
    """A person says so there, and the next run passes it on."""
    here.edit(side, ids_of(here)[side], text=value)
    here.open()
    here.run()


def stored(here: Here) -> None:
    """The state goes through its store's JSON."""
    here.world.state = State.model_validate_json(here.state.model_dump_json())


@BOTH
def test_a_state_that_was_left_comes_back_and_not_the_first_of_the_map(side: Side) -> None:
    here = world_of(side)

    says(here, side.opposite, DONE)
    assert text(here, side) == "Done"
    stored(here)
    assert here.is_quiet()
    says(here, side.opposite, OPEN)

    assert text(here, side) == "Doing"
    assert here.is_quiet()


@BOTH
def test_the_last_state_comes_back_whoever_left_it(side: Side) -> None:
    here = world_of(side)
    for chosen in ("Blocked", "Cancelled"):
        says(here, side, chosen)
    stored(here)

    says(here, side.opposite, OPEN)
    assert text(here, side) == "Blocked"
    says(here, side.opposite, DONE)

    assert text(here, side) == "Cancelled"


@BOTH
def test_a_state_that_a_conflict_overwrote_comes_back(side: Side) -> None:
    here = world_of(side)
    here.edit(side, ids_of(here)[side], text="Blocked")

    says(here, side.opposite, DONE)  # the newer edit wins
    assert text(here, side) == "Done"
    says(here, side.opposite, OPEN)

    assert text(here, side) == "Blocked"


@BOTH
def test_a_state_that_left_the_map_is_not_chosen_any_more(side: Side) -> None:
    here = world_of(side)
    says(here, side.opposite, DONE)
    here.world.rules = rules(side, tuple(state for state in STATES if state != "Doing"))

    says(here, side.opposite, OPEN)

    assert text(here, side) == "To do"


@BOTH
def test_a_record_that_is_made_again_has_the_state_that_it_had(side: Side) -> None:
    here = world_of(side)
    says(here, side.opposite, DONE)
    says(here, side, "Cancelled")
    gone = ids_of(here)

    here.remove(side, gone[side])
    here.edit(side.opposite, gone[side.opposite], title="Rye")
    here.open()
    here.run()
    assert text(here, side) == "Cancelled"
    says(here, side.opposite, OPEN)

    assert text(here, side) == "Doing"
    assert set(here.state.memory) == {ids_of(here).notion}


def test_nothing_is_remembered_that_is_not_needed() -> None:
    here = world_of(Side.NOTION)
    assert here.state.memory == {}  # what it has now its base knows

    says(here, Side.OTHER, DONE)
    assert here.state.memory[ids_of(here).notion]["Text"].last == {Side.NOTION: [(False, "Doing")]}
    here.remove(Side.NOTION, ids_of(here).notion)
    here.open()
    here.run()

    assert here.state.ids == {}
    assert here.state.memory == {}


def test_a_map_from_one_to_one_remembers_nothing() -> None:
    here = Here(rules(Side.NOTION, ("Doing", "Done")))
    here.add(Side.NOTION, title="Bread", text="Doing")
    here.run()

    says(here, Side.OTHER, DONE)

    assert text(here, Side.NOTION) == "Done"
    assert here.state.memory == {}


@BOTH
def test_a_stop_at_any_place_forgets_no_state(side: Side) -> None:
    """The write is done, the process dies before anything about it is stored, and so on."""
    start = world_of(side).world
    for _ in range(2):
        start.settle()
    (record_id,) = start.containers[side.opposite].records
    start.containers[side.opposite].edit(record_id, **named(side.opposite, {"text": True}))
    undisturbed = start.copy()
    undisturbed.run()

    for place in range(1, undisturbed.places + 1):
        world = start.copy()
        with suppress(StoppedHereError):
            world.run(place)
        world.settle()
        world.containers[side.opposite].edit(record_id, **named(side.opposite, {"text": False}))
        world.settle()
        (record,) = world.containers[side].records.values()
        assert record.fields[TEXT[side]] == "Doing", f"stopped at place {place}"


@given(st.randoms(use_true_random=False))
def test_swapped_sides_remember_the_same(chance: Random) -> None:
    """Whatever people say on the two sides: with the rich side in the other's place all goes likewise."""
    script = [(chance.random() < 0.5, chance.choice(STATES), chance.random() < 0.7) for _ in range(8)]
    told: list[list[Any]] = []
    for rich in Side:
        here = world_of(rich)
        here.world.rules = rules(rich, mode=ConflictMode(rich.value))
        seen = []
        for on_rich, state, runs in script:
            edited = rich if on_rich else rich.opposite
            here.edit(edited, ids_of(here)[edited], text=state if on_rich else IS_DONE[state])
            if runs:
                here.open()
                here.run()
            seen.append((text(here, rich), text(here, rich.opposite)))
        here.world.settle()
        assert IS_DONE[text(here, rich)] == text(here, rich.opposite)
        memory = {attr: one.last for known in here.state.memory.values() for attr, one in known.items()}
        told.append([seen, {attr: last.get(rich) for attr, last in memory.items()}])
        assert not any(last.get(rich.opposite) for last in memory.values())
    assert told[0] == told[1]


def test_the_states_of_a_to_do_come_back_on_both_sides() -> None:
    """Several states of Notion mean one of a to-do, and several of a to-do mean one of Notion."""
    same = [
        ("To do", "NEEDS-ACTION"), ("Doing", "IN-PROCESS"), ("Blocked", "IN-PROCESS"),
        ("Done", "COMPLETED"), ("Done", "CANCELLED"),
    ]  # fmt: skip
    values = tuple(Pair(*pair) for pair in same)
    here = Here(
        replace(RULES, fields=(FieldRule(NAME), FieldRule(TEXT, values=values)), mode=ConflictMode.NEWER)
    )
    here.add(Side.NOTION, title="Bread", text="Blocked")
    here.run()
    here.open()

    says(here, Side.OTHER, "CANCELLED")
    assert text(here, Side.NOTION) == "Done"
    says(here, Side.OTHER, "IN-PROCESS")
    assert text(here, Side.NOTION) == "Blocked"
    says(here, Side.NOTION, "Done")
    assert text(here, Side.OTHER) == "CANCELLED"
    says(here, Side.NOTION, "To do")
    assert text(here, Side.OTHER) == "NEEDS-ACTION"
    assert here.is_quiet()


# --- values that the map does not know ---


@BOTH
def test_an_unknown_value_waits_and_all_else_flows(side: Side) -> None:
    here = world_of(side)
    here.edit(side, ids_of(here)[side], text="Dreaming", title="Rye")
    here.edit(side.opposite, ids_of(here)[side.opposite], text=True)  # whoever is newer
    here.open()

    here.run()

    assert here.fields(side.opposite, ids_of(here)[side.opposite])[NAME[side.opposite]] == "Rye"
    assert (text(here, side), text(here, side.opposite)) == ("Dreaming", True)
    (hold,) = here.report.held
    assert (hold.side, hold.record_id, hold.asks) == (side, ids_of(here)[side], True)
    assert f"the value of {TEXT[side]!r} has no counterpart in the value map" in hold.reason
    assert here.report.outcome is Outcome.DECISION
    assert here.report.summary()["asking"] == 1
    assert here.is_quiet()
    assert here.report.held == [hold]  # told as long as it lasts


@BOTH
def test_an_unknown_value_waits_also_when_its_record_is_new(side: Side) -> None:
    here = Here(rules(side))
    here.add(side, title="Bread", text="Dreaming")
    here.run()

    assert text(here, side.opposite) is None
    assert [hold.asks for hold in here.report.held] == [True]
    assert here.is_quiet()
    assert text(here, side) == "Dreaming"


@BOTH
def test_a_pair_that_is_added_brings_the_value_across(side: Side) -> None:
    """Neither a conflict nor a comparison afresh may overwrite what waited for it."""
    here = world_of(side)
    says(here, side, "Dreaming")
    here.edit(side.opposite, ids_of(here)[side.opposite], note="newer")
    here.run()
    (name, attr, note) = here.world.rules.fields
    more = replace(attr, values=(*attr.values, Pair.of(side, "Dreaming", DONE)))
    here.world.rules = replace(here.world.rules, fields=(name, more, note))

    here.open()
    here.run()

    assert (text(here, side), text(here, side.opposite)) == ("Dreaming", True)
    assert not here.report.conflicts
    assert here.report.outcome is Outcome.DONE
    assert here.is_quiet()


def test_a_pair_that_is_changed_still_compares_afresh() -> None:
    here = world_of(Side.NOTION)
    swapped = tuple(Pair(pair.notion, not pair.other) for pair in here.world.rules.fields[1].values)
    fields = (here.world.rules.fields[0], replace(here.world.rules.fields[1], values=swapped))
    here.world.rules = replace(here.world.rules, fields=fields, mode=ConflictMode.NOTION)

    here.open()
    here.run()

    assert text(here, Side.OTHER) is True
    assert [op.action for op in here.plan] == [Action.UPDATE]


@pytest.mark.parametrize("mode", list(ConflictMode))
def test_an_unknown_value_is_never_overwritten_by_the_default_of_its_copy(mode: ConflictMode) -> None:
    """A created record shows its own default, such as a box that is not ticked."""
    here = Here(rules(Side.NOTION, mode=mode))
    here.add(Side.NOTION, title="Bread", text="Dreaming")
    here.run()
    here.edit(Side.OTHER, ids_of(here).other, text=False)

    here.open()
    here.run()

    assert text(here, Side.NOTION) == "Dreaming"


def test_a_world_without_maps_is_what_it_was() -> None:
    world = World(RULES, Pair(FULL, FULL))
    world.containers.notion.add(Name="Bread", Text="two", Note=None)
    world.settle()
    assert world.state is not None
    assert world.state.memory == {}
