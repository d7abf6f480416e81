"""What a value map remembers where several values of a side say the same: which of them a record had. Pure.

Five states on one side are done or not done on the other. When the poorer side says "not done" again, the
record goes back to the state that it had before it was done, not to the first one of the map.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync_workers.engine.crossing import Crossing
from sync_workers.engine.rules import FieldRule
from sync_workers.model import ID, NOTHING, Fields, Pair, Recalled, Side
from sync_workers.remarks import Memory
from sync_workers.sides import NOTHING_RECALLED
from sync_workers.state import State
from sync_workers.values import same


def recalled(rule: FieldRule, memory: Memory | None, bases: Pair[Fields]) -> Recalled:
    """What is known of one field of a record: what it has by its bases, and before that by its memory."""

    def now(side: Side) -> tuple[tuple[Any, Any], ...]:
        meant = _meant(rule, side, bases[side].get(rule.attrs[side]))
        return () if meant is None else (meant,)

    kept = _kept(memory)
    return Pair.each(lambda side: (*now(side), *kept[side]))


def left(
    rules: Sequence[FieldRule], known: Mapping[str, Memory], before: Pair[Fields], after: Pair[Fields]
) -> dict[str, Recalled]:
    """What is to be remembered of the fields that come to say something else, by Notion attribute.

    `after` names the fields that move, with what they move to.
    """
    found: dict[str, Recalled] = {}
    for rule in rules:
        for side in Side:
            attr = rule.attrs[side]
            if not rule.values or attr not in after[side] or attr not in before[side]:
                continue
            old, new = (_meant(rule, side, fields[side][attr]) for fields in (before, after))
            if old is None or not _is_one_of_several(rule, side, old[0]):
                continue
            if new is None or not _is_same(old[0], new[0]):
                name = rule.attrs.notion
                found[name] = _with(found.get(name) or _kept(known.get(name)), side, old)
    return found


def _meant(rule: FieldRule, side: Side, value: Any) -> tuple[Any, Any] | None:
    """What a value of a side says on the opposite one, with the value as the map has it."""
    return next(((pair[side.opposite], pair[side]) for pair in rule.values if same(pair[side], value)), None)


def _is_one_of_several(rule: FieldRule, side: Side, said: Any) -> bool:
    named = [pair[side] for pair in rule.values if _is_same(pair[side.opposite], said)]
    return any(not _is_same(named[0], other) for other in named[1:])


def _kept(memory: Memory | None) -> Recalled:
    return NOTHING_RECALLED if memory is None else Pair.each(lambda side: tuple(memory.last.get(side, ())))


def _with(kept: Recalled, side: Side, pair: tuple[Any, Any]) -> Recalled:
    others = (known for known in kept[side] if not _is_same(known[0], pair[0]))
    return Pair.of(side, (pair, *others), kept[side.opposite])


def _is_same(one: Any, another: Any) -> bool:
    """As values of a map are told apart: 1 and true are two."""
    return isinstance(one, bool) is isinstance(another, bool) and same(one, another)


@dataclass(frozen=True, slots=True)
class Memories:
    """The memory of all records of a task.

    Attributes:
        crossings: without what is remembered of one record.
    """

    crossings: Sequence[Crossing]
    state: State

    def of(self, ids: Pair[ID | None]) -> Sequence[Crossing]:
        """The crossings of two linked records, with what is remembered of them."""
        known = self.state.memory.get(ids.notion or "")
        return self.with_bases(ids) if known else self.crossings  # the case of nearly all records

    def with_bases(self, ids: Pair[ID | None]) -> Sequence[Crossing]:
        """Likewise for records of which one is gone: what it had last is known by its base."""
        known, bases = self.state.memory.get(ids.notion or "", {}), self._bases(ids)
        return [
            crossing.recalling(recalled(crossing.rule, known.get(crossing.attrs.notion), bases))
            if crossing.rule.values
            else crossing
            for crossing in self.crossings
        ]

    def left(
        self, ids: Pair[ID | None], after: Pair[Fields], shown: Pair[Fields] = Pair(NOTHING, NOTHING)
    ) -> dict[str, Recalled]:
        """What is to be remembered when fields move to `after`; `shown` is what a write replaces."""
        known, bases = self.state.memory.get(ids.notion or "", {}), self._bases(ids)
        before = Pair.each(lambda side: {**bases[side], **shown[side]})
        return left([crossing.rule for crossing in self.crossings], known, before, after)

    def _bases(self, ids: Pair[ID | None]) -> Pair[Fields]:
        return Pair.each(lambda side: self.state.bases(side).get(ids[side] or "", NOTHING))
