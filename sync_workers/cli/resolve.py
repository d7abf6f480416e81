"""`sync-workers resolve`: a person's decision about a field that waits."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sync_workers.cli.conflicts import Waiting, waiting_in
from sync_workers.cli.options import ConfigOption, opened
from sync_workers.errors import ConflictError, GuardError, SettingsError, SyncError
from sync_workers.model import Side
from sync_workers.naming import hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from sync_workers.redis.connect import Client
    from sync_workers.remarks import Decision
    from sync_workers.runs.task import Task


def resolve(
    name: Annotated[str, typer.Argument(help="The task's name.")],
    record: Annotated[str, typer.Argument(help="The record's id, of either side.")],
    field: Annotated[str, typer.Argument(help="The field's name, on either side.")],
    use: Annotated[
        str | None,
        typer.Option(metavar="notion|other|VALUE", help="Whose value is taken, or a value for both sides."),
    ] = None,
    value: Annotated[
        str | None,
        typer.Option(
            help="A value for both sides, even if it reads `notion` or `other`.", show_default=False
        ),
    ] = None,
    later: Annotated[bool, typer.Option("--later", help="Leave it to the task's next run.")] = False,
    config: ConfigOption = None,
) -> None:
    """Decide a field that is held on both sides, and run the task once so that it is carried out now.

    VALUE is for both sides, as Notion's field has it: text, a number, yes or no, a day or moment such as
    2026-03-01 or 2026-03-01T08:30, JSON for lists; empty clears the field.
    """
    from rich.console import Console

    from sync_workers.redis.state_store import load_remarks, put_decision

    if (use is None) == (value is None):
        raise SettingsError("say what is to stand on both sides: --use notion, --use other or --use VALUE")
    with opened(config, name) as (task, client):
        state = load_remarks(client, task.name)
        waiting = _named(task.name, waiting_in(state), record, field)
        decision = _decision(task, client, waiting, use, value)
        put_decision(client, task.name, (waiting.notion_id, waiting.attr), decision)
        console = Console()
        if later:
            console.print("stored: the task's next run carries it out", markup=False)
        elif not _carry_out(task, client, console, waiting):
            raise typer.Exit(1)


def _named(task: str, waiting: Sequence[Waiting], record: str, field: str) -> Waiting:
    """The one that a person names; `notion:` or `other:` before the id says which side it is of.

    Raises:
        SettingsError: there is none, or several.
    """
    if not waiting:
        raise SettingsError(f"task {task}: no field waits for a decision")
    found = [one for one in waiting if record.strip() in _ids(one)]
    found = found or [one for one in waiting if _plain(record) in map(_plain, _ids(one))]
    if not found:
        near = hint(record, (record_id for one in waiting for record_id in one.ids()))
        raise SettingsError(f"task {task}: no field of a record {record!r} waits for a decision{near}")
    if len({one.notion_id for one in found}) > 1:
        raise SettingsError(
            f"task {task}: {record!r} is a record of either side: write notion:{record} or other:{record}"
        )
    exact = [one for one in found if field in one.attrs()]
    exact = exact or [one for one in found if field.casefold() in map(str.casefold, one.attrs())]
    if not exact:
        near = hint(field, {name for one in found for name in one.attrs()})
        raise SettingsError(
            f"task {task}: field {field!r} of record {record} does not wait for a decision{near}"
        )
    # A name may be that of one field on Notion, and of another one on the other side.
    return next((one for one in exact if one.attr == field), exact[0])


def _ids(one: Waiting) -> set[str]:
    return {*one.ids(), *(f"{side}:{record_id}" for side, record_id in zip(Side, one.ids(), strict=True))}


def _plain(record_id: str) -> str:
    """Notion shows its ids with and without dashes."""
    return record_id.strip().replace("-", "").casefold()


def _decision(task: Task, client: Client, waiting: Waiting, use: str | None, value: str | None) -> Decision:
    """What the person decided, in terms of the state.

    Raises:
        SettingsError: the value is none for this field.
    """
    from sync_workers.remarks import Decision

    chosen: dict[str, Any]
    named = (use or "").strip().casefold()
    if named in {side.value for side in Side}:
        chosen = {"use": Side(named)}
    else:
        chosen = {"value": _value(task, client, waiting, use if value is None else value)}
    # What the person saw is no JSON any more, so it must not be read as such.
    known = {"use": None, "value": None, "seen": waiting.held.values, "at": datetime.now(UTC)}
    return Decision.model_construct(**(known | chosen))


def _value(task: Task, client: Client, waiting: Waiting, text: str | None) -> Any:
    from sync_workers.cli.typed import typed
    from sync_workers.engine.crossing import Crossing, UncrossableError
    from sync_workers.model import Pair
    from sync_workers.redis.budget import RedisBudget
    from sync_workers.redis.state_store import load_setup
    from sync_workers.report import Trigger

    names = Pair(*waiting.attrs())
    with task.sync_services(
        RedisBudget(client, task.name, Trigger.LOCAL), load_setup(client, task.name)
    ) as services:
        fields = Pair.each(lambda side: services[side].schema().get(names[side]))
    try:
        value = typed(text or "", fields.notion, [waiting.held.values.get(side) for side in Side])
    except ValueError as error:
        raise SettingsError(f"task {task.name}: the value for {waiting.attr!r} {error}") from None
    rule = next((rule for rule in task.sync_rules.fields if rule.attrs == names), None)
    try:
        if rule is not None:
            Crossing(rule, fields).to(Side.OTHER, value, waiting.held.values.get(Side.OTHER))
    except UncrossableError:
        raise SettingsError(
            f"task {task.name}: the value map of {waiting.attr!r} does not know that value: "
            "add it there, or take another"
        ) from None
    return value


def _carry_out(task: Task, client: Client, console: Console, waiting: Waiting) -> bool:
    """Run the task once, and say what became of the decision; False when it was not carried out."""
    from sync_workers.cli.run import show
    from sync_workers.local import run_here
    from sync_workers.redis.state_store import load_remarks
    from sync_workers.report import Outcome

    try:
        with suppress(GuardError, ConflictError):  # the report tells; another field may wait
            run_here(task, client)
    except SyncError:
        console.print("stored: the task's next run that gets so far carries it out", markup=False)
        raise
    show(console, task.report)
    if task.report.outcome is Outcome.DROPPED:
        console.print("stored: the run after that one carries it out", markup=False)
        return True
    state = load_remarks(client, task.name)
    what = f"{waiting.attr} of {waiting.notion_id}"
    if state is not None and waiting.attr in state.decisions.get(waiting.notion_id, {}):
        typer.echo(
            f"{what}: not carried out yet; the decision is stored, and the next run tries it", err=True
        )
        return False
    if state is not None and waiting.attr in state.held.get(waiting.notion_id, {}):
        typer.echo(
            f"{what}: one side has changed since you looked, so nothing was decided: "
            f"look again by `sync-workers conflicts {task.name}`",
            err=True,
        )
        return False
    console.print(f"{what}: decided, both sides agree", markup=False)
    return True
