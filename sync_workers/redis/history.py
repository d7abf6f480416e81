"""The history of a task in Redis: a stream with one entry for each operation, bounded by number and age.

Runs add to it in the script that stores the operation's end (`step.lua`): nothing is done without a trace.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from sync_workers.model import ID
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.runs.codec import from_bytes, to_bytes
from sync_workers.runs.history import Entry

LONG = 1000
"""Bytes from which an entry is compressed; most are shorter and stay readable in Redis itself."""

AT_ONCE = 500
"""Entries per answer."""


def written(entry: Entry) -> bytes:
    """An entry as bytes."""
    body = to_bytes(entry)
    return zlib.compress(body, level=1) if len(body) > LONG else body


def read(body: bytes) -> Entry:
    """What `written` wrote.

    Raises:
        StateError: it is of another version.
    """
    return from_bytes(body if body.startswith(b"{") else zlib.decompress(body), Entry)


def entries(client: Client, task: str, run: ID | None = None) -> Iterator[Entry]:
    """The entries of a task, or of one of its runs, the newest first."""
    key, end = Keys(task).history, "+"
    while True:
        found = client.ask("XREVRANGE", key, end, "-", "COUNT", AT_ONCE)
        for name, fields in found:
            entry = replace(read(_body(fields)), at=_moment(name))
            if run is None or entry.run == run:
                yield entry
        if len(found) < AT_ONCE:
            return
        end = f"({found[-1][0].decode()}"


def _body(fields: object) -> bytes:
    """redis-py gives a stream's fields as a dict, or as a flat list where it does not know the command."""
    body: bytes = fields[b"entry"] if isinstance(fields, dict) else fields[1]  # type: ignore[index]
    return body


def _moment(name: bytes) -> datetime:
    return datetime.fromtimestamp(int(name.split(b"-")[0]) / 1000, UTC)
