"""The loop detector over whole runs: misbehaving sides are stopped, honest ones never."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync_workers.engine.rules import Direction, FieldRule
from sync_workers.errors import RejectedError
from sync_workers.model import ID, Action, ConflictMode, Fields, Pair, Record, Side
from sync_workers.remarks import Decision
from sync_workers.report import Outcome
from sync_workers.services.memory import FULL, MemoryService
from tests.runs.crashing import World
from tests.runs.here import RULES, Here

BOTH = pytest.mark.parametrize("side", list(Side))
PLAIN = replace(FULL, notes=False)
LIMIT = 4
LIMITED = replace(RULES, mode=ConflictMode.NEWER, loop_limit=LIMIT)
TEXT = Pair("Text", "text")
NOW = datetime(2026, 5, 1, tzinfo=UTC)

After = Callable[[Any, Any], Any]
"""What a text becomes some time after it was written, from what was there before and what was written."""


class Automated(MemoryService):
    """Shows what was written, and changes it later by itself."""

    def __init__(self, real: MemoryService, side: Side, after: After) -> None:
        super().__init__(real.container, real.mapped, real.capabilities)
        self.attr = TEXT[side]
        self.after = after

    def update(self, record: Record, fields: Fields) -> Record:
        shown = super().update(record, fields)
        if self.attr in fields:
            before = record.fields[self.attr]
            self.container.edit(record.id, **{self.attr: self.after(before, fields[self.attr])})
        return shown


def keeps(_before: Any, written: Any) -> Any:
    return written


def upper(_before: Any, written: Any) -> Any:
    return written.upper()


def flips_back(before: Any, _written: Any) -> Any:
    return before


@dataclass
class Loop:
    """A record in step whose text both sides change after each write."""

    here: Here
    ids: Pair[ID]
    afters: Pair[After]

    def run(self) -> int:
        """One run; how often it wrote the text."""
        self.here.open()
        through = Pair.each(lambda side: Automated(self.here.services[side], side, self.afters[side]))
        plan = self.here.plan = self.here.world.run(through=through)
        written = [op for op in plan if op.action is Action.UPDATE and TEXT[op.side] in op.fields]
        return len(written)

    def runs(self, number: int) -> int:
        return sum(self.run() for _ in range(number))

    @property
    def is_frozen(self) -> bool:
        held = self.here.state.held.get(self.ids.notion, {})
        return "Text" in held and held["Text"].frozen


def loop(notion: After, other: After, rules: Any = LIMITED) -> Loop:
    here = Here(rules, Pair(PLAIN, PLAIN))
    ids = here.linked()
    return Loop(here, ids, Pair(notion, other))


MISBEHAVING = {
    "both flip each write back": (flips_back, flips_back),
    "both normalise late, each in its own way": (upper, lambda _, new: new.lower()),
    "two automations answer each other": (lambda _, new: f"{new}n", lambda _, new: f"{new}o"),
    "one normalises late, the other one flips back": (upper, flips_back),
}


@BOTH
@pytest.mark.parametrize("afters", MISBEHAVING.values(), ids=MISBEHAVING)
def test_a_loop_ends_and_all_else_flows(side: Side, afters: tuple[After, After]) -> None:
    here = loop(*afters)
    here.here.edit(side, here.ids[side], text="Three")

    written = here.runs(4 * LIMIT)

    assert LIMIT < written <= LIMIT + 2
    assert here.is_frozen
    report = here.here.report
    assert report.outcome is Outcome.DECISION
    assert [c.frozen for c in report.held_conflicts] == [True]
    # Both sides stay as they are; another field and another record go on.
    before = Pair.each(lambda one: here.here.fields(one, here.ids[one])[TEXT[one]])
    here.here.edit(Side.NOTION, here.ids.notion, note="flows")
    here.here.add(Side.OTHER, title="new", text=None, note=None)
    assert here.runs(3) == 0
    assert here.here.fields(Side.OTHER, here.ids.other)["note"] == "flows"
    assert len(here.here.state.ids) == 2
    assert Pair.each(lambda one: here.here.fields(one, here.ids[one])[TEXT[one]]) == before
    assert here.is_frozen
    # A run that changes nothing stores nothing.
    here.run()
    assert here.here.world.places == 0


@BOTH
def test_a_person_decides_and_the_count_starts_anew(side: Side) -> None:
    here = loop(flips_back, flips_back)
    here.here.edit(Side.OTHER, here.ids.other, text="three")
    here.runs(3 * LIMIT)
    held = here.here.state.held[here.ids.notion]["Text"]
    here.here.state.decisions[here.ids.notion] = {"Text": Decision(use=side, seen=held.values, at=NOW)}
    here.afters = Pair(keeps, keeps)

    assert here.run() == 1

    assert (here.here.state.held, here.here.state.decisions, here.here.state.trails) == ({}, {}, {})
    assert {here.here.fields(one, here.ids[one])[TEXT[one]] for one in Side} == {held.values[side]}
    here.here.edit(Side.OTHER, here.ids.other, text="four")
    assert here.run() == 1


@BOTH
def test_both_sides_agreeing_ends_it(side: Side) -> None:
    here = loop(flips_back, flips_back)
    here.here.edit(Side.OTHER, here.ids.other, text="three")
    here.runs(3 * LIMIT)
    assert here.is_frozen
    here.afters = Pair(keeps, keeps)
    there = here.here.fields(side.opposite, here.ids[side.opposite])[TEXT[side.opposite]]
    here.here.edit(side, here.ids[side], text=there)

    here.run()

    assert (here.here.state.held, here.here.state.trails) == ({}, {})
    here.here.edit(side, here.ids[side], text="five")
    assert here.run() == 1


def test_without_a_limit_a_loop_goes_on() -> None:
    here = loop(flips_back, flips_back, replace(LIMITED, loop_limit=0))
    here.here.edit(Side.OTHER, here.ids.other, text="three")
    assert here.runs(20) == 20
    assert here.here.state.trails == {}


@BOTH
def test_one_side_that_answers_is_followed_and_no_loop(side: Side) -> None:
    """It normalises late, or takes the edit back: then the other side follows, and there is peace."""
    for after in (flips_back, upper):
        afters = Pair.of(side, after, keeps)
        here = loop(afters.notion, afters.other)
        for number in range(2 * LIMIT):
            here.here.edit(side.opposite, here.ids[side.opposite], text=f"edit {number}")
            assert here.runs(3) == 2
        assert not here.is_frozen
        assert here.here.state.trails == {}


# --- people ---


@BOTH
def test_a_person_who_toggles_a_field_with_quiet_runs_between_is_never_stopped(side: Side) -> None:
    here = loop(keeps, keeps)
    for number in range(5 * LIMIT):
        here.here.edit(side, here.ids[side], text=f"{number % 2}")
        assert here.runs(2) == 1
    assert here.here.state.trails == {}


@BOTH
def test_a_person_who_writes_new_values_before_each_run_is_never_stopped(side: Side) -> None:
    here = loop(keeps, keeps)
    for number in range(5 * LIMIT):
        here.here.edit(side, here.ids[side], text=f"edit {number}")
        assert here.run() == 1


@BOTH
def test_a_field_that_crosses_one_way_may_swing_in_each_run(side: Side) -> None:
    way = Direction.TO_OTHER if side is Side.NOTION else Direction.TO_NOTION
    fields = tuple(replace(r, direction=way) if r.attrs == TEXT else r for r in LIMITED.fields)
    here = loop(keeps, keeps, replace(LIMITED, fields=fields))
    for number in range(5 * LIMIT):
        here.here.edit(side, here.ids[side], text=f"{number % 2}")
        assert here.run() == 1
    assert here.here.state.trails == {}


def test_a_write_that_fails_in_each_run_is_no_loop() -> None:
    here = Here(LIMITED, Pair(PLAIN, PLAIN))
    ids = here.linked()
    here.edit(Side.NOTION, ids.notion, text="three")
    for _ in range(5 * LIMIT):
        here.open()
        here.world.later += NOW - datetime(2026, 1, 1, tzinfo=UTC)  # past every pause
        here.services.other.errors["update"] = lambda: RejectedError("no")
        report = here.run()
        assert [f.action for f in report.failures] == ["update"]
    assert here.state.trails == {}
    here.open()
    here.world.later += NOW - datetime(2026, 1, 1, tzinfo=UTC)
    here.run()
    assert here.fields(Side.OTHER, ids.other)["text"] == "three"


def test_a_quiet_run_forgets_the_trails() -> None:
    here = loop(keeps, keeps)
    here.here.edit(Side.NOTION, here.ids.notion, text="three")
    here.run()
    assert here.here.state.trails[here.ids.notion].keys() == {"Text"}
    here.run()
    assert here.here.state.trails == {}


def test_a_run_that_writes_something_else_forgets_them_too() -> None:
    here = loop(keeps, keeps)
    here.here.edit(Side.NOTION, here.ids.notion, text="three")
    here.run()
    here.here.edit(Side.NOTION, here.ids.notion, note="four")
    here.run()
    assert here.here.state.trails[here.ids.notion].keys() == {"Note"}


@settings(max_examples=40, deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.sampled_from([m for m in ConflictMode if m is not ConflictMode.ERROR]),
)
def test_with_honest_services_nothing_is_ever_frozen(chance: Random, mode: ConflictMode) -> None:
    rules = replace(RULES, mode=mode, loop_limit=1)
    world = World(rules, Pair(PLAIN, PLAIN))
    for number in range(3):
        world.containers.notion.add(Name=f"record {number}", Text="0", Note="0")
    world.settle()
    for _ in range(8):
        for _ in range(chance.randrange(4)):
            edit_by(chance, world, rules.fields)
        for _ in range(2):
            world.run()
            assert not any(conflict.frozen for conflict in world.reports[-1].conflicts)
    world.settle()
    assert world.state is not None
    assert world.state.trails == {}


def edit_by(chance: Random, world: World, fields: tuple[FieldRule, ...]) -> None:
    side, rule = chance.choice(list(Side)), chance.choice(fields[1:])
    container = world.containers[side]
    container.edit(chance.choice(sorted(container.records)), **{rule.attrs[side]: str(chance.randrange(3))})
