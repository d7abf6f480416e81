"""A state and what both sides show, as plain values without any service."""

from __future__ import annotations

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.model import Listing, Pair, Record, Snapshot
from sync_workers.runs.get import Gathered
from sync_workers.state import State


def gathered(snapshot: Snapshot, **setup: str) -> Gathered:
    return Gathered(snapshot, setup={name.replace("_", "."): text for name, text in setup.items()})


def linked(count: int) -> tuple[State, Snapshot]:
    state = State()
    shown = Pair.each(lambda side: {f"{side}{i}": Record(f"{side}{i}", {"x": i}) for i in range(count)})
    for i in range(count):
        state.link(f"notion{i}", f"other{i}", {"x": i}, {"x": i})
    return state, Pair.each(lambda side: Listing(shown[side]))


PLAIN = Rules((FieldRule(Pair("x", "x")),), key=("x",))
