"""Anything in any order: people, runs, crashes, stale workers, bad services, lost state, changed set-ups.

After each step: no record stands twice on a side, and none is gone that nobody deleted. In the end, when the
services behave again: quiet, in step, and every value that a person wrote stands somewhere or in the history.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar, TypeAlias

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from sync_workers.engine.rules import AmbiguousPolicy, DeletePolicy, Direction, FieldRule, Rules
from sync_workers.errors import GuardError, LeaseLostError, SyncError
from sync_workers.model import ID, Action, ConflictMode, Fields, Pair, Side
from sync_workers.report import Outcome, Report
from sync_workers.runs.apply import Application, SliceOverError
from sync_workers.services.base import Capabilities
from sync_workers.services.memory import FULL
from sync_workers.state import State
from tests.figures import Figures
from tests.runs.crashing import ATTRS, KeptHere, StoppedHereError
from tests.runs.here import carry_out
from tests.runs.late import LATE, Index
from tests.runs.rough import IDENTITY, LISTINGS, WRITES, RoughWorld, Trouble
from tests.runs.situations import POOR
from tests.runs.witness import Witness

SIDES = st.sampled_from(Side)
WHICH = st.integers(0, 30)
CONFLICTS = st.sampled_from(ConflictMode)
DELETES = st.builds(Pair, st.sampled_from(DeletePolicy), st.sampled_from(DeletePolicy))
PEOPLE = st.sampled_from(("add", "add", "edit", "edit", "edit", "remove", "put out of sight", "bring back"))
Act: TypeAlias = tuple[str, Side, int, int]
ACTS = st.lists(st.tuples(PEOPLE, SIDES, WHICH, st.integers(0, 11)), min_size=1, max_size=4)
LISTED = st.sampled_from((*LISTINGS, Trouble.NONE, Trouble.NONE))
WRITTEN = st.lists(st.sampled_from((*WRITES, Trouble.NONE)), max_size=4)
SETUPS = ("credential", "fields", "policies", "container", "all state lost")


class Histories(RuleBasedStateMachine):
    """One task with two rough services, and the people around it."""

    figures: ClassVar[Figures] = Counter()

    @initialize(
        capabilities=st.tuples(*[st.sampled_from((FULL, POOR, LATE))] * 2),
        direction=st.sampled_from(Direction), mode=CONFLICTS, delete=DELETES,
        ambiguous=st.sampled_from(AmbiguousPolicy),
    )  # fmt: skip
    def begin(
        self,
        capabilities: tuple[Capabilities, Capabilities],
        direction: Direction,
        mode: ConflictMode,
        delete: Pair[DeletePolicy],
        ambiguous: AmbiguousPolicy,
    ) -> None:
        name, text, self.note = (FieldRule(Pair(*attrs)) for attrs in ATTRS)
        self.note = replace(self.note, direction=direction)
        fields = (name, text, FieldRule(Pair(*IDENTITY)), self.note)
        rules = Rules(fields, mode=mode, delete=delete, ambiguous=ambiguous, key=("Name",))
        # What is listed late is for `test_crashes`: who adds the same twice meanwhile gets it twice.
        indexes = Pair(Index(lags=False), Index(lags=False))
        self.world = RoughWorld(rules, Pair(*capabilities), accept_guards=False, indexes=indexes)
        self.witness = Witness(self.world)
        self.world.race = self.race
        self.stale: list[Application] = []
        self.figures["histories of random steps"] += 1

    # --- people and services ---

    @rule(acts=ACTS)
    def people(self, acts: list[Act]) -> None:
        for act, side, which, how in acts:
            record_id = self.one_of(side, which)
            if act == "add":
                self.add(side, how)
            elif act == "bring back":
                self.bring_back(side)
            elif record_id is not None and act == "edit":
                self.edit(side, record_id, how)
            elif record_id is not None and act == "remove":
                self.witness.remove(side, record_id)
            elif record_id is not None:
                self.witness.put_out_of_sight(side, record_id)

    def add(self, side: Side, how: int) -> None:
        key = (self.witness.value(), self.witness.value(), f"shared by {side}", None)[how % 4]
        # Two of one shared key on both sides would be two that nobody can tell apart.
        self.witness.add(tuple(Side) if how in {0, 1} else (side,), key)

    def edit(self, side: Side, record_id: ID, how: int) -> None:
        fields = [each for each in self.world.rules.fields if each.attrs.notion != IDENTITY[0]]
        value = None if how >= 9 else self.witness.value()
        self.witness.edit(side, record_id, fields[how % len(fields)], value)

    def race(self, side: Side, record_id: ID, written: Fields) -> None:
        """A person edits just what is about to be written."""
        text = self.world.rules.fields[1]
        rule = next((each for each in self.world.rules.fields if each.attrs[side] in written), text)
        self.witness.edit(side, record_id, rule, self.witness.value())

    def bring_back(self, side: Side) -> None:
        for record_id in sorted(self.witness.put_away[side])[:1]:
            self.witness.bring_back(side, record_id)

    @rule(side=SIDES, listing=LISTED, which=WHICH, writes=WRITTEN, refused=st.booleans())
    def services(
        self, side: Side, listing: Trouble, which: int, writes: list[Trouble], refused: bool
    ) -> None:
        """One side misbehaves until the end of the next run, or refuses one record from now on."""
        temper = self.world.tempers[side]
        linked = sorted(self.linked(side))
        # What is not linked can hide as well; then nobody can know of it (see docs/promises.md).
        missing = linked if listing is Trouble.EMPTY else linked[which % 4 :: 2]
        temper.listing, temper.missing = listing, frozenset(missing)
        temper.writes.extend(writes)
        temper.refuses.clear()
        if refused and (record_id := self.one_of(side.opposite, which)):
            temper.refuses.add(self.witness.identity_of(side.opposite, record_id))

    def linked(self, side: Side) -> set[ID]:
        """What the next run knows to be there."""
        state = self.world.state or State()
        bound = {each: state.setup.get(f"{each}.container") for each in Side}
        is_moved = any(bound[each] != self.world.containers[each].name for each in Side)
        return set() if is_moved else state.linked(side)

    # --- runs ---

    @rule()
    def run(self) -> None:
        """R1 and R8 at once, where nothing else kept the run from its end."""
        troubled = any(self.world.tempers[side].writes for side in Side)
        if (report := self.tried()) is None:
            return
        self.figures["runs in random histories"] += 1
        hidden = {self.world.tempers[side].listing for side in Side} - {Trouble.NONE, Trouble.UNREADABLE}
        # Some feeds show what was deleted only when all is compared.
        hidden |= {Trouble.HIDES} if self.world.is_late else set()
        if report.outcome in {Outcome.DONE, Outcome.PARTIAL} and not (report.held or hidden or troubled):
            plan = self.world.plan(Report("crash"))
            assert self.witness.out_of_step(self.world.disagreements(plan)) == []
            if report.outcome is Outcome.DONE:
                assert plan.operations == ()
                self.witness.unsure.clear()
        self.calm()

    @rule(acts=ACTS, place=st.integers(1, 16), redelivered=st.booleans())
    def crash(self, acts: list[Act], place: int, redelivered: bool) -> None:
        self.people(acts)
        try:
            self.tried(place, redelivered=redelivered)
        except StoppedHereError:
            self.figures["runs in random histories that died"] += 1
        self.calm()

    def tried(self, place: int | None = None, *, redelivered: bool = False) -> Report | None:
        """A run; None where it was refused or could not read a side, and then it wrote on neither of them."""
        before = self.everything()[:2]
        number = len(self.world.reports)
        try:
            self.world.run(place, redelivered=redelivered)
        except GuardError:
            self.figures["runs in random histories that a guard refused"] += 1
        except SyncError:
            self.figures["runs in random histories that could not read a side"] += 1
        else:
            return self.world.reports[-1]
        assert len(self.world.reports) == number
        assert self.everything()[:2] == before
        self.calm()
        return None

    @rule(acts=ACTS, after=st.integers(0, 3))
    def fall_asleep(self, acts: list[Act], after: int) -> None:
        """A worker stops between two operations, for longer than its lease lasts."""
        self.people(acts)
        self.world.awake = after
        try:
            self.world.run()
        except SliceOverError:
            assert self.world.last is not None
            self.stale.append(self.world.last)
        except GuardError:
            self.figures["runs in random histories that a guard refused"] += 1
        except SyncError:
            self.figures["runs in random histories that could not read a side"] += 1
        self.world.awake = None
        self.calm()

    @precondition(lambda self: self.stale)
    @rule()
    def wake_up(self) -> None:
        """R6: it finds its lease gone before its next write."""
        asleep = self.stale.pop()
        self.world.fence += 1
        before = self.everything()
        asleep.stop = lambda: False
        # On a side that asked for patience it would not have gone on anyway.
        if len(asleep.ended) < len(asleep.plan) and not asleep.resting:
            with pytest.raises(LeaseLostError):
                carry_out(asleep)
            self.figures["stale workers that woke up with work left"] += 1
        assert self.everything() == before

    # --- set-up ---

    @rule(what=st.sampled_from(SETUPS), side=SIDES, mode=CONFLICTS, delete=DELETES)
    def change(self, what: str, side: Side, mode: ConflictMode, delete: Pair[DeletePolicy]) -> None:
        if what == "credential":
            self.change_credential(side)
        elif what == "fields":
            self.change_fields()
        elif what == "policies":
            self.world.rules = replace(self.world.rules, mode=mode, delete=delete)
        elif what == "container":
            self.witness.forget_links()
            self.world.containers[side].name += "_moved"
            self.calm()
        else:
            self.lose_all_state()

    def change_credential(self, side: Side) -> None:
        """R9: the next plan deletes nothing."""
        self.world.tempers[side].credential += " and another"
        known = self.world.state is not None and self.world.state.setup
        with suppress(SyncError):
            plan = self.world.plan(Report("crash"))
            assert not known or not any(op.action in {Action.DELETE, Action.ARCHIVE} for op in plan)

    def change_fields(self) -> None:
        fields = self.world.rules.fields
        if self.note in fields:
            self.witness.unmap(self.note)
            fields = tuple(each for each in fields if each is not self.note)
        else:
            fields = (*fields, self.note)
        self.world.rules = replace(self.world.rules, fields=fields)

    def lose_all_state(self) -> None:
        self.witness.forget_links()
        self.calm()
        self.world.state = None
        self.world.mirrors = KeptHere(lost=True)
        self.world.fence += 1

    # --- what must be true ---

    @invariant()
    def nothing_is_doubled_and_nothing_deleted_by_accident(self) -> None:
        if hasattr(self, "witness"):
            assert self.witness.duplicates() == []
            assert self.witness.missing() == []

    def teardown(self) -> None:
        if not hasattr(self, "witness"):
            return
        self.calm()
        for side in Side:
            self.world.tempers[side].refuses.clear()
            while self.witness.put_away[side]:
                self.bring_back(side)
        self.world.accept_guards = True
        self.world.later = timedelta(days=3)  # nothing is in quarantine any more
        self.world.run()  # which deletes nothing if the set-up changed
        quiet = self.world.settle()
        self.nothing_is_doubled_and_nothing_deleted_by_accident()
        assert self.world.disagreements(quiet) == []
        assert self.witness.lost() == set()

    def calm(self) -> None:
        for side in Side:
            self.world.tempers[side].calm()

    def one_of(self, side: Side, which: int) -> ID | None:
        ids = sorted(self.world.containers[side].records)
        return ids[which % len(ids)] if ids else None

    def everything(self) -> tuple[object, ...]:
        """All records of both sides, and the state."""
        records = tuple(dict(self.world.containers[side].records) for side in Side)
        return *records, None if self.world.state is None else self.world.state.model_copy(deep=True)
