"""How many slots of workers are wanted. Pure: a value in, numbers out.

A message that has just come will be taken by a worker that is there; one that has waited for half a minute
needs another one. So each waiting message counts by how long the oldest of its phase has waited. What works
counts whole, or a busy worker would be taken away. What waits for the calls of a service needs no slot, and
while no connection has calls left, more workers would only wait as well.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sync_workers.monitor.view import View
from sync_workers.worker import queues

PATIENCE = timedelta(seconds=30)
"""A message that has waited so long needs a slot of its own."""

PHASES = tuple(phase.removeprefix("sync.") for phase in queues.PHASES)


@dataclass(frozen=True, slots=True)
class Load:
    """What one phase, or all of them, has to do.

    Attributes:
        waiting: messages that no worker has taken.
        oldest: how long one of them has waited.
        working: slots that are occupied.
        later: messages that wait for a service.
    """

    waiting: int = 0
    oldest: timedelta = timedelta(0)
    working: int = 0
    later: int = 0

    def wanted(self, headroom: float) -> int:
        """How many slots there should be; `headroom` is the share of calls that may be made, 0 to 1."""
        if not self.waiting:
            return self.working
        if headroom <= 0:
            return max(self.working, 1)
        return self.working + max(math.ceil(self.waiting * min(self.oldest / PATIENCE, 1)), 1)


def load(view: View, phase: str) -> Load:
    """What one phase has to do, over all its queues."""
    waits = [found for name, found in view.waiting.items() if queues.phase_of(name) == f"sync.{phase}"]
    took = [found for name, found in view.taken.items() if queues.phase_of(name) == f"sync.{phase}"]
    return Load(
        sum(found.length for found in waits),
        max((found.oldest for found in waits if found.oldest is not None), default=timedelta(0)),
        sum(found.working for found in took),
        sum(found.later for found in took),
    )


def headroom(view: View) -> float:
    """The most that any connection has left; 1 where no calls are counted."""
    return max((calls.headroom for calls in view.calls.values()), default=1.0)


def scale(view: View) -> dict[str, Any]:
    """What autoscalers read."""
    left = headroom(view)
    loads = {phase: load(view, phase) for phase in PHASES}
    phases = {phase: _told(found, left) for phase, found in loads.items()}
    whole = {
        name: sum(phases[phase][name] for phase in PHASES)
        for name in ("waiting", "working", "later", "wanted")
    }
    oldest = max(found["oldest_seconds"] for found in phases.values())
    return {"phases": phases, **whole, "oldest_seconds": oldest, "headroom": round(left, 3)}


def _told(found: Load, left: float) -> dict[str, Any]:
    return {
        "waiting": found.waiting,
        "oldest_seconds": round(found.oldest.total_seconds(), 1),
        "working": found.working,
        "later": found.later,
        "wanted": found.wanted(left),
    }
