"""`sync-workers status`: all tasks with their last runs and leases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from sync_workers.cli.calls import calls_table
from sync_workers.cli.options import ConfigOption, connected
from sync_workers.cli.output import counted, one_line
from sync_workers.runs.quarantine import READ

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.table import Table

    from sync_workers.redis.connect import Client
    from sync_workers.redis.plans_store import PlansStore
    from sync_workers.redis.runs_store import RunsStore
    from sync_workers.runs.task import Task


def status(config: ConfigOption = None) -> None:
    """Show every task: its schedule, how its last run ended, and who works on it now."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from sync_workers.cli.processes import running_table
    from sync_workers.redis.connect import warnings
    from sync_workers.redis.plans_store import PlansStore
    from sync_workers.redis.runs_store import RunsStore

    failing, drifted, told = _failing(), _drifted(), _told()
    table = Table("Task", "Runs", "Last run", "Ended", "Did", "Now", "Ticks dropped")
    with connected(config) as (tasks, client):
        for line in warnings(client):
            typer.echo(line, err=True)
        for task in tasks.values():
            store = RunsStore(client, task.name)
            last = next(iter(store.recent(1)), None)
            _add_failing(failing, client, task.name)
            _add_drifted(drifted, client, task.name)
            now = "; ".join((_now(store), *_paused(client, task)))
            table.add_row(
                task.name,
                str(task.sync_timing),
                *_last(last, PlansStore(client, task.name)),
                Text(one_line(now)),
                _dropped(store),
            )
        _add_told(told, client, tasks.values())
        running = running_table(client)
        calls = calls_table(tasks.values(), client)
    if not tasks:
        typer.echo("there is no task yet: write a task file by `sync-workers init`")
        return
    for shown in (table, calls, failing, drifted, told, running, _queues()):
        if shown is not None and shown.rows:
            Console().print(shown)


def _queues() -> Table | None:
    """What waits at the broker; all else is worth showing without it."""
    from sync_workers.cli.queues import queues_table
    from sync_workers.errors import StateError
    from sync_workers.redis.connect import connect
    from sync_workers.settings import load_settings

    broker = connect(load_settings().broker)
    try:
        return queues_table(broker)
    except StateError as error:
        typer.echo(f"the queues cannot be shown: {error}", err=True)
        return None
    finally:
        broker.close()


def _failing() -> Table:
    from rich.table import Table

    return Table(
        "Task", "Record", "On", "What failed", "Next try", "Why",
        title="In quarantine (sync-workers retry TASK RECORD)", title_justify="left",
    )  # fmt: skip


def _drifted() -> Table:
    from rich.table import Table

    return Table("Task", "What", title="Fields that are not what they were", title_justify="left")


def _add_drifted(table: Table, client: Client, task: str) -> None:
    from rich.text import Text

    from sync_workers.redis.state_store import load_setup
    from sync_workers.runs.drift import told_of

    for sentence in told_of(load_setup(client, task)):
        table.add_row(*(Text(one_line(cell)) for cell in (task, sentence)))


def _add_failing(table: Table, client: Client, task: str) -> None:
    from rich.text import Text

    from sync_workers.redis.quarantine import quarantined

    for (side, record_id), one in sorted(quarantined(client, task).items()):
        reads = one.action == READ
        due = "in each run" if reads else f"{one.due:%Y-%m-%d %H:%M} UTC"
        which = f"{one.action} of {', '.join(one.fields)}" if one.fields else one.action
        what = one.action if reads else f"{which}, {one.count} time(s)"
        cells = (task, record_id, side.value, what, due, one.reason)
        table.add_row(*(Text(one_line(cell)) for cell in cells))


def _told() -> Table:
    from rich.table import Table

    return Table(
        "Connection", "Last event", "Received", "Joined", "Own", "Repeated", "Refused",
        title="Webhook events", title_justify="left",
    )  # fmt: skip


def _add_told(told: Table, client: Client, tasks: Iterable[Task]) -> None:
    """What came for the connections that ever heard of an event."""
    from sync_workers.redis.webhooks import JOINED, OWN, RECEIVED, REFUSED, REPEATED, Webhooks

    for name in sorted({name for task in tasks for name in task.sync_connections}):
        webhooks = Webhooks(client, name)
        if counts := webhooks.counts():
            last = webhooks.last()
            numbers = (str(counts.get(what, 0)) for what in (RECEIVED, JOINED, OWN, REPEATED, REFUSED))
            told.add_row(name, ago(last.isoformat()) if last else "never", *numbers)


def _last(summary: dict[str, Any] | None, plans: PlansStore) -> tuple[str, str, str]:
    if summary is None:
        return "never", "-", "-"
    ended = summary["outcome"] + (f": {summary['reason']}" if summary["reason"] else "")
    notes = [counted(summary["counts"]) or "nothing to do"]
    notes += [f"{summary[what]} {text}" for what, text in _NOTES.items() if summary.get(what)]
    if summary.get("fresh"):
        notes.append(f"compared afresh, since the set-up changed: {', '.join(summary['fresh'])}")
    if summary["outcome"] == "refused" and (kept := plans.kept()):
        notes.append(f"{len(kept)} refused plan(s) kept: sync-workers plans")
    return f"{ago(summary['finished'])} by {summary['trigger']}", ended, "; ".join(notes)


_NOTES = {
    "failed": "failed",
    "held_conflicts": "conflict(s) to decide",
    "ties": "tie(s)",
    "held": "waiting",
    "asking": "of them for a person (sync-workers plan TASK)",
    "quarantined": "in quarantine",
    "ignored": "deletion(s) ignored",
    "parted": "unlinked, out of scope",
    "ambiguous": "group(s) left alone",
}


def _now(store: RunsStore) -> str:
    lease = store.lease()
    if lease is None:
        return "idle"
    since = f" since {ago(lease.begun.isoformat())}" if lease.begun is not None else ""
    following = "; one more run waits" if store.following() else ""
    return f"run {lease.run[:8]} by {lease.trigger}{since}{following}"


def _paused(client: Client, task: Task) -> Iterator[str]:
    """What of the task is paused, since when and why, and how that ends."""
    from sync_workers.redis.pauses import count_paused_records, pause_of_connections, pause_of_task

    for pause in (pause_of_task(client, task.name), pause_of_connections(client, task.sync_connections)):
        if pause is not None:
            what = f"connection {pause.connection} paused" if pause.connection else "paused"
            why = f": {pause.reason}" if pause.reason else ""
            since = ago(pause.since.isoformat())
            yield f"{what} by a {pause.by} {since}{why}; resume with `{pause.resume(task.name)}`"
    if records := count_paused_records(client, task.name):
        yield f"{records} record(s) paused"


def _dropped(store: RunsStore) -> str:
    counted = store.counters()
    paused = f", {counted['paused']} while paused" if "paused" in counted else ""
    skipped = f", {counted['skipped']} left out" if "skipped" in counted else ""
    return f"{counted.get('dropped', 0)}{paused}{skipped}"


def ago(moment: str | None) -> str:
    """How long ago a moment was, for people."""
    if moment is None:
        return "?"
    seconds = max((datetime.now(UTC) - datetime.fromisoformat(moment)).total_seconds(), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
