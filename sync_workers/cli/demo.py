"""`sync-workers demo`: everything on this machine, and a script that shows what it does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    once: Annotated[bool, typer.Option("--once", help="Play the script, check both sides, and end.")] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="PATH",
            help="Run the tasks of this task file on its real services instead of the script.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start Redis, a sandbox Notion, a calendar, workers, beat and Flower here, and show a sync at work."""
    from rich.console import Console

    from sync_workers.sandbox.demo.play import play

    play(Console(), once=once, task_file=config)
