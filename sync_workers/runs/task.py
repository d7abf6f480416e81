"""What the phases need to know about a task, whichever kind it is."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from sync_workers.engine.rules import Rules
from sync_workers.model import NOTHING, Pair
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.schedule import Schedule
from sync_workers.services.base import Service
from sync_workers.services.budget import Budget


class Task(Protocol):
    """A task that can be run: a `SyncTask`, or one made of two services by configuration."""

    name: str
    report: Report

    @property
    def sync_rules(self) -> Rules:
        """What the engine has to know."""

    @property
    def sync_connections(self) -> tuple[str, ...]:
        """The names of the connections it uses; while one of them is paused, it does not run."""

    @property
    def sync_tenant(self) -> str:
        """Whose share of the workers it uses; empty for the share of all that name nobody."""

    @property
    def sync_setup(self) -> str:
        """Fingerprint of what a plan of this task depends on: both containers, and what crosses where."""

    @property
    def sync_timing(self) -> Schedule:
        """When the task runs by itself."""

    @property
    def keeps_to_plan(self) -> bool:
        """Whether carrying out a plan does that and nothing else, whatever a subclass overrides."""

    def sync_services(
        self, budget: Budget | None = None, known: Mapping[str, str] = NOTHING, /
    ) -> AbstractContextManager[Pair[Service]]:
        """The services of both sides for one phase; they are closed at its end.

        Their calls go by the budget; without one, by one of this process alone. `known` is the set-up of the
        last run, by which fields are found that were renamed since.
        """

    def carry_out(self, application: Application) -> None:
        """Carry out all parts of a plan; may be called again after SliceOverError."""
