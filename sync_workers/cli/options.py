"""Options that several commands have, and what they stand for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from sync_workers.config import TaskFile

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
