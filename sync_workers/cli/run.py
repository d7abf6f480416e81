"""`sync-workers run`: one run in this process, beside any workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sync_workers.cli.options import ConfigOption, opened
from sync_workers.cli.output import RESUMED, counted, notices, one_line
from sync_workers.errors import ConflictError, GuardError

if TYPE_CHECKING:
    from rich.console import Console

    from sync_workers.model import Conflict
    from sync_workers.report import Report


def run(
    name: Annotated[str, typer.Argument(help="The task's name.")],
    config: ConfigOption = None,
    full: Annotated[bool, typer.Option("--full", help="List everything anew, past change feeds.")] = False,
    accept_guards: Annotated[
        bool, typer.Option("--accept-guards", help="Carry out a plan that a guard refused; look at it first.")
    ] = False,
) -> None:
    """Run a task once in this process; workers may run beside it, since the lease keeps them apart.

    Ends with 1 when something failed, was refused, or waits for a decision.
    """
    from rich.console import Console

    from sync_workers.local import run_here

    console = Console()
    with opened(config, name) as (task, client), console.status("reading both sides") as status:
        try:
            run_here(
                task,
                client,
                full=full,
                accept_guards=accept_guards,
                progress=lambda done, total: status.update(f"{done} of {total} operations"),
            )
        except (GuardError, ConflictError) as error:
            show(console, task.report)
            typer.echo(one_line(str(error)), err=True)
            raise typer.Exit(1) from error
    show(console, task.report)
    if task.report.outcome.value != "done":
        raise typer.Exit(1)


def show(console: Console, report: Report) -> None:
    """How a run ended, in lines."""
    seconds = sum(report.seconds.values())
    calls = ", ".join(f"{number} to {side}" for side, number in report.calls.items())
    did = f"{counted(report.counts) or 'nothing to do'}; calls: {calls or 'none'}"
    lines = [f"{report.task}: {report.outcome} in {seconds:.1f} s; {did}"]
    lines += [f"conflict on {c.attrs.notion} of {c.ids.notion}: {_ending(c)}" for c in report.conflicts]
    lines += [f"failed: {f.action} {f.record_id} on {f.side}: {f.reason}" for f in report.failures]
    lines += [f"unlinked: {hold.record_id} on {hold.side}: {hold.reason}" for hold in report.parted]
    lines += [
        f"waits: {hold.record_id} on {hold.side}: {hold.reason}"
        for hold in (*report.quarantined, *report.held)
    ]
    lines += [
        f"left alone: {len(a.ids.notion)} and {len(a.ids.other)} records with one key"
        for a in report.ambiguous
    ]
    lines += [
        f"made again, since it was edited: the counterpart of {record_id}" for record_id in report.remade
    ]
    if report.resumed:
        lines.append(RESUMED)
    lines += notices(report)
    if report.reason:
        lines.append(report.reason)
    for line in lines:
        console.print(one_line(line), markup=False, highlight=False)


def _ending(conflict: Conflict) -> str:
    """What became of a conflict."""
    if conflict.frozen and conflict.held:
        return "held, since both sides kept answering each other's changes"
    if conflict.held:
        return "held"
    won = f"{conflict.winner} won" if conflict.winner is not None else "a third value won"
    if conflict.by_person:
        return f"{won}, as a person decided"
    return f"{won} by the tie rule" if conflict.tie else won
