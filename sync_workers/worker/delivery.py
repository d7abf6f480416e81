"""What a message says, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync_workers.model import ID
from sync_workers.redis.lease import Following
from sync_workers.report import Trigger


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
