"""What waits in the broker's queues, read from the outside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sync_workers.redis.connect import Client
from sync_workers.redis.keys import BOUND_QUEUES, UNACKED, bound_queue, queue_key

SENT = "sync_sent"
"""Header of every message: when it was sent, in seconds since 1970 by the sender's clock."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in one queue.

    Attributes:
        length: messages that no worker has taken.
        oldest: how long the next one has been waiting; None when there is none, or it does not say.
    """

    length: int = 0
    oldest: timedelta | None = None


def waiting(broker: Client, names: Iterable[str]) -> Mapping[str, Waiting]:
    """What waits in these queues; `broker` is where the messages are.

    Raises:
        StateError: it does not answer.
    """
    seconds, microseconds = broker.ask("TIME")
    now = int(seconds) + int(microseconds) / 1_000_000
    found = {}
    for name in names:
        key = queue_key(name)
        length, last = broker.ask("LLEN", key), broker.ask("LINDEX", key, -1)
        found[name] = Waiting(length, None if last is None else _age(last, now))
    return found


@dataclass(frozen=True, slots=True)
class Taken:
    """What workers have taken from one queue and not ended.

    Attributes:
        working: messages that occupy a slot.
        later: messages that wait for their time beside the slots.
    """

    working: int = 0
    later: int = 0


def taken(broker: Client) -> Mapping[str, Taken]:
    """What workers have taken, by queue; a killed worker's messages are among them until they come again."""
    found: dict[str, Taken] = {}
    for body in broker.ask("HVALS", UNACKED):
        try:
            message, _, name = json.loads(body)
            waits = message["headers"].get("eta") is not None
        except (ValueError, KeyError, TypeError):
            continue
        known = found.get(name, Taken())
        found[name] = Taken(known.working + (not waits), known.later + waits)
    return found


def still_waits(broker: Client, name: str, sent: float) -> bool:
    """Whether a message that was sent then is still in the queue, which gives the oldest first."""
    last = broker.ask("LINDEX", queue_key(name), -1)
    oldest = None if last is None else _sent(last)
    return oldest is not None and oldest <= sent


def bound_queues(broker: Client) -> list[str]:
    """The names of all queues that a message was ever sent to."""
    return sorted(map(bound_queue, broker.ask("SMEMBERS", BOUND_QUEUES)))


def _age(message: bytes, now: float) -> timedelta | None:
    sent = _sent(message)
    return None if sent is None else timedelta(seconds=max(now - sent, 0))


def _sent(message: bytes) -> float | None:
    try:
        return float(json.loads(message)["headers"][SENT])
    except (ValueError, KeyError, TypeError):  # not one of ours, or of an earlier version
        return None
