"""Plays the demo from the start to Ctrl-C, or once to its end."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.table import Table

from sync_workers.errors import SyncError
from sync_workers.redis.runs_store import RunsStore
from sync_workers.registry import load_tasks
from sync_workers.sandbox.demo.script import Script, described
from sync_workers.sandbox.demo.stage import Stage, stage, start_beat
from sync_workers.settings import Settings


def play(console: Console, *, once: bool, task_file: Path | None = None) -> None:
    """Start everything, run the script, and go on until Ctrl-C unless `once`.

    With a task file of the user nothing is scripted: its tasks run against the services it names.

    Raises:
        SyncError: something did not start, did not cross, or the sides do not agree.
    """
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, _interrupt)
    begun = time.monotonic()
    if task_file is not None:
        load_tasks(Settings(config=task_file))  # what is wrong in it is told before anything is started
    try:
        with ExitStack() as stack:
            with console.status("starting") as status:
                on = stack.enter_context(stage(task_file, lambda what: status.update(f"starting {what}")))
            console.print(f"[bold]Ready after {time.monotonic() - begun:.1f} s[/]")
            _addresses(on, console)
            if on.notion is None or on.calendar is None:
                if once:
                    _run_each(on, console)
                    return
                start_beat(on, stack)
            else:
                _scripted(Script(on, console, on.notion, on.calendar), stack)
            if not once:
                console.print("Edit something on either page and watch it cross. Ctrl-C ends everything.\n")
                _watch(on, console)
    except KeyboardInterrupt:
        console.print("\nstopped everything that was started")


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _addresses(on: Stage, console: Console) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for what, url in on.pages.items():
        table.add_row(what, f"[link={url}]{url}[/link]")
    console.print(table)
    console.print()


def _scripted(script: Script, stack: ExitStack) -> None:
    script.fill()
    script.first_sync()
    start_beat(script.stage, stack)
    script.edits()
    script.show()
    if not script.agree():
        msg = "the two sides do not agree at the end"
        raise SyncError(msg)
    script.console.print(script.table())
    script.console.print("[bold green]Both sides agree.[/]")


def _run_each(on: Stage, console: Console) -> None:
    """One run of each task by the workers.

    Raises:
        SyncError: one of them did not end as done.
    """
    from sync_workers.worker.enqueue import enqueue

    ended = {}
    for name in load_tasks(Settings(config=on.task_file)):
        with console.status(f"waiting for {name}"):
            summary = enqueue(name, wait=True)
        console.print(f"{name}: {described(summary)}", highlight=False)
        ended[name] = summary["outcome"]
    if wrong := [f"{name} ended as {outcome}" for name, outcome in ended.items() if outcome != "done"]:
        raise SyncError("; ".join(wrong))


def _watch(on: Stage, console: Console) -> None:
    """A line for each run that did something, until Ctrl-C."""
    names = list(load_tasks(Settings(config=on.task_file)))
    told: set[str] = {s["run"] for name in names for s in RunsStore(on.client, name).recent(100)}
    with console.status("watching"):
        while True:
            on.check()
            for name in names:
                for summary in reversed(RunsStore(on.client, name).recent(20)):
                    if summary["run"] not in told and (summary["counts"] or summary["outcome"] != "done"):
                        console.print(f"{name}: {described(summary)}", highlight=False)
                    told.add(summary["run"])
            time.sleep(0.5)
