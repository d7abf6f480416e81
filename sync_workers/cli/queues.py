"""What waits in the queues, as `sync-workers status` shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync_workers.cli.output import one_line

if TYPE_CHECKING:
    from rich.table import Table

    from sync_workers.redis.connect import Client


def queues_table(broker: Client) -> Table:
    """A row for each queue in which something waits or of which workers have taken something.

    Raises:
        StateError: the broker does not answer.
    """
    from rich.table import Table
    from rich.text import Text

    from sync_workers.redis.queues import Taken, bound_queues, taken, waiting

    table = Table(
        "Queue", "Waits", "Longest", "In work", "Later",
        title="Queues", title_justify="left",
    )  # fmt: skip
    took = taken(broker)
    for name, found in waiting(broker, bound_queues(broker)).items():
        own = took.get(name, Taken())
        if found.length or own.working or own.later:
            longest = "-" if found.oldest is None else f"{found.oldest.total_seconds():.0f} s"
            cells = (name, str(found.length), longest, str(own.working), str(own.later))
            table.add_row(*(Text(one_line(cell)) for cell in cells))
    return table
