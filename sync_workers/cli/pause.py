"""`sync-workers pause` and `resume`: leave a task, one record or a connection alone for a while."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from sync_workers.cli.options import ConfigOption, connected
from sync_workers.cli.output import one_line
from sync_workers.errors import SettingsError
from sync_workers.model import Side
from sync_workers.naming import hint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sync_workers.model import ID, Pair
    from sync_workers.redis.connect import Client
    from sync_workers.runs.task import Task

NameArgument: TypeAlias = Annotated[str | None, typer.Argument(help="The task's name.", show_default=False)]
RecordArgument: TypeAlias = Annotated[
    str | None,
    typer.Argument(help="One record of the task, by its id on either side.", show_default=False),
]
ConnectionOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--connection", metavar="NAME", help="All tasks that use it.", show_default=False),
]
SideOption: TypeAlias = Annotated[
    Side | None,
    typer.Option("--side", help="Whose id it is; needed only if that is not clear.", show_default=False),
]
ReasonOption: TypeAlias = Annotated[
    str, typer.Option("--reason", metavar="TEXT", help="Shown by status.", show_default=False)
]


def pause(
    name: NameArgument = None,
    record: RecordArgument = None,
    connection: ConnectionOption = None,
    side: SideOption = None,
    reason: ReasonOption = "",
    config: ConfigOption = None,
) -> None:
    """Leave a task, one record of it, or everything that uses a connection alone until `resume`."""
    from sync_workers.pausing import pause_record
    from sync_workers.redis.pauses import pause_connection, pause_task
    from sync_workers.registry import pick

    named = _named(name, connection)
    now = datetime.now(UTC)
    with connected(config) as (tasks, client):
        if connection is not None:
            using = _using(tasks, connection)
            pause_connection(client, connection, reason, now)
            _say(f"connection {connection} is paused, and with it: {', '.join(using)}")
            _tell_runs(client, using)
            return
        task = pick(tasks, named)
        if record is None:
            pause_task(client, task.name, reason, now)
            _say(f"task {task.name} is paused until `sync-workers resume {task.name}`")
            _tell_runs(client, [task.name])
            return
        ids = pause_record(task, client, record, side)
        _say(f"{_shown(ids)} of task {task.name} is paused until `sync-workers resume {task.name} {record}`")
        if _run_of(client, task.name):
            _say("a run works on this task now: what it has planned already it may still write")


def resume(
    name: NameArgument = None,
    record: RecordArgument = None,
    connection: ConnectionOption = None,
    side: SideOption = None,
    config: ConfigOption = None,
) -> None:
    """End what `pause` began, or what a service that refused us made of a task."""
    from sync_workers.pausing import resume_record
    from sync_workers.redis.pauses import pause_of_connections, resume_connection, resume_task
    from sync_workers.registry import pick

    named = _named(name, connection)
    with connected(config) as (tasks, client):
        if connection is not None:
            if resume_connection(client, connection) is not None:
                _say(f"connection {connection} is not paused any more")
                return
            _using(tasks, connection)  # a wrong name is told as such
            _say(f"connection {connection} was not paused")
            return
        task = pick(tasks, named)
        if record is not None:
            ids = resume_record(task, client, record, side)
            _say(f"{_shown(ids)} of task {task.name} is not paused any more")
            return
        ended = resume_task(client, task.name)
        _say(f"task {task.name} {'was not paused' if ended is None else 'is not paused any more'}")
        if (still := pause_of_connections(client, task.sync_connections)) is not None:
            _say(still.told(task.name))


def _named(name: str | None, connection: str | None) -> str:
    """The task's name; a wrong command line otherwise, unless a connection is named."""
    if (name is None) == (connection is None):
        msg = "name either a task or, with --connection, a connection"
        raise typer.BadParameter(msg)
    return name or ""


def _using(tasks: Mapping[str, Task], connection: str) -> list[str]:
    """The names of the tasks that use a connection."""
    using = [task.name for task in tasks.values() if connection in task.sync_connections]
    if not using:
        known = {name for task in tasks.values() for name in task.sync_connections}
        raise SettingsError(f"no task uses a connection {connection!r}{hint(connection, known)}")
    return using


def _tell_runs(client: Client, names: list[str]) -> None:
    for name in names:
        if run := _run_of(client, name):
            _say(f"run {run} works on task {name} and ends at one of its next operations")


def _run_of(client: Client, name: str) -> str:
    from sync_workers.redis.runs_store import RunsStore

    lease = RunsStore(client, name).lease()
    return lease.run if lease is not None else ""


def _shown(ids: Pair[ID | None]) -> str:
    here = [f"{record_id} on {each}" for each in Side if (record_id := ids[each]) is not None]
    return f"record {' and '.join(here)}"


def _say(text: str) -> None:
    typer.echo(one_line(text))
