"""The processes of the deployment as a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from sync_workers.cli.output import one_line

if TYPE_CHECKING:
    from rich.table import Table

    from sync_workers.redis.connect import Client
    from sync_workers.redis.presence import ProcessInfo


def running_table(client: Client) -> Table:
    """What runs now, and which beat ticks."""
    from sync_workers.redis.beat import leader
    from sync_workers.redis.presence import processes

    first = leader(client)
    return processes_table(processes(client), acts=first.name if first else None)


def processes_table(
    found: Iterable[ProcessInfo], fingerprints: Collection[str] = (), acts: str | None = None
) -> Table:
    """What runs, where, and which task file it goes by.

    Args:
        fingerprints: of the task file that they should go by; empty where that is not known.
        acts: the name of the beat that ticks.
    """
    from rich.table import Table
    from rich.text import Text

    table = Table("Process", "Name", "Host", "Version", "Task file", title="Processes", title_justify="left")
    for one in found:
        kind = one.kind + (" (ticks)" if acts is not None and one.name == acts else "")
        state = _state(one, fingerprints)
        cells = (kind, one.name, one.host, one.version, state)
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    return table


def _state(one: ProcessInfo, fingerprints: Collection[str]) -> str:
    if one.problem:
        return f"still {one.fingerprint}, since the new one has problems: {one.problem}"
    if fingerprints and one.fingerprint not in fingerprints:
        return f"another one ({one.fingerprint}): is it the same on that machine?"
    return f"{one.fingerprint}, taken up" if fingerprints else one.fingerprint
