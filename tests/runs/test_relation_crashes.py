"""Runs that make a tree, and die or lose a request or a reply at every single place.

As in `test_crashes.py`: run once undisturbed to count the places, then hit each of them and run again until
a plan is empty. Whatever happens, both sides show one and the same tree, and nothing twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.fields import Field, Kind
from sync_workers.model import ID, About, Pair, Plan, Side
from sync_workers.references import Counterpart
from sync_workers.report import Report
from sync_workers.runs.codec import from_bytes, to_bytes
from sync_workers.services.base import Capabilities
from sync_workers.services.memory import FULL
from sync_workers.values import shown
from tests.runs.crashing import Places, StoppedHereError, World

ATTRS = Pair(("Name", "Up"), ("title", "up"))
RULES = Rules(
    (FieldRule(Pair("Name", "title")), FieldRule(Pair("Up", "up"), relation="crash")), key=("Name",)
)
KINDS = Pair(Kind.REFERENCES, Kind.TEXT)
PLAIN = replace(FULL, safe_create=False, marks=False)
BOTH = pytest.mark.parametrize("side", list(Side))
ABLE = pytest.mark.parametrize("able", [FULL, PLAIN], ids=["safe", "plain"])


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Hundreds of runs fail here on purpose."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def world(able: Capabilities) -> World:
    made = World(RULES, Pair(able, able))
    for side in Side:
        (name, up), fields = ATTRS[side], made.containers[side].fields
        fields |= {name: Field(name, Kind.TEXT), up: Field(up, KINDS[side])}
    return made


def add(made: World, side: Side, name: str, above: ID | None = None, *, shows_parent: bool = False) -> ID:
    place = made.containers[side]
    record = place.add(**{ATTRS[side][0]: name, ATTRS[side][1]: _named(side, above)})
    if shows_parent:
        place.put(replace(record, about=About(parent=above)))
    return record.id


def put_under(made: World, side: Side, record_id: ID, above: ID) -> None:
    made.containers[side].edit(record_id, **{ATTRS[side][1]: _named(side, above)})


def _named(side: Side, above: ID | None) -> object:
    return above if side is Side.OTHER else [above] if above else []


def tree(made: World, side: Side) -> list[tuple[str, str | None]]:
    """Each record's name with that of the one above it."""
    name, up = ATTRS[side]
    records = made.containers[side].records
    found = []
    for record in records.values():
        above = record.fields.get(up)
        first = (above[0] if above else None) if isinstance(above, list) else above
        found.append((str(record.fields[name]), str(records[first].fields[name]) if first else None))
    return sorted(found, key=repr)


def new_tree(side: Side, able: Capabilities, *, shows_parent: bool = False) -> World:
    """Three levels that are new, of which the lowest stands first."""
    made = world(able)
    leaf = add(made, side, "leaf")
    top = add(made, side, "top")
    middle = add(made, side, "middle", top, shows_parent=shows_parent)
    put_under(made, side, leaf, middle)
    if shows_parent:
        record = made.containers[side].records[leaf]
        made.containers[side].put(replace(record, about=About(parent=middle)))
    return made


def new_parent(side: Side, able: Capabilities) -> World:
    """Two linked records, both put below one that is new, which is below one that is new as well."""
    made = world(able)
    below = [add(made, side, name) for name in ("one", "two")]
    made.settle()
    top = add(made, side, "top")
    middle = add(made, side, "middle", top)
    for record_id in below:
        put_under(made, side, record_id, middle)
    return made


def new_on_both(side: Side, able: Capabilities) -> World:
    """A tree of which the one side has the upper half already, without links."""
    made = new_tree(side, able)
    top = add(made, side.opposite, "top")
    add(made, side.opposite, "middle", top)
    return made


SITUATIONS = {
    "new tree": new_tree,
    "new tree whose parents are shown": lambda side, able: new_tree(side, able, shows_parent=True),
    "new parent": new_parent,
    "half on both sides": new_on_both,
}


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("redelivered", [False, True], ids=["run again", "redelivered"])
@ABLE
@BOTH
def test_after_a_stop_anywhere_the_next_runs_make_the_tree_whole(
    situation: str, side: Side, able: Capabilities, redelivered: bool
) -> None:
    start = SITUATIONS[situation](side, able)
    expected = start.copy()
    expected.run()
    passed = expected.places
    # R1: one run is enough, and the second plans nothing.
    assert expected.run().operations == ()
    assert tree(expected, Side.NOTION) == tree(expected, Side.OTHER)
    assert passed

    for place in range(1, passed + 1):
        made = start.copy()
        with suppress(StoppedHereError):
            made.run(place, redelivered=redelivered)
        made.later = expected.later
        made.settle()
        for one in Side:
            assert tree(made, one) == tree(expected, one), place


def test_a_plan_that_names_what_it_makes_survives_the_way_from_phase_to_phase() -> None:
    start = new_tree(Side.NOTION, FULL)
    plan = start.plan(Report("crash"), start.services(Places()))
    assert any(op.references for op in plan)
    assert from_bytes(to_bytes(plan), Plan) == plan


def test_a_plan_tells_a_person_what_it_will_name() -> None:
    assert shown([Counterpart("N1"), "n2"]) == "the counterpart of N1, n2"
