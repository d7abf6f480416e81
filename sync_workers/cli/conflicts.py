"""`sync-workers conflicts`: the fields that wait for a person."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from sync_workers.cli.options import ConfigOption, connected
from sync_workers.cli.output import one_line, shown
from sync_workers.model import ID, Side

if TYPE_CHECKING:
    from sync_workers.remarks import Decision, HeldConflict
    from sync_workers.state import State


class Waiting(NamedTuple):
    """A field that waits, as a person can name it."""

    notion_id: ID
    attr: str
    held: HeldConflict

    def ids(self) -> tuple[ID, ID]:
        return self.notion_id, self.held.other_id

    def attrs(self) -> tuple[str, str]:
        return self.attr, self.held.other_attr


def conflicts(
    name: Annotated[str | None, typer.Argument(help="The task's name; all tasks without it.")] = None,
    config: ConfigOption = None,
) -> None:
    """Show the fields that are held on both sides until a person decides."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from sync_workers.redis.state_store import load_remarks
    from sync_workers.registry import pick

    columns = ("Task", "Record", "Field", "On notion", "On other", "Changed", "Since")
    table = Table(*columns, show_lines=True)
    with connected(config) as (tasks, client):
        for task in [pick(tasks, name)] if name is not None else tasks.values():
            state = load_remarks(client, task.name)
            for one in waiting_in(state):
                decided = state.decisions.get(one.notion_id, {}).get(one.attr) if state is not None else None
                table.add_row(*map(Text, (task.name, *_row(one, decided))))
    console = Console()
    if not table.row_count:
        console.print("no field waits for a decision", markup=False)
        return
    console.print(table)
    console.print(
        "decide one by `sync-workers resolve TASK RECORD FIELD --use notion|other|VALUE`", markup=False
    )


def waiting_in(state: State | None) -> list[Waiting]:
    if state is None:
        return []
    return [Waiting(i, attr, held) for i, known in state.held.items() for attr, held in sorted(known.items())]


def _row(one: Waiting, decided: Decision | None) -> tuple[str, ...]:
    held = one.held
    names = one.attr if one.attr == held.other_attr else f"{one.attr} ({held.other_attr})"
    notes = [names]
    if held.frozen:
        notes.append("both sides kept answering each other")
    if decided is not None:
        notes.append(f"decided: {decided.use or 'a value'}, for the next run")
    values = (one_line(shown(held.values.get(side), 60)) for side in Side)
    changed = "\n".join(_changed(held, side) for side in Side)
    return "\n".join(one.ids()), "\n".join(notes), *values, changed, f"{held.since:%Y-%m-%d %H:%M} UTC"


def _changed(held: HeldConflict, side: Side) -> str:
    moment, author = held.changed.get(side), held.authors.get(side)
    when = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if moment is not None else "?"
    return f"{side}: {when}" + (f" by {one_line(author)}" if author else "")
