"""What the phases of one process share: the settings, the connection to Redis, the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from sync_workers.redis.connect import Client, connect
from sync_workers.registry import load_tasks
from sync_workers.runs.task import Task
from sync_workers.settings import load_settings

PATIENCE = timedelta(seconds=30)
"""How long a phase waits for a Redis that is away, such as over a restart; half of a lease."""


@dataclass(frozen=True, slots=True)
class Process:
    """What phases work with.

    Attributes:
        slice: how long `apply` works before it goes on as a new message.
    """

    client: Client
    tasks: Mapping[str, Task]
    slice: timedelta = timedelta(seconds=60)


@cache
def this_process() -> Process:
    """The one of this process, made when first asked for; children of a worker inherit it.

    Raises:
        SettingsError: the settings, the task file or an imported module has problems.
    """
    settings = load_settings()
    return Process(connect(settings.redis_url, PATIENCE), load_tasks(settings), settings.apply_slice)
