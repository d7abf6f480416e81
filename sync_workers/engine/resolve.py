"""Who wins a conflict. Decided once per record, so that the fields of one record are never mixed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sync_workers.engine.rules import Rules
from sync_workers.model import ConflictMode, Pair, Record, Side


@dataclass(frozen=True, slots=True)
class Verdict:
    """The winner, or None when a person has to decide; `tie` when the order could not be told."""

    winner: Side | None
    tie: bool = False


def verdict(mode: ConflictMode, records: Pair[Record], rules: Rules) -> Verdict:
    """Who wins the conflicts of this record in this mode."""
    match mode:
        case ConflictMode.NOTION:
            return Verdict(Side.NOTION)
        case ConflictMode.OTHER:
            return Verdict(Side.OTHER)
        case ConflictMode.ERROR:
            return Verdict(None)
        case ConflictMode.NEWER:
            newer = newer_side(records, rules.clock_steps)
            return Verdict(newer) if newer is not None else Verdict(rules.tie, tie=True)


def newer_side(records: Pair[Record], steps: Pair[timedelta]) -> Side | None:
    """The side that changed last; None when the clocks are too coarse to tell.

    A time t of a clock with steps of s says only that the change was in [t, t + s): Notion shows
    whole minutes, so its 12:00 may be before or after another side's 12:00:30.
    """
    for side in Side:
        mine, theirs = records[side].modified, records[side.opposite].modified
        if mine is None or theirs is None:
            return None
        if mine > theirs and mine >= theirs + steps[side.opposite]:
            return side
    return None
