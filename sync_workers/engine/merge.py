"""One linked record: what its two sides, each compared with its own base, ask for.

Every row of the decision table that concerns fields is a branch of `_verdict`, in the table's order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.decided import NOTHING_DECIDED, Decided, stands, wanted
from sync_workers.engine.resolve import verdict
from sync_workers.engine.rules import Rules
from sync_workers.engine.unread import unread
from sync_workers.model import NOTHING, Conflict, Fields, Pair, Record, Side
from sync_workers.references import Reference
from sync_workers.remarks import Decision
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
        references: per written side what the updates name.
        uncrossable: why the value of a field cannot cross, by Notion attribute.
    """

    updates: Pair[dict[str, Any]] = field(default_factory=lambda: Pair({}, {}))
    sources: Pair[dict[str, Any]] = field(default_factory=lambda: Pair({}, {}))
    advanced: Pair[dict[str, Any]] = field(default_factory=lambda: Pair({}, {}))
    conflicts: list[Conflict] = field(default_factory=list)
    references: Pair[list[Reference]] = field(default_factory=lambda: Pair([], []))
    uncrossable: dict[str, UncrossableError] = field(default_factory=dict)


def merge(
    crossings: Sequence[Crossing],
    rules: Rules,
    records: Pair[Record],
    bases: Pair[Fields] = UNKNOWN,
    decided: Decided = NOTHING_DECIDED,
) -> Merged:
    """Decide every field of one linked record.

    `bases` without a field mean that nobody knows what it was: equal values just get a base, a value
    that is unset on one side is filled, and a real difference is a conflict.
    """
    merged = Merged()
    for rule in crossings:
        # One side does not show it: it may be anything there, so it stays as it is on both.
        if (waits := unread(rule, records)) is not None:
            merged.uncrossable[rule.attrs.notion] = waits
            continue
        values = Pair.each(_taker(rule, Pair(records.notion.fields, records.other.fields), None))
        known = Pair.each(_taker(rule, bases, MISSING))
        crossing = rule.knowing(Pair.each(_taker(rule, bases, None)))
        case = _Case(crossing, records, values, known)
        decision = decided.decisions.get(crossing.attrs.notion)
        try:
            if decision is not None and _takes_decision(case, decision, merged):
                continue
            _decide(case, rules, merged, is_frozen=crossing.attrs.notion in decided.frozen)
        except UncrossableError as error:
            merged.uncrossable[crossing.attrs.notion] = error
    return merged


def edited(crossings: Sequence[Crossing], side: Side, record: Record, base: Mapping[str, Any]) -> bool:
    """Whether anything that crosses from this side changed since the side's base.

    What is set, but has no base, counts as changed: nobody knows that it was not. What cannot be read
    does not.
    """
    attrs = [crossing.attrs[side] for crossing in crossings if crossing.reaches(side.opposite)]
    shown = (attr for attr in attrs if attr not in record.about.unread)
    return any(not same(record.fields.get(attr), base.get(attr)) for attr in shown)


def _taker(crossing: Crossing, fields: Pair[Fields], default: object) -> Callable[[Side], Any]:
    return lambda side: fields[side].get(crossing.attrs[side], default)


@dataclass(frozen=True, slots=True)
class _Case:
    """One field of one linked record."""

    crossing: Crossing
    records: Pair[Record]
    values: Pair[Any]
    bases: Pair[Any]

    def conflict(
        self,
        winner: Side | None = None,
        *,
        tie: bool = False,
        merged: bool = False,
        by_person: bool = False,
        frozen: bool = False,
    ) -> Conflict:
        records = self.records
        return Conflict(
            Pair(records.notion.id, records.other.id),
            self.crossing.attrs,
            self.values,
            winner,
            tie,
            merged,
            Pair.each(lambda side: records[side].modified),
            Pair.each(lambda side: records[side].about.author),
            by_person,
            frozen,
        )


