"""What a message says, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from sync_workers.errors import LaterError
from sync_workers.model import ID
from sync_workers.redis.lease import Following
from sync_workers.report import Trigger

Tell: TypeAlias = Callable[[dict[str, Any]], None]
Send: TypeAlias = Callable[[bool], None]
"""Sends the message of the next phase, or with True that of this phase once more; raises StateError."""

LEFT_ALONE = timedelta(seconds=1)
"""So long a worker takes nothing in the place of what it has left to others."""


class OtherWorkerError(LaterError):
    """This worker cannot do it, and another one perhaps can."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a message says: names and ids, nothing else.

    Attributes:
        tenant: whose queues its run goes through.
    """

    task: str
    run: ID
    trigger: Trigger
    full: bool = False
    looks: bool = False
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What becomes of a run after one attempt of one phase.

    Attributes:
        shown: names, ids and counts for the Celery result.
        goes_on: the chain's next phase follows.
        again: the slice is over: this phase is to be sent once more.
        following: another run that was asked for meanwhile and has to be started.
        failure: why the run failed; empty when it did not.
    """

    shown: dict[str, Any]
    goes_on: bool = False
    again: bool = False
    following: Following | None = None
    failure: str = ""


def never() -> bool:
    return False


def nowhere(_again: bool) -> None:
    """Whoever calls the phases goes on with them."""


def no_one(_progress: dict[str, Any]) -> None:
    """Nobody watches."""
