"""The loop detector: fields in which the two sides answer each other's writes. Pure.

A trail lives only as long as each run in a row writes the field. A write is a turn when it goes against the
one before it, or brings back a value that was on the trail before: a person who edits one side makes neither.
After too many turns the field is left alone, and a person decides.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sync_workers.engine.content import text_of
from sync_workers.engine.rules import Rules
from sync_workers.model import Side
from sync_workers.remarks import Trail

LONGEST = 20
"""How many values of a trail are remembered."""


def is_loop(rules: Rules, trail: Trail) -> bool:
    """Whether the field is to be left alone."""
    return 0 < rules.loop_limit < trail.turns


def walked(trail: Trail | None, side: Side, values: Sequence[object]) -> Trail:
    """The trail after a write to that side; `values` is what tells the write from others."""
    print_ = hashlib.sha256(text_of(values).encode()).hexdigest()[:16]
    if trail is None:
        return Trail(last=side, written=[print_])
    is_turn = side is not trail.last or print_ in trail.written
    written = [*trail.written, print_][-LONGEST:]
    return Trail(last=side, written=written, turns=trail.turns + is_turn)
