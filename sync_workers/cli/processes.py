"""The processes of the deployment as a table."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from sync_workers.cli.output import one_line

if TYPE_CHECKING:
    from rich.table import Table

    from sync_workers.redis.beat import Leader
    from sync_workers.redis.connect import Client
    from sync_workers.redis.presence import ProcessInfo


def running_table(client: Client) -> Table:
    """What runs now, and which beat ticks since when."""
    from sync_workers.redis.beat import leader
    from sync_workers.redis.presence import processes

    return processes_table(processes(client), acts=leader(client))


def processes_table(
    found: Iterable[ProcessInfo], fingerprints: Collection[str] = (), acts: Leader | None = None
) -> Table:
    """What runs, where, and which task file it goes by.

    Args:
        fingerprints: of the task file that they should go by; empty where that is not known.
        acts: the beat that ticks.
    """
    from rich.table import Table
    from rich.text import Text

    from sync_workers.cli.status import ago

    table = Table("Process", "Name", "Host", "Version", "Task file", title="Processes", title_justify="left")
    for one in found:
        ticks = acts is not None and (one.kind, one.name) == ("beat", acts.name)
        kind = f"{one.kind} (ticks since {ago(acts.since.isoformat())})" if acts and ticks else one.kind
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
