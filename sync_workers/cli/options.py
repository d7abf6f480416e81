"""Options that several commands have, and what they stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from sync_workers.config import TaskFile
    from sync_workers.redis.connect import Client
    from sync_workers.runs.task import Task

ConfigOption: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="PATH",
        help="The task file; else SYNC_WORKERS_CONFIG, else sync.toml here.",
        show_default=False,
    ),
]


def task_file(config: Path | None) -> TaskFile:
    """The task file that the option names, else the environment.

    Raises:
        SettingsError: it is missing or wrong.
    """
    from sync_workers.config import load
    from sync_workers.settings import load_settings

    settings = load_settings()
    return load(config or settings.config)


@contextmanager
def connected(config: Path | None) -> Iterator[tuple[Mapping[str, Task], Client]]:
    """All tasks, and Redis, which answers.

    Raises:
        SettingsError: the task file is wrong.
        StateError: Redis does not answer.
    """
    from sync_workers.redis.connect import check, connect
    from sync_workers.registry import load_tasks
    from sync_workers.settings import load_settings

    settings = load_settings()
    if config is not None:
        settings = settings.model_copy(update={"config": config})
    tasks = load_tasks(settings)
    client = connect(settings.redis_url)
    try:
        check(client)
        yield tasks, client
    finally:
        client.close()


@contextmanager
def opened(config: Path | None, name: str) -> Iterator[tuple[Task, Client]]:
    """One task by name, and Redis; raises as `connected`, also for an unknown name."""
    from sync_workers.registry import pick

    with connected(config) as (tasks, client):
        yield pick(tasks, name), client
