"""`sync-workers reload`: see to it that all processes go by the task file as it is now."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from sync_workers.cli.options import ConfigOption

if TYPE_CHECKING:
    from sync_workers.redis.presence import ProcessInfo

LONGEST = timedelta(seconds=20)
"""Processes look every five seconds, at a file that was left alone for one."""

ASK_EVERY = timedelta(seconds=0.5)


def reload(
    config: ConfigOption = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until all processes have taken it up.")
    ] = True,
) -> None:
    """Check the task file, and tell which processes have taken it up: they do so by themselves.

    Ends with 1 when the file has problems, or when a process goes by another one.
    """
    from rich.console import Console

    from sync_workers.cli.processes import processes_table
    from sync_workers.config.watch import fingerprint
    from sync_workers.redis.connect import check, connect
    from sync_workers.redis.presence import processes
    from sync_workers.registry import load
    from sync_workers.settings import load_settings

    settings = load_settings()
    if config is not None:
        settings = settings.model_copy(update={"config": config})
    loaded = load(settings)
    console = Console()
    with closing(connect(settings.redis_url)) as client:
        check(client)
        mine = [fingerprint((settings.config,)), fingerprint((settings.config, *loaded.modules))]
        console.print(f"task file {settings.config}: {len(loaded.tasks)} task(s), no problems")
        deadline = time.monotonic() + (LONGEST.total_seconds() if wait else 0)
        with console.status("waiting for the processes"):
            while not _all_have(there := processes(client), mine) and time.monotonic() < deadline:
                time.sleep(ASK_EVERY.total_seconds())
    if not there:
        console.print("no process runs: it will be read when one starts")
        return
    console.print(processes_table(there, mine))
    if not _all_have(there, mine):
        raise typer.Exit(1)


def _all_have(there: Iterable[ProcessInfo], mine: list[str]) -> bool:
    return all(one.fingerprint in mine and not one.problem for one in there)
