"""`sync-workers undo`: take back what a run did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sync_workers.cli.options import ConfigOption, connected
from sync_workers.cli.output import one_line
from sync_workers.errors import GuardError, SettingsError

if TYPE_CHECKING:
    from rich.console import Console

    from sync_workers.redis.connect import Client
    from sync_workers.runs.task import Task
    from sync_workers.undoing import Wish


def undo(
    run: Annotated[str, typer.Argument(help="The run's id, or how it begins; `history` shows it.")],
    record: Annotated[
        str | None,
        typer.Argument(help="Only what it did to this record, by its id on either side.", show_default=False),
    ] = None,
    config: ConfigOption = None,
    only_plan: Annotated[bool, typer.Option("--plan", help="Show what it would do, and do nothing.")] = False,
    accept_guards: Annotated[
        bool, typer.Option("--accept-guards", help="Also if it deletes many records; look at --plan first.")
    ] = False,
) -> None:
    """Take back what a run did, as far as nobody has edited it since. Can be undone, too.

    Ends with 1 when something could not be taken back.
    """
    from rich.console import Console

    from sync_workers.undoing import Wish, runs_named

    console = Console()
    with connected(config) as (tasks, client):
        found = list(runs_named(tasks, client, run))
        if len(found) != 1:
            raise SettingsError(_unclear(run, [name for _, name in found]))
        ((task, name),) = found
        if only_plan:
            _show(console, task, client, Wish(name, record))
            return
        _take_back(console, task, client, Wish(name, record), accept_guards=accept_guards)


def _show(console: Console, task: Task, client: Client, wish: Wish) -> None:
    from sync_workers.cli.plan import table
    from sync_workers.undoing import plan_undo

    with console.status("reading both sides"):
        plan = plan_undo(task, client, wish)
    if plan.operations:
        console.print(table(plan, f"Undo of run {wish.run}"))
    for hold in plan.held:
        line = f"stays: {hold.record_id} on {hold.side}: {hold.reason}"
        console.print(one_line(line), markup=False, highlight=False)
    typer.echo(f"{len(plan)} operation(s) would be taken back. Nothing was changed.")


def _take_back(console: Console, task: Task, client: Client, wish: Wish, *, accept_guards: bool) -> None:
    from sync_workers.cli.run import show
    from sync_workers.undoing import undo as take_back

    with console.status("reading both sides") as status:

        def progress(done: int, total: int) -> None:
            status.update(f"{done} of {total} operations")

        try:
            report = take_back(task, client, wish, accept_guards=accept_guards, progress=progress)
        except GuardError as error:
            typer.echo(one_line(str(error)), err=True)
            raise typer.Exit(1) from error
    show(console, report)
    if report.outcome.value != "done" or report.held:
        raise typer.Exit(1)


def _unclear(run: str, names: list[str]) -> str:
    if not names:
        return f"no run {run} changed anything that is still kept: `sync-workers history TASK` shows them"
    return f"{len(names)} runs begin with {run}: {', '.join(names[:5])}; write more of the id"
