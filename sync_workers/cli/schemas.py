"""What `sync-workers check` tells about both sides' fields besides the field map itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import TYPE_CHECKING

from sync_workers.cli.output import one_line
from sync_workers.errors import SyncError

if TYPE_CHECKING:
    from sync_workers.config import SideConfig
    from sync_workers.fields import Field
    from sync_workers.runs.drift import Drift

MOST = 8
"""So many fields are named; of more the number is told."""


def known_setup(task: str) -> Mapping[str, str]:
    """The set-up of the task's last run; empty where Redis does not answer, which `check` can do without."""
    from sync_workers.redis.connect import connect
    from sync_workers.redis.state_store import load_setup
    from sync_workers.settings import load_settings

    try:
        with closing(connect(load_settings().redis_url)) as client:
            return load_setup(client, task)
    except SyncError:
        return {}


def drift_lines(drift: tuple[Drift, ...]) -> Iterator[str]:
    """What became of fields since the last run."""
    for one in drift:
        yield f"{'frozen' if one.freezes else 'renamed'}: {one.sentence}"


def unmapped_lines(name: str, side: SideConfig, schema: Mapping[str, Field]) -> Iterator[str]:
    """The fields of a side that the task does not map, and those that no task could."""
    # Those that the task file names as something else, such as the one for the mark of the sync.
    own = {value for value in side.container.model_dump().values() if isinstance(value, str)}
    left = [found for key, found in schema.items() if key not in side.mapped.names and key not in own]
    if could := [found for found in left if not found.refused]:
        yield f"not mapped on {name}: {_named(could)}"
    if never := [found for found in left if found.refused]:
        yield f"cannot be mapped on {name}: {_named(never)}"


def _named(fields: list[Field]) -> str:
    shown = [one_line(f"{found.name} ({_kind(found)})") for found in fields[:MOST]]
    more = [f"and {len(fields) - MOST} more"] if len(fields) > MOST else []
    return ", ".join([*shown, *more])


def _kind(found: Field) -> str:
    kind = found.type or str(found.kind)
    return kind if found.writable or found.refused else f"{kind}, read only"