def _takes_decision(case: _Case, decision: Decision, merged: Merged) -> bool:
    """Plan what a person decided; False when that was about other values than those that are there now."""
    crossing, values = case.crossing, case.values
    try:
        if not stands(crossing, decision, values):
            return False
        meant = wanted(crossing, decision, values)
    except UncrossableError as error:
        merged.uncrossable[crossing.attrs.notion] = error
        merged.conflicts.append(case.conflict(by_person=True))
        return True
    for side in Side:
        if side is decision.use or same(values[side], meant[side]):
            merged.sources[side.opposite][crossing.attrs[side]] = values[side]
        else:
            _expect_free(case, side)
            merged.updates[side][crossing.attrs[side]] = meant[side]
            _refer(crossing, side, values, merged)
    merged.conflicts.append(case.conflict(decision.use, merged=decision.use is None, by_person=True))
    return True


def _decide(case: _Case, rules: Rules, merged: Merged, *, is_frozen: bool) -> None:
    crossing, values, bases = case.crossing, case.values, case.bases
    said = _verdict(crossing, values, bases)
    # The two sides answered each other's writes for too long: nothing is written until a person decides.
    if is_frozen and said not in {Say.NOTHING, Say.ADVANCE} and all(crossing.reaches(side) for side in Side):
        merged.conflicts.append(case.conflict(frozen=True))
    elif isinstance(said, Side):
        _expect_free(case, said)
        _write(crossing, said, values, merged)
        # A field that never crosses back takes an edit away from its receiving end: say so.
        one_way = not crossing.reaches(said.opposite)
        if one_way and not _unknown(bases) and _changed(crossing, said, values, bases):
            merged.conflicts.append(case.conflict(said.opposite))
    elif said is Say.ADVANCE:
        for side in Side:
            merged.advanced[side][crossing.attrs[side]] = values[side]
    elif said is Say.CONFLICT:
        decided = verdict(crossing.mode or rules.mode, case.records, rules)
        winner = None if rules.task_resolves else decided.winner
        if winner is not None:
            _expect_free(case, winner.opposite)
            _write(crossing, winner.opposite, values, merged)
        merged.conflicts.append(case.conflict(winner, tie=decided.tie and winner is not None))


def _verdict(crossing: Crossing, values: Pair[Any], bases: Pair[Any]) -> Say | Side:
    """NOTHING, ADVANCE, CONFLICT, or the side that gets the other's value.

    Raises:
        UncrossableError: a value that changed is not known to the value map.
    """
    changed = Pair.each(lambda side: _changed(crossing, side, values, bases))
    # Nobody touched it since the last run, even if the two sides keep it in different forms.
    if not changed.notion and not changed.other:
        return Say.NOTHING
    # Both sides say the same by now: the same edit on both, or an edit that the poorer side cannot
    # tell from what it has.
    if crossing.agree(values):
        return Say.ADVANCE
    # Someone chose a value that the value map does not know: whatever the other side says, it is not lost.
    _expect_known(crossing, changed, values)
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


def _expect_known(crossing: Crossing, changed: Pair[bool], values: Pair[Any]) -> None:
    for side in Side:
        if changed[side] and crossing.reaches(side.opposite):
            crossing.expect_known(side, values[side])


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


def _expect_free(case: _Case, target: Side) -> None:
    """Make sure that the field may be written on this very record.

    Raises:
        UncrossableError: writing it would destroy what the service cannot give back.
    """
    if why := case.records[target].about.fixed.get(case.crossing.attrs[target]):
        raise UncrossableError(target.opposite, f"is not written on {target}: {why}")


def _write(crossing: Crossing, target: Side, values: Pair[Any], merged: Merged) -> None:
    source = target.opposite
    value = crossing.to(target, values[source], values[target])
    merged.updates[target][crossing.attrs[target]] = value
    merged.sources[target][crossing.attrs[source]] = values[source]
    _refer(crossing, target, values, merged)


def _refer(crossing: Crossing, target: Side, values: Pair[Any], merged: Merged) -> None:
    if (reference := crossing.reference(values)) is not None:
        merged.references[target].append(reference)
