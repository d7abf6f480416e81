"""`ServiceTask`: a task made of two services by the task file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager

from sync_workers.config.task_file import TaskConfig
from sync_workers.engine.rules import Rules
from sync_workers.model import NOTHING, Pair, Part, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.drift import known_ids
from sync_workers.runs.setup import digest, of_fields
from sync_workers.schedule import Schedule
from sync_workers.services.base import Service
from sync_workers.services.budget import Budget
from sync_workers.services.local_budget import LocalBudget


class ServiceTask:
    """A configured task; see `sync_workers.runs.task.Task`."""

    def __init__(self, config: TaskConfig) -> None:
        self.config = config
        self.name = config.name
        self.report = Report(config.name)

    def __repr__(self) -> str:
        return f"ServiceTask({self.name!r})"

    @property
    def sync_rules(self) -> Rules:
        return self.config.rules

    @property
    def sync_connections(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.config.sides[side].connection.name for side in Side))

    @property
    def sync_tenant(self) -> str:
        return self.config.tenant

    @property
    def sync_setup(self) -> str:
        sides = (self.config.sides[side] for side in Side)
        places = [
            [s.connection.kind, s.connection.settings.model_dump_json(), s.container.model_dump_json()]
            for s in sides
        ]
        return digest([places, of_fields(self.config.rules, Pair({}, {}))])

    @property
    def sync_timing(self) -> Schedule:
        return self.config.schedule

    @property
    def keeps_to_plan(self) -> bool:
        return True

    @contextmanager
    def sync_services(
        self, budget: Budget | None = None, known: Mapping[str, str] = NOTHING, /
    ) -> Iterator[Pair[Service]]:
        shared = budget or LocalBudget()  # of both sides
        with ExitStack() as stack:
            yield Pair.each(
                lambda side: stack.enter_context(
                    closing(self.config.open(side, shared, known_ids(known, side)))
                )
            )

    def carry_out(self, application: Application) -> None:
        for part in Part:
            application.run(part)
        for side in Side:
            application.report.calls.setdefault(side.value, 0)
