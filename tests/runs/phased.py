"""What a task in the tests of phases has, whatever its two sides are."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync_workers.model import Part
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.schedule import Schedule


@dataclass
class PhasedTask:
    """A task without a schedule that carries out its plan in the plan's order; a subclass opens its sides."""

    name: str
    sync_timing: Schedule = field(default=Schedule(), kw_only=True)
    sync_connections: tuple[str, ...] = field(default=(), kw_only=True)
    sync_tenant: str = field(default="", kw_only=True)
    sync_setup: str = field(default="", kw_only=True)
    keeps_to_plan: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        self.report = Report(self.name)

    def carry_out(self, application: Application) -> None:
        for part in Part:
            application.run(part)
