"""`Pause`: that a task, a connection or a record is left alone, and where that stands in Redis.

    by a person   no run begins, and one that works ends at its next operation, until a person resumes it
    by a service  it refuses the credential or the container: ticks are dropped, but a run that a person asks
                  for is tried, and resumes the task when both sides could be read

A connection is paused by persons only, and with it every task that uses it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from sync_workers.model import ID, Pair, Side
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys, paused_connection
from sync_workers.redis.state_form import changes, load
from sync_workers.state import Change

ASK_EVERY = timedelta(seconds=5)
"""How often a run that works asks whether it was paused: a person waits that long, and a write takes longer
than the question."""

LONGEST_REASON = 500


class By(StrEnum):
    """Who paused something."""

    PERSON = "person"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Pause:
    """A task or a connection is paused.

    Attributes:
        reason: what the service said, or what the person gave.
        connection: the connection that is paused; empty when it is the task itself.
    """

    by: By
    since: datetime
    reason: str = ""
    connection: str = ""

    @classmethod
    def read(cls, by: bytes | None, reason: bytes | None, since: bytes | None) -> Self | None:
        """From the fields of its hash; None where it is not there."""
        if not by:
            return None
        begun = datetime.fromtimestamp(int(since or 0) / 1000, UTC)
        return cls(By(by.decode()), begun, (reason or b"").decode(errors="replace"))

    def resume(self, task: str) -> str:
        """The command that ends it."""
        return f"sync-workers resume {f'--connection {self.connection}' if self.connection else task}"

    def told(self, task: str) -> str:
        """One sentence with the next step. Without the reason: what a person wrote is for `status` alone."""
        since = f"since {self.since:%Y-%m-%d %H:%M} UTC"
        if self.connection:
            return (
                f"task {task} does not run, since its connection {self.connection} is paused {since}: "
                f"`{self.resume(task)}` lets it go on"
            )
        if self.by is By.PERSON:
            return f"task {task} is paused by a person {since}: `{self.resume(task)}` lets it go on"
        return (
            f"task {task} is paused {since}, because a service refused it (`sync-workers status` says why): "
            f"put that right, then `{self.resume(task)}`, or try it with `sync-workers run {task}`"
        )


def pause_task(client: Client, task: str, reason: str, now: datetime) -> None:
    """A person wants a task left alone; takes the place of an earlier pause."""
    _write(client, Keys(task).paused, reason, now)


def resume_task(client: Client, task: str) -> Pause | None:
    """End a task's pause, whoever began it; gives what was ended."""
    return _remove(client, Keys(task).paused)


def pause_connection(client: Client, name: str, reason: str, now: datetime) -> None:
    """A person wants a connection left alone."""
    _write(client, paused_connection(name), reason, now)


def resume_connection(client: Client, name: str) -> Pause | None:
    """End a connection's pause; gives what was ended."""
    return _remove(client, paused_connection(name))


def pause_of_task(client: Client, task: str) -> Pause | None:
    """The task's own pause."""
    return _read(client, Keys(task).paused)


def pause_of_connections(client: Client, names: Iterable[str]) -> Pause | None:
    """The pause of the first of these connections that has one."""
    for name in names:
        if (found := _read(client, paused_connection(name))) is not None:
            return replace(found, connection=name)
    return None


def pause_records(client: Client, task: str, ids: Pair[ID | None], *, paused: bool) -> None:
    """Leave a record alone on both sides from now on, or not any more.

    Needs no lease: runs read this part of the state and never write it.
    """
    named = {(side, record_id): paused for side in Side if (record_id := ids[side]) is not None}
    fields = list(changes(Change(paused=named)))
    key = Keys(task).part("paused")
    if paused:
        client.ask("HSET", key, *(part for _, name, body in fields for part in (name, body or b"")))
    else:
        client.ask("HDEL", key, *(name for _, name, _ in fields))


def count_paused_records(client: Client, task: str) -> int:
    """How many records are paused; one of both sides counts once."""
    keys = Keys(task)
    named = [name.decode().partition(":") for name in client.ask("HKEYS", keys.part("paused"))]
    notion, other = ({i for side, _, i in named if side == mine.value} for mine in Side)
    links = client.ask("HMGET", keys.part("links"), *notion) if notion else []
    return len(notion) + len(other - {load(link)[0] for link in links if link is not None})


class Watch:
    """Asks now and then whether a person paused the task that a run works on.

    Attributes:
        found: the pause, once it was seen.
    """

    def __init__(
        self, client: Client, task: str, connections: Sequence[str], *, every: timedelta = ASK_EVERY
    ) -> None:
        self.found: Pause | None = None
        self._client = client
        self._task = task
        self._connections = connections
        self._every = every.total_seconds()
        self._asked = float("-inf")

    def is_paused(self) -> bool:
        """Whether the run is to end at its next operation.

        Raises:
            StateError: Redis does not answer or refuses.
        """
        if self.found is None and time.monotonic() - self._asked >= self._every:
            self._asked = time.monotonic()
            own = pause_of_task(self._client, self._task)
            by_person = own if own is not None and own.by is By.PERSON else None
            self.found = by_person or pause_of_connections(self._client, self._connections)
        return self.found is not None


def _write(client: Client, key: str, reason: str, now: datetime) -> None:
    text = reason[:LONGEST_REASON].encode(errors="replace")
    since = int(now.timestamp() * 1000)
    client.ask("HSET", key, "by", By.PERSON, "reason", text, "since", since, "run", "")


def _read(client: Client, key: str) -> Pause | None:
    return Pause.read(*client.ask("HMGET", key, "by", "reason", "since"))


def _remove(client: Client, key: str) -> Pause | None:
    found = _read(client, key)
    client.ask("DEL", key)
    return found
