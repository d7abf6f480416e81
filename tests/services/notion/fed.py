"""A task between the sandbox's Notion and a memory service, run with mirrors as workers keep them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.model import Pair, Part, Plan, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.diff import decide
from sync_workers.runs.finish import finish
from sync_workers.runs.get import get
from sync_workers.runs.reading import Wish
from sync_workers.runs.store import MemoryStore
from sync_workers.services.base import Mapped, Service
from sync_workers.services.memory import Container, MemoryService
from sync_workers.state import State
from tests.runs.crashing import KeptHere
from tests.services.notion.world import NotionWorld

RULES = Rules((FieldRule(Pair("Name", "title")),), key=("Name",))


@dataclass
class Fed:
    """Runs of one task, each with services of its own.

    Attributes:
        place: what the task file says about the Notion side besides its data source.
        now: our time.
    """

    world: NotionWorld
    rules: Rules = RULES
    place: dict[str, Any] = field(default_factory=dict)
    container: Container = field(default_factory=Container)
    store: MemoryStore = field(default_factory=MemoryStore)
    mirrors: KeptHere = field(default_factory=KeptHere)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    plan: Plan = field(default_factory=Plan)

    @property
    def state(self) -> State:
        return self.store.state or State()

    def run(self, wish: Wish = Wish()) -> Report:
        """A run one minute after the last one. Guards hold."""
        self.now += timedelta(minutes=1)
        names = Pair.each(lambda side: tuple(rule.attrs[side] for rule in self.rules.fields))
        mapped = Pair(
            # As the state knows them: a title's id is the same everywhere.
            Mapped(names.notion, key="Name", ids={"Name": "title"}),
            Mapped(names.other, key="title"),
        )
        place = {"data_source": self.world.source, **self.place}
        with closing(self.world.open(mapped.notion, **place)) as notion:
            services: Pair[Service] = Pair(notion, MemoryService(self.container, mapped.other))
            report, known = Report("task", f"run {self.now}"), self.store.load()
            self.mirrors.take_over(self.store)
            gathered = get(
                services, self.rules, report,
                mirrors=self.mirrors, wish=replace(wish, now=self.now), known=self.state.setup,
            )  # fmt: skip
            self.plan = decide(self.rules, known, gathered, report)
        with closing(self.world.open(mapped.notion, **place)) as notion:
            services = Pair(notion, services.other)
            application = Application("task", services, self.plan, known or State(), self.store, report)
            for part in Part:
                application.run(part)
            finish(report, self.store, application.state, gathered, self.plan, self.rules)
        self.store.begun.clear()
        self.store.ended.clear()
        return report

    def calls_of_a_run(self, wish: Wish = Wish()) -> list[tuple[str, str]]:
        self.world.calls()
        self.run(wish)
        return self.world.calls()

    def other(self, name: str) -> str:
        """The id of the record of that name on the other side."""
        (found,) = [r.id for r in self.container.records.values() if r.fields["title"] == name]
        return found

    def titles(self, side: Side) -> list[str]:
        records = self.mirrors.kept[side].records.values()
        return sorted(record.fields["Name" if side is Side.NOTION else "title"] for record in records)
