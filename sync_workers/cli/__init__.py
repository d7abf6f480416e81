"""The command line: one file per group of commands, registered here.

Whatever is slow to import (Celery, notion-client, the services) is imported inside the commands.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from sync_workers.cli import (
    alerts,
    check,
    conflicts,
    demo,
    enqueue,
    flower,
    history,
    init,
    monitor,
    pause,
    plan,
    plans,
    reload,
    resolve,
    retry,
    run,
    serve,
    state,
    status,
    undo,
    web,
)
from sync_workers.cli.output import complain
from sync_workers.errors import SyncError

app = typer.Typer(
    name="sync-workers",
    help="Two-way sync between Notion and other services.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would show local variables, and those hold values
    rich_markup_mode=None,
)

app.command("init")(init.init)
app.command("check")(check.check)
app.command("plan")(plan.plan)
app.command("run")(run.run)
app.command("plans")(plans.plans)
app.command("show")(plans.show)
app.command("approve")(plans.approve)
app.command("discard")(plans.discard)
app.command("status")(status.status)
app.command("conflicts")(conflicts.conflicts)
app.command("resolve")(resolve.resolve)
app.command("enqueue")(enqueue.enqueue)
app.command("history")(history.history)
app.command("why")(history.why)
app.command("undo")(undo.undo)
app.command("retry")(retry.retry)
app.command("pause")(pause.pause)
app.command("resume")(pause.resume)
app.add_typer(state.app, name="state")
app.command("worker")(serve.worker)
app.command("beat")(serve.beat)
app.command("flower")(flower.flower)
app.command("web")(web.web)
app.command("monitor")(monitor.monitor)
app.command("alerts")(alerts.alerts)
app.command("reload")(reload.reload)
app.command("demo")(demo.demo)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"sync-workers {version('sync-workers')}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and end.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """What can stand before a command."""


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line; what goes wrong on purpose is a line on stderr, never a traceback.

    Ends with exit code 0, 1 when something went wrong, or 2 when the command line was.
    """
    try:
        app(args, prog_name="sync-workers")
    except SyncError as error:
        complain(error)
        sys.exit(1)
