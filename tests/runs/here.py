"""Two memory services that can be told to misbehave, around one task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.errors import RejectedError
from sync_workers.model import ID, NOTHING, About, ConflictMode, Fields, Pair, Part, Record, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.diff import decide
from sync_workers.runs.get import get
from sync_workers.runs.store import Store
from sync_workers.services.base import Capabilities, ReadResult
from sync_workers.services.memory import FULL, MemoryService
from sync_workers.state import State
from tests.runs.crashing import ATTRS, Places, World

RULES = Rules(tuple(FieldRule(Pair(*attrs)) for attrs in ATTRS), mode=ConflictMode.NOTION, key=("Name",))


BOTH = pytest.mark.parametrize("side", list(Side))


class Guarded(MemoryService):
    """A memory service that can be told to answer a method with an error, and notes what it was asked."""

    def __init__(self, real: MemoryService) -> None:
        super().__init__(real.container, real.mapped, real.capabilities)
        self.errors: dict[str, Callable[[], Exception]] = {}
        self.hidden: set[ID] = set()
        self.refused: set[str] = set()
        self.asked: list[str] = []

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Any:
        fetched = super().fetch(cursor, known)
        return replace(fetched, records=tuple(r for r in fetched.records if r.id not in self.hidden))

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        self._ask("read", *ids)
        return super().read(ids)

    def create(self, fields: Fields, idempotency: str) -> Record:
        self._ask("create", idempotency)
        return super().create(fields, idempotency)

    def update(self, record: Record, fields: Fields) -> Record:
        self._ask("update", record.id)
        return super().update(record, fields)

    def delete(self, record: Record) -> None:
        self._ask("delete", record.id)
        super().delete(record)

    def archive(self, record: Record) -> None:
        self._ask("archive", record.id)
        super().archive(record)

    def annotate(self, record_id: ID, text: str) -> None:
        self._ask("annotate", record_id)
        super().annotate(record_id, text)

    def _ask(self, method: str, *what: str) -> None:
        self.asked.append(" ".join((method, *what)))
        if self.asked[-1] in self.refused:
            raise RejectedError(self.asked[-1])
        if method in self.errors:
            error = self.errors[method]()
            raise error


@dataclass
class Here:
    """A world in step, with services that can be told to misbehave."""

    rules: Rules = RULES
    capabilities: Pair[Capabilities] = Pair(FULL, FULL)
    world: World = field(init=False)
    services: Pair[Guarded] = field(init=False)

    def __post_init__(self) -> None:
        self.world = World(self.rules, self.capabilities)
        self.open()

    def open(self) -> None:
        """New services, as each run has them."""
        made = self.world.services(Places())
        self.services = Pair.each(lambda side: Guarded(made[side].real))

    def linked(self, name: str = "Bread") -> Pair[ID]:
        """A linked pair with this name."""
        self.world.containers.notion.add(Name=name, Text="two", Note=None)
        self.run()
        (ids,) = [Pair(*link) for link in self.state.links() if self.state.objs[link[0]]["Name"] == name]
        self.open()
        return ids

    def run(self) -> Report:
        self.plan = self.world.run(through=Pair(self.services.notion, self.services.other))
        return self.report

    @property
    def report(self) -> Report:
        return self.world.reports[-1]

    @property
    def state(self) -> State:
        return self.world.state or State()

    def fields(self, side: Side, record_id: ID) -> Fields:
        return self.world.containers[side].records[record_id].fields

    def add(self, side: Side, **values: Any) -> ID:
        return self.world.containers[side].add(**named(side, values)).id

    def child(self, side: Side, parent: ID, **values: Any) -> ID:
        """A record that belongs under another one."""
        container = self.world.containers[side]
        record = container.records[self.add(side, **values)]
        return container.put(replace(record, about=About(parent=parent))).id

    def edit(self, side: Side, record_id: ID, **values: Any) -> None:
        self.world.containers[side].edit(record_id, **named(side, values))

    def note(self, side: Side, record_id: ID, text: str) -> None:
        """Write beside a record as a person would."""
        container = self.world.containers[side]
        record = container.records[record_id]
        container.put(replace(record, about=replace(record.about, note=text)))

    def remove(self, side: Side, record_id: ID) -> None:
        self.world.containers[side].remove(record_id)

    def is_quiet(self) -> bool:
        self.open()
        self.run()
        return self.plan.operations == () and not any(self.services[side].asked for side in Side)


def named(side: Side, values: Mapping[str, Any]) -> dict[str, Any]:
    attrs = {other: Pair(notion, other)[side] for notion, other in ATTRS}
    return {attrs[name]: value for name, value in values.items()}


def application(here: Here, store: Store, **more: Any) -> Application:
    report = Report("apply")
    here.world.reports.append(report)
    services = Pair(here.services.notion, here.services.other)
    gathered = get(services, here.rules, report)
    plan = decide(here.rules, here.world.state, gathered, report, accept_guards=True)
    more.setdefault("now", lambda: here.world.now)
    return Application("apply", services, plan, store.load() or State(), store, report, **more)


def carry_out(application: Application) -> None:
    for part in Part:
        application.run(part)
