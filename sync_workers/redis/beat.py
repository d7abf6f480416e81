"""Which of several beats ticks, and when each task ticked last.

One beat has the right to tick, renews it, and loses it when it dies. That keeps the others quiet; what makes
a tick happen only once is the claim of each of them, also when a beat that was frozen wakes up.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sync_workers.model import ID
from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import BEAT, Keys

LEAD = timedelta(seconds=6)
"""So long after a beat died another one takes over; it renews its right every two seconds."""


@dataclass(frozen=True, slots=True)
class Leader:
    """The beat that ticks."""

    name: str
    since: datetime


@dataclass(slots=True)
class Lead:
    """The right to tick, as one beat sees it; every method raises StateError where Redis does not answer.

    Attributes:
        name: of this beat, for people.
        key: where the right stands; monitors have one of their own, to send alerts.
    """

    client: Client
    name: str
    lasts: timedelta = LEAD
    owner: str = field(default_factory=lambda: secrets.token_hex(8))
    key: str = BEAT

    def keep(self) -> bool:
        """Take the right to tick, or keep it; False while another beat has it."""
        milliseconds = int(self.lasts.total_seconds() * 1000)
        mine, *_ = self.client.run(scripts.LEAD, (self.key,), (self.owner, self.name, milliseconds))
        return bool(mine)

    def leave(self) -> None:
        """Another one may have it at once."""
        self.client.run(scripts.UNLEAD, (self.key,), (self.owner,))


def leader(client: Client) -> Leader | None:
    """Which beat ticks now; None where there is none."""
    name, since = client.ask("HMGET", BEAT, "name", "since")
    if name is None or since is None:
        return None
    return Leader(name.decode(), datetime.fromtimestamp(int(since) / 1000, UTC))


def claim_tick(client: Client, task: str, by: ID, apart: timedelta, sent: float) -> bool:
    """Claim a tick, so that several beats make one; `by` is new for each tick.

    A tick closer to the last one than `apart` is another beat's copy of it: False.

    Args:
        sent: when its message is sent, as that says itself.
    """
    apart_ms = int(apart.total_seconds() * 1000)
    return bool(client.run(scripts.TICK, (Keys(task).tick,), (by, apart_ms, repr(sent))))


def last_tick(client: Client, task: str) -> datetime | None:
    """When a tick of the task was claimed last, by Redis' clock."""
    at = client.ask("HGET", Keys(task).tick, "at")
    return datetime.fromtimestamp(int(at) / 1000, UTC) if at is not None else None


def last_sent(client: Client, task: str) -> float | None:
    """When the message of the last tick was sent, as that says itself."""
    sent = client.ask("HGET", Keys(task).tick, "sent")
    return None if sent is None else float(sent)


def count_skipped(client: Client, task: str) -> None:
    """A tick was left out, since the one before it still waits."""
    client.ask("HINCRBY", Keys(task).counters, "skipped", 1)
