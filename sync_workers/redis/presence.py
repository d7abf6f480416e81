"""Which processes of the deployment live, and with which task file; noted by themselves every few seconds."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from pydantic import BaseModel

from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import PROCESSES, PROCESSES_SEEN

NOTE_EVERY = timedelta(seconds=5)
"""How often a process notes that it lives."""

GONE = timedelta(seconds=20)
"""One that was not heard of for so long is gone: three notes may fail in a row."""


class ProcessInfo(BaseModel):
    """What a process tells about itself.

    Attributes:
        kind: worker, beat, web or monitor.
        name: its name among those of its kind.
        since: when it began.
        seen: when it was heard of last, by Redis' clock.
        fingerprint: of the task file that it goes by.
        problem: why it does not go by the task file that is there; empty when it does.
        details: what only this kind tells, such as the number of slots.
    """

    kind: str
    name: str
    host: str
    pid: int
    version: str
    since: datetime
    seen: datetime | None = None
    fingerprint: str = ""
    problem: str = ""
    details: dict[str, str] = {}


@dataclass(slots=True)
class Presence:
    """One process; its methods raise StateError where Redis does not answer."""

    client: Client
    kind: str
    name: str
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    key: str = field(default_factory=lambda: secrets.token_hex(8))

    def note(self, fingerprint: str, problem: str = "", details: Mapping[str, str] | None = None) -> None:
        """It lives, and goes by that task file."""
        told = ProcessInfo(
            kind=self.kind, name=self.name, host=socket.gethostname(), pid=os.getpid(),
            version=version("sync-workers"), since=self.since,
            fingerprint=fingerprint, problem=problem, details=dict(details or {}),
        )  # fmt: skip
        kept = int(GONE.total_seconds() * 1000)
        body = told.model_dump_json(exclude={"seen"})
        self.client.run(scripts.NOTE, (PROCESSES, PROCESSES_SEEN), (self.key, body, kept))

    def leave(self) -> None:
        """It ends."""
        self.client.ask("HDEL", PROCESSES, self.key)
        self.client.ask("ZREM", PROCESSES_SEEN, self.key)


def processes(client: Client) -> list[ProcessInfo]:
    """The processes that live, by kind and name."""
    seconds, _ = client.ask("TIME")
    oldest = (int(seconds) - int(GONE.total_seconds())) * 1000
    seen = client.ask("ZRANGEBYSCORE", PROCESSES_SEEN, oldest, "+inf", "WITHSCORES")
    keys, moments = seen[::2], seen[1::2]
    bodies = client.ask("HMGET", PROCESSES, *keys) if keys else []
    found = [
        ProcessInfo.model_validate_json(body).model_copy(
            update={"seen": datetime.fromtimestamp(float(moment) / 1000, UTC)}
        )
        for body, moment in zip(bodies, moments, strict=True)
        if body is not None
    ]
    return sorted(found, key=lambda one: (one.kind, one.name, one.pid))
