"""What the phases of one process share: the settings, the connection to Redis, the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from sync_workers.redis.connect import Client, connect
from sync_workers.registry import load_tasks
from sync_workers.runs.history import Kept
from sync_workers.runs.task import Task
from sync_workers.services.budget import PATIENCE
from sync_workers.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class Process:
    """What phases work with.

    Attributes:
        slice: how long `apply`, or a long listing in `get`, works before it goes on as a new message.
        lease: as in `Settings`.
        queued: as in `Settings`.
        longest_wait: a service that asks for patience gets it: the run keeps its lease, so that no tick asks
            again meanwhile. A longer wait ends the run; its message would be delivered twice.
        patience: how long a phase sleeps at most until it is its turn to call a service.
        kept: how much of a task's history is kept.
    """

    client: Client
    tasks: Mapping[str, Task]
    slice: timedelta = timedelta(seconds=60)
    lease: timedelta = timedelta(seconds=60)
    queued: timedelta = timedelta(seconds=600)
    longest_wait: timedelta = timedelta(seconds=120)
    kept: Kept = Kept()
    patience: timedelta = PATIENCE

    @classmethod
    def of(cls, settings: Settings) -> Process:
        """A process as the settings want it.

        Raises:
            SettingsError: the task file or an imported module has problems.
        """
        return cls(
            connect(settings.redis_url, settings.patience), load_tasks(settings), settings.slice,
            settings.lease, settings.queued, settings.redelivery * LONGEST_WAIT, Kept.by(settings),
        )  # fmt: skip


LONGEST_WAIT = 0.4
"""Share of `redelivery` that a run waits for a service."""


@cache
def this_process() -> Process:
    """The one of this process, made when first asked for; children of a worker inherit it.

    Raises:
        SettingsError: the settings, the task file or an imported module has problems.
    """
    return Process.of(load_settings())
