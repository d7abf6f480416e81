"""`sync-workers state`: a task's state to a file and from one, and compared with both sides."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sync_workers.cli.options import ConfigOption, opened
from sync_workers.cli.output import one_line

if TYPE_CHECKING:
    from rich.table import Table

    from sync_workers.runs.verify import Finding

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The task's name.")]


@app.callback()
def _about() -> None:
    """Export, import and verify what a task remembers between two runs."""


@app.command("export")
def export(
    name: Name,
    config: ConfigOption = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it there, readable for you only.")
    ] = None,
) -> None:
    """Write a task's state as JSON, with all links and bases; it holds field values."""
    from sync_workers.local_state import stored
    from sync_workers.state_file import files

    with opened(config, name) as (task, client):
        state = stored(task, client)
    if output is None:
        typer.echo(files.as_json(state), nl=False)
    else:
        files.write(output, state)
    where = "" if output is None else f" to {output}"
    typer.echo(one_line(f"{task.name}: exported {len(state.ids)} link(s){where}"), err=True)


@app.command("import")
def import_(
    name: Name,
    file: Annotated[
        Path, typer.Argument(help="What `state export` wrote, or a state file of ultimate-notion.")
    ],
    config: ConfigOption = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write the state that is there to a file, and replace it.")
    ] = False,
) -> None:
    """Take a state over from a file, if both sides show that it is this task's.

    Ends with 1, and changes nothing, when it is not, when there is a state already, or a run works.
    """
    from rich.console import Console

    from sync_workers.local_state import import_state
    from sync_workers.model import Side

    console = Console(stderr=True)
    with opened(config, name) as (task, client), console.status("reading both sides"):
        done = import_state(task, client, file, replace=replace)
    lines = [f"{task.name}: imported {done.links} link(s) from {file}"]
    if done.backup is not None:
        lines.append(f"the state that was there is in {done.backup}")
    lines += [
        f"not on {side} any more: {_some(done.absent[side])}; the next run asks for each, and the "
        "delete policy decides on the counterpart of what is gone"
        for side in Side
        if done.absent[side]
    ]
    if done.changed:
        names = ", ".join(done.changed)
        lines.append(f"made with another set-up ({names}): the next run compares afresh and deletes nothing")
    lines.append(f"what the next run would do: sync-workers plan {task.name}")
    for line in lines:
        typer.echo(one_line(line))


@app.command("verify")
def verify(name: Name, config: ConfigOption = None) -> None:
    """Compare a task's state with both sides, and change nothing.

    Ends with 1 when something needs a person's attention.
    """
    from rich.console import Console

    from sync_workers.local_state import findings

    console = Console(highlight=False)
    with opened(config, name) as (task, client), console.status("reading both sides"):
        found = findings(task, client)
    if not found:
        console.print(f"{task.name}: state and sides agree")
        return
    console.print(_table(found))
    attention = sum(finding.what.needs_person for finding in found)
    if attention:
        typer.echo(f"{task.name}: {attention} row(s) marked with ! need attention", err=True)
        raise typer.Exit(1)
    console.print(f"{task.name}: consistent; the rest is what the next run is for", markup=False)


def _table(found: Iterable[Finding]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("", "Found", "On", "Count", "Such as", "What it means")
    for finding in found:
        what = finding.what
        cells = ["!" if what.needs_person else "", what.title, finding.side or "-", str(len(finding.ids))]
        table.add_row(*map(Text, [*cells, _ids(finding.ids), what.means]))
    return table


_SHOWN = 3


def _ids(ids: Iterable[str]) -> str:
    several = sorted(ids)
    return one_line(", ".join(several[:_SHOWN]) + (", …" if len(several) > _SHOWN else ""))


def _some(ids: Iterable[str]) -> str:
    several = list(ids)
    return f"{len(several)} linked record(s) ({_ids(several)})"
