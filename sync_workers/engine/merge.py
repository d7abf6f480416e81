"""One linked record: what its two sides, each compared with its own base, ask for.

Every row of the decision table that concerns fields is a branch of `_verdict`, in the table's order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.resolve import verdict
from sync_workers.engine.rules import Rules
from sync_workers.model import NOTHING, Conflict, Fields, Pair, Record, Side
from sync_workers.values import is_unset, same


class _Missing(Enum):
    MISSING = auto()


MISSING: Final = _Missing.MISSING
"""Stands for a base that is not known: a new link, or a field that was mapped later."""


UNKNOWN: Final = Pair(NOTHING, NOTHING)
"""The bases of two records that were just matched."""


class Say(Enum):
    """What one field asks for."""

    NOTHING = auto()
    ADVANCE = auto()  # both bases become what is there; no write
    CONFLICT = auto()


@dataclass(slots=True)
class Merged:
    """What one linked record asks for.

    Attributes:
        updates: per side the fields to write, by that side's names.
        sources: per written side the values on the opposite side that the updates were made from.
        advanced: per side the bases that move without a write.
        conflicts: decided and held ones.
        uncrossable: names of Notion fields whose value has no counterpart.
    """

    updates: Pair[dict[str, Any]] = field(default_factory=lambda: Pair({}, {}))
    sources: Pair[dict[str, Any]] = field(default_factory=lambda: Pair({}, {}))
    advanced: Pair[dict[str, Any]] = field(default_factory=lambda: Pair({}, {}))
    conflicts: list[Conflict] = field(default_factory=list)
    uncrossable: list[str] = field(default_factory=list)


def merge(
    crossings: Sequence[Crossing],
    rules: Rules,
    records: Pair[Record],
    bases: Pair[Fields] = UNKNOWN,
) -> Merged:
    """Decide every field of one linked record.

    `bases` without a field mean that nobody knows what it was: equal values just get a base, a value
    that is unset on one side is filled, and a real difference is a conflict.
    """
    merged = Merged()
    for crossing in crossings:
        values = Pair.each(_taker(crossing, Pair(records.notion.fields, records.other.fields), None))
        known = Pair.each(_taker(crossing, bases, MISSING))
        try:
            _decide(crossing, rules, records, values, known, merged)
        except UncrossableError:
            merged.uncrossable.append(crossing.attrs.notion)
    return merged


def edited(crossings: Sequence[Crossing], side: Side, record: Record, base: Mapping[str, Any]) -> bool:
    """Whether anything that crosses from this side changed since the side's base.

    What is set, but has no base, counts as changed: nobody knows that it was not.
    """
    attrs = [crossing.attrs[side] for crossing in crossings if crossing.reaches(side.opposite)]
    return any(not same(record.fields.get(attr), base.get(attr)) for attr in attrs)


def _taker(crossing: Crossing, fields: Pair[Fields], default: object) -> Callable[[Side], Any]:
    return lambda side: fields[side].get(crossing.attrs[side], default)


def _decide(
    crossing: Crossing,
    rules: Rules,
    records: Pair[Record],
    values: Pair[Any],
    bases: Pair[Any],
    merged: Merged,
) -> None:
    said = _verdict(crossing, values, bases)
    ids = Pair(records.notion.id, records.other.id)
    if isinstance(said, Side):
        _write(crossing, said, values, merged)
        # A field that never crosses back takes an edit away from its receiving end: say so.
        one_way = not crossing.reaches(said.opposite)
        if one_way and not _unknown(bases) and _changed(crossing, said, values, bases):
            merged.conflicts.append(Conflict(ids, crossing.attrs, values, said.opposite))
    elif said is Say.ADVANCE:
        for side in Side:
            merged.advanced[side][crossing.attrs[side]] = values[side]
    elif said is Say.CONFLICT:
        decided = verdict(crossing.mode or rules.mode, records, rules)
        winner = None if rules.task_resolves else decided.winner
        conflict = Conflict(ids, crossing.attrs, values, winner, decided.tie and winner is not None)
        if winner is not None:
            _write(crossing, winner.opposite, values, merged)
        merged.conflicts.append(conflict)


def _verdict(crossing: Crossing, values: Pair[Any], bases: Pair[Any]) -> Say | Side:
    """NOTHING, ADVANCE, CONFLICT, or the side that gets the other's value."""
    changed = Pair.each(lambda side: _changed(crossing, side, values, bases))
    # Nobody touched it since the last run, even if the two sides keep it in different forms.
    if not changed.notion and not changed.other:
        return Say.NOTHING
    # Both sides say the same by now: the same edit on both, or an edit that the poorer side cannot
    # tell from what it has.
    if crossing.agree(values):
        return Say.ADVANCE
    for side in Side:
        if not crossing.reaches(side):
            return _one_way(side, changed, values, bases)
    # A person edited it on one side.
    for side in Side:
        if changed[side] and not changed[side.opposite]:
            return side.opposite
    # Two records that were just linked, and only one of them has it filled in.
    if _unknown(bases) and (empty := [side for side in Side if is_unset(values[side])]):
        return empty[0]
    # One of them keeps the time of day, and nobody knows whether the other one could: nothing is lost
    # by leaving both as they are.
    if crossing.is_one_day(values):
        return Say.ADVANCE
    return Say.CONFLICT


def _one_way(source: Side, changed: Pair[bool], values: Pair[Any], bases: Pair[Any]) -> Say | Side:
    """A field that never crosses back: an edit at its receiving end stays until the source is edited."""
    if not changed[source] or (_unknown(bases) and is_unset(values[source])):
        return Say.ADVANCE
    return source.opposite


def _unknown(bases: Pair[Any]) -> bool:
    return bases.notion is MISSING and bases.other is MISSING


def _changed(crossing: Crossing, side: Side, values: Pair[Any], bases: Pair[Any]) -> bool:
    if bases[side] is not MISSING:
        return not same(values[side], bases[side])
    if bases[side.opposite] is MISSING:
        return True
    # Only the opposite base is known (a state from elsewhere): what it would be on this side serves.
    return not crossing.agree(Pair.of(side, values[side], bases[side.opposite]))


def _write(crossing: Crossing, target: Side, values: Pair[Any], merged: Merged) -> None:
    source = target.opposite
    value = crossing.to(target, values[source], values[target])
    merged.updates[target][crossing.attrs[target]] = value
    merged.sources[target][crossing.attrs[source]] = values[source]
