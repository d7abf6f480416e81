"""Random edits, links that come and go: runs leave nothing to do, and take away only what a person did."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.fields import Field, Kind
from sync_workers.model import ID, ConflictMode, Fields, Pair, Side
from sync_workers.services.base import Mapped
from sync_workers.services.memory import Container, MemoryService
from tests.runs.between import Between
from tests.sizes import UNHURRIED, sized

pytestmark = UNHURRIED

NUMBERS = range(1, 5)
ATTRS = Pair(("Name", "Up"), ("title", "up"))
MODES = [ConflictMode.NOTION, ConflictMode.OTHER, ConflictMode.NEWER]


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@dataclass
class Desk:
    """One record that names targets 1 to 4; `linked` says which of them belong together."""

    is_single: bool
    mode: ConflictMode
    linked: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.places = Pair.each(lambda side: Container(side.value))
        kinds = Pair(Kind.REFERENCES, Kind.TEXT if self.is_single else Kind.REFERENCES)
        for side in Side:
            name, up = ATTRS[side]
            self.places[side].fields |= {name: Field(name, Kind.TEXT), up: Field(up, kinds[side])}
        rules = Rules(
            (FieldRule(Pair("Name", "title")), FieldRule(Pair("Up", "up"), relation="projects")),
            mode=self.mode,
            key=("Name",),
        )
        self.task = Between(rules, {side: self._opened(side) for side in Side})

    def _opened(self, side: Side) -> Any:
        return lambda: MemoryService(self.places[side], Mapped(ATTRS[side], ATTRS[side][0]))

    def run(self) -> None:
        self.task.links = {"projects": {f"N{n}": f"o{n}" for n in self.linked}}
        report = self.task.run()
        assert not report.failures

    def set(self, side: Side, numbers: list[int]) -> None:
        """What a person makes the record name on a side."""
        ids = [named(side, number) for number in numbers]
        value = (ids[0] if ids else None) if self.is_single and side is Side.OTHER else ids
        records = self.places[side].records
        if records:
            self.places[side].edit(next(iter(records)), **{ATTRS[side][1]: value})
        else:
            self.places[side].add(**dict(zip(ATTRS[side], ("it", value), strict=True)))

    def shows(self, side: Side) -> list[int]:
        """The numbers that the record names now."""
        return numbers_in(side, *(record.fields for record in self.places[side].records.values()))

    def knew(self, side: Side) -> list[int]:
        """Those that it named when both sides last were in step."""
        return numbers_in(side, *self.task.state.bases(side).values())


def numbers_in(side: Side, *fields: Fields) -> list[int]:
    (shown,) = fields
    value = shown.get(ATTRS[side][1])
    ids = value if isinstance(value, list) else [value] if value else []
    return [int(str(one)[1:]) for one in ids]


def named(side: Side, number: int) -> ID:
    return f"{'N' if side is Side.NOTION else 'o'}{number}"


SOME = st.lists(st.sampled_from(NUMBERS), unique=True, max_size=3)
STEPS = st.one_of(
    st.tuples(st.sampled_from(list(Side)), SOME),
    st.tuples(st.just("links"), st.sets(st.sampled_from(NUMBERS))),
    st.tuples(st.just("run"), st.none()),
)


@sized(150, nightly=20000)
@given(st.booleans(), st.sampled_from(MODES), st.lists(STEPS, min_size=1, max_size=10))
def test_whatever_happens_a_run_leaves_nothing_to_do_and_loses_nothing(
    is_single: bool, mode: ConflictMode, steps: list[tuple[Any, Any]]
) -> None:
    desk = Desk(is_single, mode, set(NUMBERS))
    desk.set(Side.NOTION, [1])
    desk.run()
    for what, value in steps:
        if what == "links":
            desk.linked = value
        elif what == "run":
            _run(desk)
        else:
            desk.set(what, value)
    _run(desk)

    # Everything is linked at last, and then both sides say the same where one of them was edited ...
    desk.linked = set(NUMBERS)
    _run(desk)
    # ... or where a person makes them say something from now on.
    new = next(one for one in ([2, 4], [3, 1]) if one[0] not in desk.shows(Side.NOTION)[:1])
    desk.set(Side.NOTION, new if set(new) != set(desk.shows(Side.NOTION)) else new[:1])
    _run(desk)
    shown = desk.shows(Side.NOTION)
    assert sorted(desk.shows(Side.OTHER)) == sorted(shown[:1] if is_single else shown)


def _run(desk: Desk) -> None:
    before, known = Pair.each(desk.shows), Pair.each(desk.knew)
    desk.run()
    after = Pair.each(desk.shows)
    for side in Side:
        # What has no link on this side goes only with its partner on the opposite one.
        for number in set(before[side]) - desk.linked - set(after[side]):
            assert number in known[side]
            assert number not in before[side.opposite] or is_replaced(desk, side, before, after)
    # R1
    desk.run()
    assert desk.task.plan.operations == ()
    assert Pair.each(desk.shows) == after


def is_replaced(desk: Desk, side: Side, before: Pair[list[int]], after: Pair[list[int]]) -> bool:
    """Whether the side keeps one id, and was given another one that the opposite side names first."""
    return desk.is_single and bool(after[side]) and before[side.opposite][:1] == after[side]
