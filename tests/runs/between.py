"""A task between any two services, run phase by phase, with its state in this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from sync_workers.engine.rules import Rules
from sync_workers.model import ID, Pair, Part, Plan, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.diff import decide
from sync_workers.runs.finish import finish
from sync_workers.runs.get import get
from sync_workers.runs.store import MemoryStore
from sync_workers.services.base import Service
from sync_workers.state import State


@dataclass
class Between:
    """Each run opens its services anew, as the phases do.

    Attributes:
        links: those of other tasks whose records fields name.
        open: makes the service of each side; a test changes one to bind the side to something else.
    """

    rules: Rules
    open: dict[Side, Callable[[], Service]]
    store: MemoryStore = field(default_factory=MemoryStore)
    plan: Plan = field(default_factory=Plan)
    links: Mapping[str, Mapping[ID, ID]] = field(default_factory=dict)
    name: str = "task"

    @property
    def state(self) -> State:
        return self.store.state or State()

    def run(self) -> Report:
        """One whole run. Guards hold."""
        notion, other = (self.open[side]() for side in Side)
        with closing(notion), closing(other):
            services, report, known = Pair(notion, other), Report(self.name), self.store.load()
            gathered = get(services, self.rules, report)
            self.plan = decide(self.rules, known, gathered, report, links=self.links)
            application = Application(self.name, services, self.plan, known or State(), self.store, report)
            for part in Part:
                application.run(part)
            finish(report, self.store, application.state, gathered, self.plan, self.rules)
        self.store.begun.clear()
        self.store.ended.clear()
        return report

    def is_quiet(self) -> bool:
        """Whether another run plans nothing and does not call anything but the listings (rule R1)."""
        report = self.run()
        return self.plan.operations == () and not report.failures and set(report.calls.values()) == {1}
