"""What a task file says, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import BaseModel

from sync_workers.config.alerts import Alerts
from sync_workers.engine.rules import Rules
from sync_workers.errors import SettingsError
from sync_workers.model import NOTHING, Pair, Side
from sync_workers.naming import hint, task_name
from sync_workers.schedule import Schedule
from sync_workers.services import ServiceKind
from sync_workers.services.base import Mapped, Service
from sync_workers.services.budget import Budget
from sync_workers.services.local_budget import LocalBudget


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """`[connections.NAME]`.

    Attributes:
        kind: the name of the service's kind, such as `caldav`.
        service: how that kind is made.
        settings: what stands in the table besides `kind`; a `service.connection`.
    """

    name: str
    kind: str
    service: ServiceKind
    settings: BaseModel


@dataclass(frozen=True, slots=True)
class SideConfig:
    """One side of a task.

    Attributes:
        container: which list, table or calendar; a `connection.service.container`.
        mapped: the side's own names of the fields that the task maps.
    """

    connection: ConnectionConfig
    container: BaseModel
    mapped: Mapped

    def open(self, budget: Budget | None = None, ids: Mapping[str, str] = NOTHING) -> Service:
        """The service of this side; makes no call yet, and has to be closed.

        Without a `budget` it has one of its own. `ids` are those of its fields as of the last run.

        Raises:
            MissingExtraError: the kind needs a part that is not installed.
            SettingsError: a secret is not where it should be.
        """
        mapped = replace(self.mapped, ids=ids) if ids else self.mapped
        return self.connection.service.connect(
            self.connection.settings, self.container, mapped, budget or LocalBudget()
        )


@dataclass(frozen=True, slots=True)
class TaskConfig:
    """`[tasks.NAME]`.

    Attributes:
        rules: what the engine has to know; its `clock_steps` come from the opened services.
        tenant: whose share of the workers it uses.
    """

    name: str
    schedule: Schedule
    rules: Rules
    sides: Pair[SideConfig]
    tenant: str = ""

    def open(self, side: Side, budget: Budget | None = None, ids: Mapping[str, str] = NOTHING) -> Service:
        """The service of one side; see `SideConfig.open`."""
        return self.sides[side].open(budget, ids)


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A whole task file.

    Attributes:
        imports: modules with SyncTask subclasses.
        tasks: by name, in the order of the file.
        alerts: when a person is told, and where.
    """

    path: Path
    imports: tuple[str, ...] = ()
    connections: Mapping[str, ConnectionConfig] = field(default_factory=dict)
    tasks: Mapping[str, TaskConfig] = field(default_factory=dict)
    alerts: Alerts = field(default_factory=Alerts)

    def task(self, name: str) -> TaskConfig:
        """The task of that name, in whatever form it is written.

        Raises:
            SettingsError: there is none; names the nearest.
        """
        try:
            return self.tasks[task_name(name)]
        except (KeyError, ValueError):
            msg = f"{self.path} has no task {name!r}{hint(name, self.tasks)}"
            raise SettingsError(msg) from None
