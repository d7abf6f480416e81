"""`sync-workers plan`: what a run would do; changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sync_workers.cli.options import ConfigOption, opened
from sync_workers.cli.output import counted, notices, one_line, shown
from sync_workers.model import Action
from sync_workers.values import is_unset

if TYPE_CHECKING:
    from rich.table import Table

    from sync_workers.model import Operation, Plan

SHOWN = 3
"""How many fields of a record that would be deleted are shown."""


def plan(
    name: Annotated[str, typer.Argument(help="The task's name.")],
    config: ConfigOption = None,
    full: Annotated[bool, typer.Option("--full", help="List everything anew, past change feeds.")] = False,
) -> None:
    """Show what a run would do now, and change nothing.

    Ends with 1 when a guard would refuse the plan.
    """
    from rich.console import Console

    from sync_workers.local import plan_of

    console = Console()
    with opened(config, name) as (task, client), console.status("reading both sides"):
        found, report, reasons = plan_of(task, client, full=full)
    if found.operations:
        console.print(table(found))
    for failure in report.failures:
        console.print(
            f"cannot be read: {failure.record_id} on {failure.side}: {one_line(failure.reason)}", markup=False
        )
    for hold in (*found.quarantined, *found.held):
        console.print(f"waits: {hold.record_id} on {hold.side}: {one_line(hold.reason)}", markup=False)
    for group in found.ambiguous:
        ids = f"{', '.join(group.ids.notion)} on notion and {', '.join(group.ids.other)} on other"
        console.print(f"left alone, since nobody can tell which belong together: {ids}", markup=False)
    for line in notices(report):
        console.print(one_line(line), markup=False)
    console.print(_summary(found), markup=False)
    for reason in reasons:
        typer.echo(f"a guard would refuse this: {reason}", err=True)
    if reasons:
        step = f"`sync-workers run {name}` keeps it for you to approve (`sync-workers plans`)"
        typer.echo(step, err=True)
        raise typer.Exit(1)


def table(found: Plan, title: str = "Plan") -> Table:
    """The operations of a plan, a row each."""
    from rich.table import Table
    from rich.text import Text

    rows = Table("What", "On", "Record", "Fields", "Why", title=title, title_justify="left")
    for operation in found:
        on = str(operation.side) if operation.action.writes else "state"
        cells = (str(operation.action), on, operation.source_id, _fields(operation), operation.reason)
        rows.add_row(*map(Text, cells))  # values may hold what a terminal takes for markup
    return rows


def _fields(operation: Operation) -> str:
    """The fields that would be written, and what stands there now; of what would go, how one knows it."""
    now = operation.records[operation.side]
    parts = []
    if now is not None and operation.action in {Action.DELETE, Action.ARCHIVE}:
        there = [(attr, value) for attr, value in now.fields.items() if not is_unset(value)]
        parts = [f"{attr}: {shown(value, 20)}" for attr, value in there[:SHOWN]]
    for attr, value in operation.fields.items():
        before = f"{shown(now.fields.get(attr), 20)} -> " if now is not None else ""
        parts.append(f"{attr}: {before}{shown(value, 20)}")
    parts += [f"{conflict.attrs.notion}: conflict" for conflict in operation.conflicts]
    parts += [shown(operation.note, 200)] if operation.note else []
    return "\n".join(parts)


def _summary(found: Plan) -> str:
    if not found.operations and found.held:
        return f"Nothing to do now: {found.links} linked record(s), {len(found.held)} wait(s)."
    if not found.operations:
        return f"Nothing to do: {found.links} linked record(s), both sides agree."
    would = counted(found.counts())
    conflicts = f"; {len(found.conflicts)} conflict(s)" if found.conflicts else ""
    return f"{found.links} linked record(s); would do: {would}{conflicts}. Nothing was changed."
