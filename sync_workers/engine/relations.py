"""`Relation`: how a field that names records of a task crosses: by the links of that task.

Pure. An id that has no link (yet) is neither guessed nor cleared: the field waits. One that had a link when
the bases were made and lost it since stands for itself: it stays as long as its partner does. A side that
keeps a single id takes the first; the rest stays on the richer side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sync_workers.engine.crossing import Crossing
from sync_workers.engine.links import Links, WaitingError, ids_in
from sync_workers.engine.rules import Rules
from sync_workers.fields import Field, Kind
from sync_workers.model import ID, Pair, Record, Side
from sync_workers.references import Reference
from sync_workers.values import canonical, is_unset

_SINGLE = frozenset({Kind.TEXT, Kind.NUMBER, Kind.CHOICE})
"""What keeps one id: a foreign key, the to-do that another one belongs under."""


NO_LINKS: Mapping[str, Mapping[ID, ID]] = {}


def crossings_of(
    rules: Rules,
    fields: Pair[Mapping[str, Field]],
    links: Mapping[str, Mapping[ID, ID]] = NO_LINKS,
    own: Links | None = None,
) -> list[Crossing]:
    """How each field of a task crosses.

    Args:
        links: for each task that a field names records of, its links from Notion id to other id; those of a
            task that is not here are not known, and its records wait.
        own: the links of the task itself.
    """
    known = {name: Links.of(name, ids) for name, ids in links.items()}
    if own is not None:
        known[own.task] = own
    crossings: list[Crossing] = []
    for rule in rules.fields:
        kept = Pair(fields.notion.get(rule.attrs.notion), fields.other.get(rule.attrs.other))
        if rule.relation is None:
            crossings.append(Crossing(rule, kept))
        else:
            linked = known.setdefault(rule.relation, Links(rule.relation))
            crossings.append(Relation(rule, kept, links=linked))
    return crossings


def named_by(crossings: Iterable[Crossing], side: Side, record: Record, task: str) -> list[ID]:
    """The records of the same task that a record belongs under or names: copied before it."""
    named = [] if record.about.parent is None else [record.about.parent]
    for crossing in crossings:
        if isinstance(crossing, Relation) and crossing.links.task == task:
            named += ids_in(record.fields.get(crossing.attrs[side]))
    return named


@dataclass(frozen=True, slots=True)
class Relation(Crossing):
    """A field rule whose values are ids of a task's records.

    Attributes:
        links: which of them belong together.
        bases: what both sides said when they last agreed; None where that is not known.
    """

    links: Links = field(default_factory=lambda: Links(""))
    bases: Pair[Any] = Pair(None, None)

    def knowing(self, bases: Pair[Any]) -> Crossing:
        return replace(self, bases=bases)

    def reference(self, values: Pair[Any]) -> Reference:
        vanished = Pair.each(
            lambda side: tuple(i for i in ids_in(self.bases[side]) if i not in ids_in(values[side]))
        )
        return Reference(self.attrs, self.links.task, vanished)

    def to(self, target: Side, value: Any, current: Any = None) -> Any:
        """What to write on `target`; see `Crossing.to`.

        Raises:
            WaitingError: a record that is named has no counterpart yet, or what the target names would be
                lost although nobody could tell the source of it.
        """
        if self._is_single(target):
            return self._one(target, ids_in(value)[:1], current)
        if self._is_single(target.opposite):
            return self._first(target, ids_in(value)[:1], current)
        return self._all(target, ids_in(value), current)

    def agree(self, values: Pair[Any]) -> bool:
        return all(self._says(side, values) for side in Side) or self._is_written(values)

    def is_one_day(self, _values: Pair[Any]) -> bool:
        return False

    def reduced(self, side: Side, value: Any) -> Any:
        return ids_in(value)[:1] if self._is_single(side) else value

    @property
    def is_unordered(self) -> bool:
        return True

    def comparable(self, value: Any) -> Any:
        return sorted((canonical(one) for one in ids_in(value)), key=repr) or None

    def _is_single(self, side: Side) -> bool:
        kept = self.fields[side]
        return kept is not None and kept.kind in _SINGLE

    def _is_number(self, side: Side) -> bool:
        kept = self.fields[side]
        return kept is not None and kept.kind is Kind.NUMBER

    def _one(self, target: Side, said: Sequence[ID], current: Any) -> Any:
        """For a target that keeps one id."""
        there = ids_in(current)[:1]
        self._expect_known(target, there)
        if not said:
            return None
        if self._is_left_over(target.opposite, said[0]):
            if there != ids_in(self.bases[target])[:1]:  # it was exchanged for what cannot be undone now
                raise WaitingError(target.opposite, self.links.task, said[0])
            return current
        made = self._partner(target, said[0])
        return current if there == ids_in(made) else made

    def _first(self, target: Side, said: Sequence[ID], current: Any) -> Any:
        """For a target that keeps many ids, from a source that keeps one of them: the rest stays."""
        there = ids_in(current)
        if said and self._is_left_over(target.opposite, said[0]):
            return current
        made = [self._partner(target, one) for one in said]
        if made and there[:1] == made:
            return current
        before = [self.links.partners[target.opposite].get(i) for i in ids_in(self.bases[target.opposite])]
        replaced: list[ID] = [i for i in before[:1] if i is not None and i in there] or there[:1]
        self._expect_known(target, replaced)
        return [*made, *(one for one in there if one not in made and one not in replaced)]

    def _all(self, target: Side, said: Sequence[ID], current: Any) -> Any:
        """For two sides that keep many ids."""
        source, there = target.opposite, ids_in(current)
        left = [one for one in said if self._is_left_over(source, one)]
        made = [self._partner(target, one) for one in said if one not in left]
        strays = [one for one in there if not self.links.has(target, one)]
        self._expect_known(target, strays)
        # What was linked when both sides agreed, and is not any more, has its partners among the strays.
        gone = [one for one in self._former(source) if one not in said]
        if strays and gone and left:  # nobody can tell which of them
            raise WaitingError(source, self.links.task, gone[0])
        if left and any(one not in there for one in self._former(target)):  # and it cannot be brought back
            raise WaitingError(source, self.links.task, left[0])
        wanted = made if gone else [*made, *strays]
        return current if _are_same(wanted, there) else wanted

    def _partner(self, target: Side, record_id: ID) -> Any:
        return self.links.partner(target.opposite, record_id, number=self._is_number(target))

    def _is_left_over(self, side: Side, record_id: ID) -> bool:
        """Whether it had a counterpart when the bases were made, and has none now."""
        return not self.links.has(side, record_id) and record_id in ids_in(self.bases[side])

    def _former(self, side: Side) -> list[ID]:
        """What had a counterpart when the bases were made, and has none now."""
        return [one for one in ids_in(self.bases[side]) if not self.links.has(side, one)]

    def _expect_known(self, side: Side, ids: Iterable[ID]) -> None:
        """Make sure that what a write would take away was seen by the opposite side."""
        for one in ids:
            if not self.links.has(side, one) and one not in ids_in(self.bases[side]):
                raise WaitingError(side, self.links.task, one)

    def _says(self, target: Side, values: Pair[Any]) -> bool:
        try:
            wanted = self.to(target, values[target.opposite], values[target])
        except WaitingError:
            return False
        return _are_same(ids_in(wanted), ids_in(values[target]))

    def _is_written(self, values: Pair[Any]) -> bool:
        """Whether the richer side shows what the poorer one's edit made of it, by an earlier attempt."""
        for target in Side:
            base, source = self.bases[target], target.opposite
            if self._is_single(target) or not self._is_single(source) or is_unset(base):
                continue
            if ids_in(values[source]) == ids_in(self.bases[source]):  # nothing was to be written
                continue
            try:
                wanted = self.to(target, values[source], base)
            except WaitingError:
                return False
            return _are_same(ids_in(wanted), ids_in(values[target]))
        return False


def _are_same(one: Sequence[Any], another: Sequence[Any]) -> bool:
    return len(one) == len(another) and set(one) == set(another)
