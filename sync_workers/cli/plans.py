"""`sync-workers plans`, `show`, `approve`, `discard`: the plans that a guard refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from sync_workers.cli.options import ConfigOption, connected
from sync_workers.cli.output import counted, one_line
from sync_workers.errors import ConflictError, SettingsError

if TYPE_CHECKING:
    from sync_workers.model import Operation
    from sync_workers.redis.connect import Client
    from sync_workers.runs.refused import Refusal, RefusedPlan
    from sync_workers.runs.task import Task

PlanArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="PLAN", help="The plan's name, or how it begins.", show_default=False)
]


def plans(
    name: Annotated[str | None, typer.Argument(metavar="[TASK]", help="Only of this task.")] = None,
    config: ConfigOption = None,
) -> None:
    """Show the plans that a guard refused and that wait for a person."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from sync_workers.registry import pick

    table = Table("Plan", "Task", "Refused", "Why", "Would do")
    with connected(config) as (tasks, client):
        chosen = tasks.values() if name is None else [pick(tasks, name)]
        for task, refusal in _kept(chosen, client):
            why = "\n".join(map(one_line, refusal.reasons))
            cells = (refusal.id, task.name, _when(refusal), why, counted(refusal.counts))
            table.add_row(*map(Text, cells))
    if not table.row_count:
        typer.echo("no plan waits: no guard refused one")
        return
    Console().print(table)


def show(
    plan: PlanArgument,
    config: ConfigOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Show a plan that a guard refused, with the values that it would write."""
    from rich.console import Console

    from sync_workers.cli.plan import table

    with _opened(config, plan) as (task, client, refusal):
        found = _load(client, task, refusal)
    if as_json:
        typer.echo(json.dumps(_as_json(task, refusal, found), indent=2, ensure_ascii=False))
        return
    console = Console()
    console.print(table(found.plan, f"Plan {refusal.id} of {task.name}"))
    for reason in refusal.reasons:
        console.print(f"refused: {one_line(reason)}", markup=False)
    console.print(f"refused {_when(refusal)}; would do: {counted(found.plan.counts())}", markup=False)
    if refusal.approved_by is not None:
        console.print("an approval of it was cut short: approve it again to go on", markup=False)
    console.print(
        f"`sync-workers approve {refusal.id}` carries it out, `sync-workers discard {refusal.id}` forgets it",
        markup=False,
    )


def approve(plan: PlanArgument, config: ConfigOption = None) -> None:
    """Carry out exactly this plan and nothing else, if all of it would still be the same now.

    Ends with 1 when it was not carried out as a whole.
    """
    from rich.console import Console

    from sync_workers.approval import approve as carry_out
    from sync_workers.cli.run import show as show_report

    console = Console()
    with (
        _opened(config, plan) as (task, client, refusal),
        console.status("reading both sides") as status,
    ):
        try:
            carry_out(
                task,
                client,
                refusal,
                progress=lambda done, total: status.update(f"{done} of {total} operations"),
            )
        except ConflictError as error:
            show_report(console, task.report)
            typer.echo(one_line(str(error)), err=True)
            raise typer.Exit(1) from error
    show_report(console, task.report)
    if task.report.outcome.value != "done":
        raise typer.Exit(1)


def discard(plan: PlanArgument, config: ConfigOption = None) -> None:
    """Forget a plan that a guard refused; the next run decides anew."""
    from sync_workers.redis.plans_store import PlansStore

    with _opened(config, plan) as (task, client, refusal):
        PlansStore(client, task.name).discard(refusal.id)
    typer.echo(f"forgot plan {refusal.id} of {task.name}, which would have done: {counted(refusal.counts)}")


def _kept(tasks: Iterable[Task], client: Client) -> Iterator[tuple[Task, Refusal]]:
    from sync_workers.redis.plans_store import PlansStore

    for task in tasks:
        for refusal in PlansStore(client, task.name).kept():
            yield task, refusal


@contextmanager
def _opened(config: Path | None, name: str) -> Iterator[tuple[Task, Client, Refusal]]:
    """The one plan whose name begins like this, with its task and Redis.

    Raises:
        SettingsError: there is none, or more than one.
    """
    with connected(config) as (tasks, client):
        found = [
            (task, one) for task, one in _kept(tasks.values(), client) if name and one.id.startswith(name)
        ]
        if not found:
            msg = f"there is no plan {name!r}: `sync-workers plans` shows those that are kept"
            raise SettingsError(msg)
        if len(found) > 1:
            names = ", ".join(one.id for _, one in found)
            msg = f"several plans begin with {name!r}: write more of its name ({names})"
            raise SettingsError(msg)
        ((task, refusal),) = found
        yield task, client, refusal


def _load(client: Client, task: Task, refusal: Refusal) -> RefusedPlan:
    from sync_workers.redis.plans_store import PlansStore

    found = PlansStore(client, task.name).load(refusal.id)
    if found is None:  # it ended a moment ago
        msg = f"there is no plan {refusal.id!r} any more"
        raise SettingsError(msg)
    return found


def _when(refusal: Refusal) -> str:
    from sync_workers.cli.status import ago

    if refusal.times == 1:
        return f"{ago(refusal.last.isoformat())} by {refusal.trigger}"
    first, last = ago(refusal.first.isoformat()), ago(refusal.last.isoformat())
    return f"{refusal.times} times, first {first}, last {last} by {refusal.trigger}"


def _as_json(task: Task, refusal: Refusal, found: RefusedPlan) -> dict[str, Any]:
    return {
        "plan": refusal.id,
        "task": task.name,
        "reasons": list(refusal.reasons),
        "first": refusal.first.isoformat(),
        "last": refusal.last.isoformat(),
        "times": refusal.times,
        "run": refusal.run,
        "trigger": refusal.trigger.value,
        "counts": found.plan.counts(),
        "operations": [_operation(operation) for operation in found.plan],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    from sync_workers.state import write_fields

    now = operation.records[operation.side]
    # Of what would go, all of it.
    attrs = operation.fields or (now.fields if now is not None and operation.action.writes else ())
    before = {attr: now.fields.get(attr) for attr in attrs} if now is not None else {}
    return {
        "action": operation.action.value,
        "side": operation.side.value,
        "notion": operation.ids.notion,
        "other": operation.ids.other,
        "reason": operation.reason,
        "before": write_fields(before),
        "fields": write_fields(operation.fields),
        "conflicts": [conflict.attrs.notion for conflict in operation.conflicts],
    }
