"""The calls and pauses of each connection, as `sync-workers status` shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sync_workers.cli.output import one_line
from sync_workers.errors import SettingsError

if TYPE_CHECKING:
    from rich.table import Table

    from sync_workers.config.task_file import ConnectionConfig
    from sync_workers.redis.connect import Client
    from sync_workers.runs.task import Task


def calls_table(tasks: Iterable[Task], client: Client) -> Table:
    """A row for each connection whose calls are counted."""
    from rich.table import Table
    from rich.text import Text

    from sync_workers.registry import connections

    table = Table(
        "Connection", "Calls of the last minute", "Tasks that wait", "Paused",
        title="Calls, over all workers", title_justify="left",
    )  # fmt: skip
    for connection in connections(tasks).values():
        cells = _cells(connection, client)
        if cells:
            table.add_row(*(Text(one_line(cell)) for cell in (connection.name, *cells)))
    return table


def _cells(connection: ConnectionConfig, client: Client) -> tuple[str, str, str] | None:
    from sync_workers.redis.budget import usage
    from sync_workers.services import Counted

    if not isinstance(connection.settings, Counted):
        return None
    try:
        account = connection.settings.account()
    except SettingsError as error:
        return "?", "?", str(error)
    if account is None:
        return None
    found = usage(client, account)
    paused = "-"
    if found.paused_until is not None:
        whose = ", with all of its workspace" if found.is_group_paused else ""
        paused = f"until {found.paused_until:%Y-%m-%d %H:%M:%S} UTC{whose}"
    return f"{found.calls} of {account.limit}", str(found.waiting), paused
