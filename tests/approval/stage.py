"""A task between two memory containers, its state in a real Redis, whose plans are refused and approved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from sync_workers.approval import approve
from sync_workers.engine.rules import Limits, Rules
from sync_workers.errors import GuardError
from sync_workers.local import run_here
from sync_workers.model import ID, NOTHING, Pair, Part, Record, Side
from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease
from sync_workers.redis.plans_store import PlansStore
from sync_workers.redis.runs_store import new_run_id
from sync_workers.redis.state_store import RedisStore, load
from sync_workers.report import Report, Trigger
from sync_workers.runs.apply import Application
from sync_workers.runs.diff import decide
from sync_workers.runs.get import get
from sync_workers.runs.refused import Refusal, RefusedPlan
from sync_workers.schedule import Schedule
from sync_workers.services.base import Mapped, Service
from sync_workers.services.budget import Budget
from sync_workers.services.memory import FULL, Container, MemoryService
from sync_workers.state import Change, State
from tests.runs.crashing import Places, StoppableService, StoppedHereError
from tests.runs.here import RULES, named

START = datetime(2026, 1, 1, tzinfo=UTC)
GUARDED = replace(RULES, limits=Limits(lost_number=2))
TITLES = ("Bread", "Milk", "Oats", "Rice", "Salt")
STEPS = {scripts.STEP, scripts.KEEP, scripts.END}
"""The scripts at which a process can be stopped: those that store something of a run."""


class StoppableClient(Client):
    """Redis, before and after whose scripts the process can die."""

    def __init__(self, real: Client, places: Places) -> None:
        super().__init__(None, real.place)
        self.real = real
        self.places = places

    def ask(self, *command: str | bytes | int) -> Any:
        return self.real.ask(*command)

    def run(self, script: str, keys: Sequence[str], args: Sequence[str | bytes | int]) -> Any:
        if script not in STEPS:
            return self.real.run(script, keys, args)
        self.places.stop()
        said = self.real.run(script, keys, args)
        self.places.stop()
        return said


@dataclass
class MemoryTask:
    """A `Task` between two containers."""

    name: str
    containers: Pair[Container] = field(default_factory=lambda: Pair.each(lambda side: Container(str(side))))
    sync_rules: Rules = GUARDED
    sync_timing: Schedule = Schedule()
    sync_connections: tuple[str, ...] = ()
    sync_tenant: str = ""
    sync_setup: str = ""
    keeps_to_plan: bool = True
    places: Places = field(default_factory=Places)
    twice: set[ID] = field(default_factory=set)
    credential: str = "one"
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        self.report = Report(self.name)

    @contextmanager
    def sync_services(
        self, _budget: Budget | None = None, _known: Mapping[str, str] = NOTHING, /
    ) -> Iterator[Pair[Service]]:
        yield Pair.each(self._service)

    def carry_out(self, application: Application) -> None:
        for part in Part:
            application.run(part)

    def _service(self, side: Side) -> Any:
        mapped = Mapped(tuple(rule.attrs[side] for rule in self.sync_rules.fields))
        return StoppableService(
            Repeating(self.containers[side], mapped, self.twice, self.credential), self.places
        )


class Repeating(MemoryService):
    """A memory service that lists some ids twice, and that is reached by a credential."""

    def __init__(self, container: Container, mapped: Mapped, twice: set[ID], credential: str) -> None:
        super().__init__(container, mapped, FULL)
        self.twice = twice
        self.credential = credential

    def setup(self) -> Mapping[str, str]:
        return {**super().setup(), "credential": self.credential}

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Any:
        fetched = super().fetch(cursor, known)
        again = tuple(record for record in fetched.records if record.id in self.twice)
        return replace(fetched, records=(*fetched.records, *again))


@dataclass
class Stage:
    """The task, and what people and processes do with it."""

    client: Client
    task: MemoryTask
    bread: Pair[ID] = Pair("", "")
    milk: Pair[ID] = Pair("", "")
    oats: Pair[ID] = Pair("", "")
    rice: Pair[ID] = Pair("", "")
    salt: Pair[ID] = Pair("", "")
    new: ID = ""

    @property
    def plans(self) -> PlansStore:
        return PlansStore(self.client, self.task.name)

    @property
    def state(self) -> State:
        return load(self.client, self.task.name) or State()

    def run(self, **how: Any) -> Report:
        return run_here(self.task, self.client, full=True, **how)

    def refused(self) -> Refusal:
        """A run that a guard refuses; what is told about its plan."""
        with pytest.raises(GuardError) as refused:
            self.run()
        (refusal,) = [one for one in self.plans.kept() if one.id == refused.value.kept]
        return refusal

    def kept(self) -> Refusal:
        """Keep what a run would do now, as if a guard refused it."""
        report = Report(self.task.name)
        with self.task.sync_services() as services:
            gathered = get(services, self.task.sync_rules, report)
        plan = decide(self.task.sync_rules, self.state, gathered, report, accept_guards=True)
        refused = RefusedPlan(plan, dict(gathered.setup), dict(self.state.setup))
        with self.lease() as lease:
            name = self.plans.keep(lease, Trigger.LOCAL, refused, ["looks odd"], START)
        (refusal,) = [one for one in self.plans.kept() if one.id == name]
        return refusal

    def store(self, change: Change) -> None:
        """Change the state as a run would."""
        with self.lease() as lease:
            RedisStore(self.client, self.task.name, lease.run, lease.fence).commit(None, change)

    @contextmanager
    def lease(self) -> Iterator[Lease]:
        lease = Lease(self.client, self.task.name, new_run_id())
        lease.take(Trigger.LOCAL, first=True)
        yield lease
        lease.end(Report(self.task.name, lease.run).summary())

    def approve(self, refusal: Refusal) -> Report:
        return approve(self.task, self.client, refusal)

    def die_at(self, place: int, refusal: Refusal) -> int:
        """Approve a plan in a process that dies at this place; how many places it passed."""
        self.task.places = Places(place)
        with suppress(StoppedHereError):
            approve(self.task, StoppableClient(self.client, self.task.places), refusal)
        passed, self.task.places = self.task.places.passed, Places()
        # The lease of a process that died ends by itself.
        self.client.ask("DEL", Keys(self.task.name).lease)
        return passed

    def add(self, side: Side, **values: Any) -> ID:
        return self.task.containers[side].add(**named(side, values)).id

    def edit(self, side: Side, record_id: ID, **values: Any) -> None:
        self.task.containers[side].edit(record_id, **named(side, values))

    def remove(self, side: Side, *record_ids: ID) -> None:
        for record_id in record_ids:
            self.task.containers[side].remove(record_id)

    def link(self, *titles: str) -> list[Pair[ID]]:
        """Linked pairs with these titles."""
        ids = [self.add(Side.NOTION, title=title, text="as it was") for title in titles]
        self.run()
        return [Pair(record_id, self.state.ids[record_id]) for record_id in ids]

    def situation(self) -> Refusal:
        """A refused plan with three deletions, an update and a create, all on the other side."""
        self.bread, self.milk, self.oats, self.rice, self.salt = self.link(*TITLES)
        for ids in (self.bread, self.milk, self.oats):
            self.remove(Side.NOTION, ids.notion)
        self.edit(Side.NOTION, self.rice.notion, text="edited")
        self.new = self.add(Side.NOTION, title="Tea")
        return self.refused()

    def shown(self, side: Side) -> Counter[tuple[Any, ...]]:
        attrs = [rule.attrs[side] for rule in self.task.sync_rules.fields]
        records = self.task.containers[side].records.values()
        return Counter(tuple(record.fields.get(attr) for attr in attrs) for record in records)

    def is_quiet(self) -> bool:
        """R1: nothing is left to do, and both sides agree."""
        report = self.run()
        return report.planned == 0 and self.shown(Side.NOTION) == self.shown(Side.OTHER)
