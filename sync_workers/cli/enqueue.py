"""`sync-workers enqueue`: ask the workers for a run."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from sync_workers.cli.options import ConfigOption
from sync_workers.cli.output import RESUMED, counted, one_line


def enqueue(
    name: Annotated[str, typer.Argument(help="The task's name.")],
    config: ConfigOption = None,
    record: Annotated[
        list[str] | None,
        typer.Option("--record", help="Look at this Notion record alone; may be given several times."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="List everything anew, past change feeds.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the run and show how it ended.")] = False,
    timeout: Annotated[
        float | None,
        typer.Option(min=0.1, help="With --wait: give up waiting after so many seconds.", show_default=False),
    ] = None,
) -> None:
    """Ask the workers to run a task now. While another run works on it, exactly one more follows.

    With --wait it ends with 1 when the run did not end as done.
    """
    from rich.console import Console

    from sync_workers.settings import variable
    from sync_workers.worker.enqueue import enqueue as send

    if config is not None:
        os.environ[variable("config")] = str(config)
    if not wait:
        typer.echo(
            f"asked for run {send(name, full=full, records=record or ())} of {name}; "
            "'sync-workers status' shows how it ends"
        )
        return
    console = Console()
    with console.status(f"waiting for the run of {name}"):
        summary = send(name, full=full, records=record or (), wait=True if timeout is None else timeout)
    for line in described(summary):
        console.print(one_line(line), markup=False, highlight=False)
    if summary["outcome"] != "done":
        raise typer.Exit(1)


def described(summary: dict[str, Any]) -> list[str]:
    """How a run ended, from its stored report."""
    calls = ", ".join(f"{number} to {side}" for side, number in summary["calls"].items())
    seconds = sum(summary["seconds"].values())
    lines = [
        f"{summary['task']}: run {summary['run']} {summary['outcome']} in {seconds:.1f} s",
        f"did: {counted(summary['counts']) or 'nothing to do'}; calls: {calls or 'none'}",
    ]
    lines += [f"failed: {f['action']} {f['id']} on {f['side']}: {f['reason']}" for f in summary["failures"]]
    if summary["conflicts"]:
        lines.append(f"conflicts: {summary['conflicts']}, held for a person: {summary['held_conflicts']}")
    lines += [f"{text}: {summary[what]}" for what, text in _LEFT.items() if summary.get(what)]
    lines += [
        f"made again, since it was edited: the counterpart of {record_id}" for record_id in summary["remade"]
    ]
    if summary.get("resumed"):
        lines.append(RESUMED)
    return [*lines, summary["reason"]] if summary["reason"] else lines


_LEFT = {"held": "waiting", "quarantined": "in quarantine", "ambiguous": "left alone"}
