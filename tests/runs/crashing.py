"""A small world of two memory services in which a run can be stopped at every single place."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sync_workers.engine.rules import Direction, Rules
from sync_workers.errors import UnknownOutcomeError
from sync_workers.model import ID, Conflict, Fields, Pair, Part, Plan, Record, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.diff import decide
from sync_workers.runs.entries import settle_intents
from sync_workers.runs.finish import finish
from sync_workers.runs.get import Gathered, get
from sync_workers.runs.history import Entry
from sync_workers.runs.mirror import Beside, Mirror
from sync_workers.runs.reading import Wish
from sync_workers.runs.store import MemoryStore
from sync_workers.services.base import Capabilities, Mapped, ReadResult, Service
from sync_workers.services.memory import Container, MemoryService
from sync_workers.state import Change, Glimpse, State
from tests.runs.late import Index, LateService

T = TypeVar("T")

ATTRS = (("Name", "title"), ("Text", "text"), ("Note", "note"))
Content = tuple[Any, ...]

LATEST_MINUTES = 5
"""After which all that a create made would be listed."""


class StoppedHereError(BaseException):
    """The process dies at this place. Not an Exception, so that nothing can catch it."""


@dataclass
class Places:
    """Counts the places at which a run can be hit, and says when it is at the chosen one."""

    chosen: int | None = None
    passed: int = 0

    def is_hit(self) -> bool:
        self.passed += 1
        return self.passed == self.chosen

    def stop(self) -> None:
        if self.is_hit():
            raise StoppedHereError


@dataclass
class StoppableService:
    """A memory service whose writes can be hit right before, right after, and by a lost reply."""

    real: MemoryService
    places: Places

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def create(self, fields: Fields, idempotency: str) -> Record:
        return self._write(lambda: self.real.create(fields, idempotency))

    def update(self, record: Record, fields: Fields) -> Record:
        return self._write(lambda: self.real.update(record, fields))

    def delete(self, record: Record) -> None:
        self._write(lambda: self.real.delete(record))

    def archive(self, record: Record) -> None:
        self._write(lambda: self.real.archive(record))

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        return self.real.read(ids)

    def _write(self, write: Callable[[], T]) -> T:
        self.places.stop()
        if self.places.is_hit():
            msg = "the request was lost"
            raise UnknownOutcomeError(msg)
        done = write()
        self.places.stop()
        if self.places.is_hit():
            msg = "the reply was lost"
            raise UnknownOutcomeError(msg)
        return done


class StoppableStore(MemoryStore):
    """A store that can die right before and right after it stored something."""

    def __init__(self, state: State | None, places: Places) -> None:
        super().__init__(state)
        self.places = places

    def begin(self, operation: int, change: Change, intent: Entry | None = None) -> bool:
        self.places.stop()
        begun = super().begin(operation, change, intent)
        self.places.stop()
        return begun

    def commit(self, operation: int | None, change: Change, entry: Entry | None = None) -> None:
        self.places.stop()
        super().commit(operation, change, entry)
        self.places.stop()


@dataclass
class KeptHere:
    """Mirrors in this process."""

    kept: dict[Side, Mirror] = field(default_factory=dict)
    seen: dict[tuple[Side, ID], Glimpse] = field(default_factory=dict)
    looks: set[tuple[Side, ID]] = field(default_factory=set)
    searched: set[Side] = field(default_factory=set)
    lost: bool = False

    def load_mirror(self, side: Side) -> Mirror | None:
        return self.kept.get(side)

    def beside(self, side: Side) -> Beside:
        seen = {i: glimpse for (each, i), glimpse in self.seen.items() if each is side}
        return Beside(
            seen, {i: "" for each, i in self.looks if each is side}, side in self.searched, self.lost
        )

    def save_mirror(self, side: Side, mirror: Mirror | None, taken: Beside) -> None:
        if mirror is not None:
            self.kept[side] = mirror
        for record_id in taken.shown:
            del self.seen[side, record_id]
        self.looks -= {(side, record_id) for record_id in taken.looks}

    def take_over(self, store: MemoryStore) -> None:
        """What a run stored beside the state; a create that is looked for makes a mirror doubtful."""
        self.seen, self.looks = store.shown, store.looks
        pending = (store.state or State()).pending
        self.searched, self.lost = {side for side in Side if pending.get(side)}, store.state is None


@dataclass
class World:
    """Two containers, a task and its stored state.

    Attributes:
        places: how many places the last run passed.
        passed: likewise the first run, for a world that was run undisturbed.
        accept_guards: whether a person is there who accepts what guards refuse.
    """

    rules: Rules
    capabilities: Pair[Capabilities]
    containers: Pair[Container] = field(default_factory=lambda: Pair.each(lambda side: Container(str(side))))
    state: State | None = None
    mirrors: KeptHere = field(default_factory=KeptHere, repr=False)
    conflicts: list[Conflict] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    minutes: int = 0
    places: int = 0
    passed: int = 0
    accept_guards: bool = True
    opened: dict[str, Entry] = field(default_factory=dict)
    history: list[Entry] = field(default_factory=list)
    later: timedelta = timedelta(0)
    wish: Wish = Wish()
    indexes: Pair[Index] = field(default_factory=lambda: Pair(Index(), Index()), repr=False)

    @property
    def now(self) -> datetime:
        """The time of the next run; `later` than the last change if a test wants so."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=self.minutes) + self.later

    def __post_init__(self) -> None:
        for side in Side:
            self.containers[side].clock = self.tick

    def tick(self) -> datetime:
        self.minutes += 1
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=self.minutes)

    def copy(self) -> World:
        """A world of its own in the same situation; the state goes through JSON as in a store."""
        state = None if self.state is None else State.model_validate_json(self.state.model_dump_json())
        containers = Pair.each(lambda side: _copied(self.containers[side]))
        kept = self.mirrors
        mirrors = KeptHere(dict(kept.kept), dict(kept.seen), set(kept.looks), set(kept.searched), kept.lost)
        return World(
            self.rules, self.capabilities, containers, state, mirrors, minutes=self.minutes,
            reports=list(self.reports), opened=dict(self.opened), history=list(self.history),
            later=self.later, indexes=Pair.each(lambda side: self.indexes[side].copy()),
        )  # fmt: skip

    def services(self, places: Places) -> Pair[Any]:
        return Pair.each(lambda side: StoppableService(self.service(side), places))

    def service(self, side: Side) -> MemoryService:
        mapped = Mapped(tuple(rule.attrs[side] for rule in self.rules.fields))
        made = (self.containers[side], mapped, self.capabilities[side])
        return LateService(*made, self.indexes[side]) if made[2].watched else MemoryService(*made)

    @property
    def is_late(self) -> bool:
        """Whether a listing may not show yet what was changed."""
        return any(self.capabilities[side].watched for side in Side)

    def catch_up(self) -> None:
        """Both indexes are no longer behind."""
        for side in Side:
            for _ in range(2):
                self.indexes[side].catch_up(self.containers[side])

    def store(self, places: Places) -> StoppableStore:
        """The store of one run."""
        return self.opens(StoppableStore(self.state, places))

    def opens(self, store: StoppableStore) -> StoppableStore:
        """A store that knows the journal and the history."""
        store.opened, store.history = dict(self.opened), list(self.history)
        store.shown, store.looks = dict(self.mirrors.seen), set(self.mirrors.looks)
        return store

    def run(
        self,
        chosen: int | None = None,
        *,
        redelivered: bool = False,
        through: Pair[Service] | None = None,
    ) -> Plan:
        """One run; `chosen` is the place where it is hit. A redelivered one goes on after a stop."""
        places = Places(chosen)
        services = through or self.services(places)
        report = Report("crash", f"run{len(self.reports)}")
        gathered = get(
            services, self.rules, report,
            mirrors=None if through else self.mirrors, wish=replace(self.wish, now=self.now),
            known=(self.state or State()).setup,
        )  # fmt: skip
        store = self.store(places)
        try:
            settle_intents(store, report.run, self.rules, store.state, gathered.snapshot)
            plan = self.decide(gathered, report)
            self.reports.append(report)
            try:
                self._apply(plan, services, store, report)
            except StoppedHereError:
                if not redelivered:
                    raise
                self._apply(plan, services, store, report)
            finish(report, store, store.state, gathered, plan, self.rules)
        finally:
            self.state = store.state
            self.opened, self.history = store.opened, store.history
            self.mirrors.take_over(store)
            self.conflicts.extend(report.conflicts)
            self.places = places.passed
        return plan

    def decide(self, gathered: Gathered, report: Report) -> Plan:
        return decide(
            self.rules, self.state, gathered, report, accept_guards=self.accept_guards, now=self.now
        )

    def _apply(self, plan: Plan, services: Pair[Any], store: StoppableStore, report: Report) -> None:
        application = self.application(plan, services, store, report)
        for part in Part:
            application.run(part)

    def application(
        self, plan: Plan, services: Pair[Any], store: StoppableStore, report: Report
    ) -> Application:
        """One attempt to carry out a plan."""
        known = store.load() or State()
        return Application("crash", services, plan, known, store, report, now=lambda: self.now)

    def plan(self, report: Report, services: Pair[Any] | None = None) -> Plan:
        """What a run would do now."""
        self.catch_up()
        return self.decide(get(services or self.services(Places()), self.rules, report), report)

    def settle(self) -> Plan:
        """Run until a plan is empty, and return that one; the last run compares all."""
        for _ in range(6):
            self.minutes += LATEST_MINUTES if self.is_late else 0
            if not (plan := self.run()).operations:
                break
        else:
            msg = f"never quiet: {plan.operations}"
            raise AssertionError(msg)
        if not self.is_late:
            return plan
        self.wish = Wish(full=True)
        for _ in range(6):
            self.catch_up()
            self.minutes += LATEST_MINUTES
            if not (plan := self.run()).operations:
                self.wish = Wish()
                return plan
        msg = f"never quiet: {plan.operations}"
        raise AssertionError(msg)

    def values(self) -> set[Any]:
        """Every value that stands somewhere, or that a conflict named."""
        shown = {v for side in Side for content in self.contents(side) for v in content}
        named = {conflict.values[side] for conflict in self.conflicts for side in Side}
        return shown | named

    def disagreements(self, quiet: Plan) -> list[str]:
        """What is not in step although the last plan was empty and did not name it."""
        state = self.state or State()
        named = {i for ambiguity in quiet.ambiguous for side in Side for i in ambiguity.ids[side]}
        named |= {hold.record_id for hold in quiet.ignored}
        held = {(conflict.ids, conflict.attrs) for conflict in quiet.conflicts}
        found = [
            f"{record_id} of {side} has no counterpart"
            for side in Side
            for record_id in self.containers[side].records
            if record_id not in state.linked(side) | state.unlinked.get(side, set()) | named
        ]
        for ids in (Pair(*link) for link in state.links()):
            notion, other = (self.containers[side].records.get(ids[side]) for side in Side)
            if notion is None or other is None:
                found += [] if {*(ids[side] for side in Side)} & named else [f"{ids} is linked, but gone"]
                continue
            found += [
                f"{rule.attrs.notion} of {ids} differs"
                for rule in self.rules.fields
                if rule.direction is Direction.BOTH
                and notion.fields.get(rule.attrs.notion) != other.fields.get(rule.attrs.other)
                and (ids, rule.attrs) not in held
            ]
        return found

    def contents(self, side: Side) -> Counter[Content]:
        attrs = [rule.attrs[side] for rule in self.rules.fields]
        records = self.containers[side].records.values()
        return Counter(tuple(record.fields.get(attr) for attr in attrs) for record in records)


def _copied(container: Container) -> Container:
    return replace(
        container,
        records=dict(container.records),
        archived=dict(container.archived),
        log=list(container.log),
        made=dict(container.made),
        numbers=itertools.count(len(container.log) + 1000),
    )
