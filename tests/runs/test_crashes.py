"""Runs that die, or lose a request or a reply, at every single place; and what the next runs make of it.

Each situation is run once undisturbed to count its places: before and after each write, with the
request lost and with the reply lost, before and after each step of the store. Then it is hit at each
of them, with the stored state going through JSON, and run again until a plan is empty.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import suppress

import pytest

from sync_workers.model import ConflictMode, Side
from tests.runs.crashing import StoppedHereError, World
from tests.runs.situations import situation

SITUATIONS, AT_ONCE = 200, 10


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Thousands of runs fail here on purpose."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def undisturbed(start: World) -> World:
    """The same situation without a crash. R1: one run is enough, and the second plans nothing at all."""
    world = start.copy()
    world.run()
    quiet = world.run()
    assert quiet.operations == ()
    assert world.disagreements(quiet) == []
    return world


def crashed(start: World, place: int, *, redelivered: bool = False) -> World:
    world = start.copy()
    with suppress(StoppedHereError):
        world.run(place, redelivered=redelivered)
    return world


def finished(world: World, expected: World) -> None:
    """Quiet, in step, nothing lost (R2), nothing doubled (R3), nothing deleted by accident (R4)."""
    quiet = world.settle()
    assert world.disagreements(quiet) == []
    # A value that stands nowhere any more must have been named by a conflict. A deletion that takes a
    # record too many would take its values with it.
    assert expected.values() - world.values() == set()
    for side in Side:
        assert len(world.containers[side].records) <= len(expected.containers[side].records)


@pytest.mark.parametrize("first", range(0, SITUATIONS, AT_ONCE))
def test_after_a_stop_anywhere_the_next_runs_finish_the_work(first: int) -> None:
    """R2, R3, R4, R5: for each situation and each place; the outcome is that of the undisturbed run."""
    for seed in range(first, first + AT_ONCE):
        start = situation(seed)
        expected = undisturbed(start)
        for place in range(1, start_places(start) + 1):
            world = crashed(start, place)
            finished(world, expected)
            for side in Side:
                assert not world.contents(side) - expected.contents(side), (seed, place)


@pytest.mark.parametrize("first", range(0, SITUATIONS // 2, AT_ONCE))
def test_a_run_that_died_and_is_delivered_again_repeats_nothing_blindly(first: int) -> None:
    """R3, R5: the same plan goes on with its journal, after a stop at each place."""
    for seed in range(first, first + AT_ONCE):
        start = situation(seed)
        expected = undisturbed(start)
        for place in range(1, start_places(start) + 1):
            finished(crashed(start, place, redelivered=True), expected)


@pytest.mark.parametrize("first", range(1000, 1000 + SITUATIONS // 2, AT_ONCE))
def test_the_newer_side_may_change_after_a_stop_but_no_edit_is_lost(first: int) -> None:
    """R2: our own write makes a side the newer one, so another value may win; the loser is reported."""
    for seed in range(first, first + AT_ONCE):
        start = situation(seed, mode=ConflictMode.NEWER)
        expected = undisturbed(start)
        for place in range(1, start_places(start) + 1):
            finished(crashed(start, place), expected)


@pytest.mark.parametrize("first", range(2000, 2000 + SITUATIONS // 2, AT_ONCE))
def test_an_edit_between_a_stop_and_the_next_run_is_not_lost(first: int) -> None:
    """R2, R3: a person edits any record, also one that a create made whose reply nobody saw."""
    for seed in range(first, first + AT_ONCE):
        start = situation(seed)
        expected = undisturbed(start)
        for place in range(1, start_places(start) + 1):
            edited_after_a_stop(start, expected, place, random.Random(1000 * seed + place))


def edited_after_a_stop(start: World, expected: World, place: int, chance: random.Random) -> None:
    world = crashed(start, place)
    side = chance.choice(list(Side))
    ids = sorted(world.containers[side].records)
    if not ids:
        return
    record_id, rule = chance.choice(ids), chance.choice(world.rules.fields[:2])
    edited = world.containers[side].edit(record_id, **{rule.attrs[side]: "late edit"})

    quiet = world.settle()

    assert world.disagreements(quiet) == []
    assert "late edit" in world.values()
    # Without a safe create, what was made is known by what was sent or by its key alone. If a person
    # changes both before the next run, it is a record like any other and the source is copied again:
    # too much rather than too little, until a marker in the record (a later issue) can tell.
    key = world.rules.fields[0]
    has_its_key = rule is not key and edited.fields.get(key.attrs[side]) is not None
    is_orphan = record_id not in start.containers[side].records
    if is_orphan and (has_its_key or start.capabilities[side].safe_create):
        for each in Side:
            assert len(world.containers[each].records) <= len(expected.containers[each].records)


def start_places(start: World) -> int:
    """How many places an undisturbed run passes."""
    world = start.copy()
    world.run()
    return world.places
