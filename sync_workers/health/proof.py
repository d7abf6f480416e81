"""`Proof`: signs that a process still does its work, noted by whoever does it. Pure but for the notes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

LIVES = timedelta(minutes=2)
"""Without a sign for so long a process is taken for dead, if Redis answers it: restarting one costs little,
but not so little that a Redis which restarts should bring all workers down."""

READY = timedelta(seconds=30)
"""Without a sign for so long it is taken for unfit for now."""


@dataclass(slots=True)
class Proof:
    """When signs were seen, in seconds of a clock that only grows.

    Attributes:
        turned: when the loop turned last in which the process does its work.
        heard: when the broker answered last to the question for messages.
        is_full: whether all slots are taken, so that the broker is not asked.
    """

    clock: Callable[[], float] = time.monotonic
    turned: float = field(init=False)
    heard: float = field(init=False)
    is_full: bool = False

    def __post_init__(self) -> None:
        self.turned = self.heard = self.clock()

    def turn(self, heard: float | None = None, *, is_full: bool = True) -> None:
        """The loop turned. `heard` is when the broker answered last, where somebody asks it."""
        self.turned, self.is_full = self.clock(), is_full
        if heard is not None:
            self.heard = max(self.heard, heard)

    def holds(self, within: timedelta) -> bool:
        """Whether there was a sign within so long: the loop turns, and what should be heard is heard."""
        oldest = self.clock() - within.total_seconds()
        return self.turned >= oldest and (self.is_full or self.heard >= oldest)

    def told(self) -> dict[str, Any]:
        """What was seen, for people."""
        now = self.clock()
        heard = {} if self.is_full else {"broker_answered_seconds_ago": round(now - self.heard, 1)}
        return {
            "loop_turned_seconds_ago": round(now - self.turned, 1),
            "all_slots_taken": self.is_full,
        } | heard
