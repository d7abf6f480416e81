"""When tasks with an interval tick: each in slots of its own. Pure; all times are seconds.

A slot is a multiple of the interval, moved by a share of it that the task's name decides. So tasks of one
interval are spread over it, all beats agree without a word, and nothing is remembered but the last tick.
"""

from __future__ import annotations

import hashlib
import math

EARLIEST = 0.5
"""Share of the interval that lies between two ticks at least: after one that was late or early the next is in
the task's slot again, between half an interval and one and a half later."""


def offset(name: str, every: float) -> float:
    """How far the slots of a task are moved."""
    digest = hashlib.sha256(name.encode()).digest()
    return every * (int.from_bytes(digest[:8]) / 2**64)


def next_slot(name: str, every: float, last: float) -> float:
    """The first slot of a task that is far enough after its last tick."""
    moved = offset(name, every)
    return math.ceil((last + every * EARLIEST - moved) / every) * every + moved
