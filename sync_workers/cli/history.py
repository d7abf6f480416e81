"""`sync-workers history` and `why`: what runs did, and all that is known about one record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sync_workers.cli.options import ConfigOption, opened
from sync_workers.cli.output import one_line, shown
from sync_workers.errors import SettingsError

if TYPE_CHECKING:
    from rich.table import Table

    from sync_workers.model import ID, Pair
    from sync_workers.runs.history import Entry

RunOption = Annotated[str | None, typer.Option("--run", help="Only this run.", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one line each.")]


def history(
    name: Annotated[str, typer.Argument(help="The task's name.")],
    config: ConfigOption = None,
    run: RunOption = None,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many, the newest.")] = 50,
    everything: Annotated[bool, typer.Option("--all", help="All that is kept.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what the runs of a task did: each operation, with what was there before.

    With --json the oldest comes first, and every entry has the mapped fields of both sides before and after.
    """
    from sync_workers.redis.history import entries

    with opened(config, name) as (task, client):
        told = list(islice(entries(client, task.name, run), None if everything or run else number))
    if as_json:
        for entry in reversed(told):
            typer.echo(json.dumps(as_data(entry), ensure_ascii=False))
        return
    if not told:
        typer.echo("nothing is kept of this run" if run else "no run has changed anything yet")
        return
    _print(_table(told))


def why(
    name: Annotated[str, typer.Argument(help="The task's name.")],
    record: Annotated[str, typer.Argument(help="The record's id on either side.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show all that was done to one record, by which run and why, and how it stands now."""
    from sync_workers.model import Side
    from sync_workers.redis.history import entries
    from sync_workers.redis.state_store import load
    from sync_workers.runs.explain import ids_of, standing
    from sync_workers.state import State

    with opened(config, name) as (task, client):
        state = load(client, task.name) or State()
        ids = ids_of(state, record)
        known = {record, *(ids[side] for side in Side)} - {None}
        told = [entry for entry in entries(client, task.name) if known & {entry.ids[side] for side in Side}]
    if not told and all(ids[side] is None for side in Side):
        msg = (
            f"task {task.name} knows no record {record}, and no run that is still kept did anything to it: "
            f"take an id from `sync-workers history {task.name}` or from the service"
        )
        raise SettingsError(msg)
    if as_json:
        for entry in reversed(told):
            typer.echo(json.dumps(as_data(entry), ensure_ascii=False))
        return
    for sentence in standing(state, ids):
        typer.echo(one_line(sentence.replace(" TASK ", f" {task.name} ")))
    if told:
        _print(_table(told))


def as_data(entry: Entry) -> dict[str, Any]:
    """An entry in terms of JSON, with dates and the like tagged as in an exported state."""
    from sync_workers.state import write_fields
    from sync_workers.values import to_json

    def fields(pair: Pair[Any] | None) -> dict[str, Any]:
        one, another = (pair.notion, pair.other) if pair is not None else (None, None)
        return {"notion": one and write_fields(one), "other": another and write_fields(another)}

    return {
        "at": entry.at.isoformat() if entry.at else None,
        "run": entry.run,
        "number": entry.number,
        "action": entry.action.value,
        "side": entry.side.value,
        "ids": {"notion": entry.ids.notion, "other": entry.ids.other},
        "reason": entry.reason,
        "before": fields(entry.before),
        "after": fields(entry.after),
        "conflicts": [
            {
                "notion": {"field": one.attrs.notion, "value": to_json(one.values.notion)},
                "other": {"field": one.attrs.other, "value": to_json(one.values.other)},
                "winner": one.winner and one.winner.value,
                "tie": one.tie,
            }
            for one in entry.conflicts
        ],
        "lost": entry.lost,
    }


def _print(table: Table) -> None:
    from rich.console import Console

    Console().print(table)


def _table(told: list[Entry]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("When (UTC)", "Run", "What", "On", "Notion id", "Other id", "Fields", "Why")
    for entry in told:
        on = str(entry.side) if entry.action.writes else "state"
        when = f"{entry.at:%Y-%m-%d %H:%M:%S}" if entry.at else "-"
        cells = (
            when, entry.run, str(entry.action), on, _id(entry.ids.notion), _id(entry.ids.other),
            "\n".join(_fields(entry)), one_line(entry.reason),
        )  # fmt: skip
        table.add_row(*map(Text, cells))
    return table


def _id(record_id: ID | None) -> str:
    return one_line(record_id) if record_id is not None else "-"


def _fields(entry: Entry) -> Iterator[str]:
    """The fields that changed on the written side, and the values that lost a conflict."""
    from sync_workers.model import Side
    from sync_workers.values import same

    for side in Side:
        before, after = entry.before[side] or {}, entry.after[side] or {}
        for attr in dict.fromkeys([*before, *after]):
            if not same(before.get(attr), after.get(attr)):
                yield f"{attr}: {shown(before.get(attr), 30)} -> {shown(after.get(attr), 30)}"
    for one in entry.conflicts:
        if one.winner is not None:
            loser = one.winner.opposite
            tie = " by the tie rule" if one.tie else ""
            lost = shown(one.values[loser], 30)
            yield f"{one.attrs[loser]}: {one.winner} won{tie}; {loser} had {lost}"
