"""Creates of ours whose reply was lost, looked for before they are tried again. Pure and linear.

What such a create made is known by what was sent, or else by its key. Exactly one record can be it,
or nobody can tell: then all that might belong together is left alone and reported.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sync_workers.engine.absence import Absence
from sync_workers.engine.content import key_of, text_of
from sync_workers.engine.crossing import Crossing
from sync_workers.engine.rules import Rules
from sync_workers.model import ID, Ambiguity, Fields, Hold, Pair, Record, Side, Snapshot
from sync_workers.state import Pending, State

Groups = Mapping[str, list[ID]]

_MARK = re.compile(r"[0-9a-f]{32}")
"""What a mark of ours looks like (`services.base.mark_of`); what a person made of one proves nothing."""

NEXT_LOOK = "the next run looks again"


@dataclass(slots=True)
class Adopted:
    """What the search for lost creates found.

    Attributes:
        sent: pairs whose second half shows just what was sent, with the written side.
        keyed: pairs whose second half has the key, but shows something else: normalised or edited.
        orphans: per side what was made from a record that is missing now, with that record's id.
        taken: per side the ids that are spoken for here.
        ambiguous: lost creates and records of which nobody can tell which belong together.
        held: made from a record that cannot be seen now: to copy it back might make a second one.
    """

    sent: list[tuple[Pair[ID], Side, Pending]] = field(default_factory=list)
    keyed: list[Pair[ID]] = field(default_factory=list)
    orphans: Pair[dict[ID, ID]] = field(default_factory=lambda: Pair({}, {}))
    taken: Pair[set[ID]] = field(default_factory=lambda: Pair(set(), set()))
    ambiguous: list[Ambiguity] = field(default_factory=list)
    held: list[Hold] = field(default_factory=list)


def adopt(
    crossings: Sequence[Crossing],
    rules: Rules,
    state: State,
    absence: Absence,
    free: Pair[Mapping[ID, Record]],
    safe: Pair[bool],
) -> Adopted:
    """Find what the creates of earlier runs made of which nobody saw the end.

    Where it is not found, it is made again; but where it may be among what cannot be seen now, it waits,
    unless the side is `safe` against a second one.
    """
    found = Adopted()
    for target in Side:
        taken = found.taken[target.opposite]
        # What another create has made is linked with its own source, and cannot be a source any more.
        begun = {i: one for i, one in _open(state, absence.snapshot, target).items() if i not in taken}
        if begun:
            hides = not safe[target] and _hides_some(state, absence, target)
            side = (target, begun, free[target], safe[target], hides)
            _Search(crossings, rules, absence, found, *side).run()
    return found


def _hides_some(state: State, absence: Absence, side: Side) -> bool:
    """Whether a side has records without a link that the listing does not show."""
    return not absence.snapshot[side].complete or bool(absence.unreadable[side] - state.linked(side))


def _open(state: State, snapshot: Snapshot, target: Side) -> dict[ID, Pending]:
    """The begun creates whose source still has no counterpart."""
    pending = state.pending.get(target, {})
    if not pending:
        return {}
    partners = state.ids if target is Side.OTHER else {other: notion for notion, other in state.links()}
    # A linked source is open, too, if its counterpart is missing: it was being made again.
    there = snapshot[target].records
    return {i: pending[i] for i in sorted(pending) if i not in partners or partners[i] not in there}


@dataclass(slots=True)
class _Search:
    crossings: Sequence[Crossing]
    rules: Rules
    absence: Absence
    found: Adopted
    target: Side
    begun: dict[ID, Pending]
    free: Mapping[ID, Record]
    is_safe: bool
    hides: bool

    def run(self) -> None:
        self._by_mark()
        left: list[ID] = []
        for sources, candidates in self._by_content():
            if not candidates:
                left.extend(sources)
            elif len(candidates) > len(sources):
                self._leave_alone(sources, candidates)
            else:
                # Equal creates and equal records: which is whose makes no difference. A source that
                # is left over was not created.
                for source_id, made_id in zip(sources, candidates, strict=False):
                    self._pair(source_id, made_id, sent=True)
        lost: list[ID] = []
        for sources, candidates in self._by_key(left):
            if not candidates:
                lost.extend(sources)
            if len(sources) == len(candidates) == 1:
                self._pair(sources[0], candidates[0], sent=False)
            elif candidates:
                self._leave_alone(sources, candidates)

        keyless = [i for i in left if self._key_of_begun(i) is None]
        for source_id in (*lost, *keyless):
            self._wait(source_id)

    def _by_mark(self) -> None:
        """What carries the mark of a create was made by it, whatever a person has edited since."""
        taken = self.found.taken[self.target]
        marked = _grouped((i, record.about.mark) for i, record in self.free.items() if i not in taken)
        for source_id, begun in list(self.begun.items()):
            # One that was there before bears it, too, if it was made of the same source by a forgotten run.
            made = [i for i in marked.get(begun.mark, []) if i not in begun.alike] if begun.mark else []
            if len(made) == 1:
                # A side that makes nothing twice gives the same mark to all that was ever made of the source:
                # this may be older, from when the source said something else, and no edit of today's values.
                self._pair(source_id, made[0], sent=not self.is_safe or self._is_as_sent(source_id, made[0]))
            elif made:  # a person copied it, mark and all
                self._leave_alone([source_id], made)
            if made:
                del self.begun[source_id]

    def _wait(self, source_id: ID) -> None:
        """It was not found; where it may be there unseen, nothing is made."""
        source = self.target.opposite
        if not self.hides or source_id not in self.absence.snapshot[source].records:
            return
        self.found.taken[source].add(source_id)
        reason = f"its copy may be among what {self.target} does not show now: {NEXT_LOOK}"
        self.found.held.append(Hold(source, source_id, reason))

    def _by_content(self) -> Iterable[tuple[list[ID], list[ID]]]:
        """Begun creates that sent the same, with the records that show just that."""
        by_attrs: dict[tuple[str, ...], list[ID]] = defaultdict(list)
        mapped = {crossing.attrs[self.target] for crossing in self.crossings}
        for source_id, begun in self.begun.items():
            # What is not mapped any more is not shown by any record.
            by_attrs[tuple(sorted(mapped & begun.sent.keys()))].append(source_id)
        for attrs, sources in by_attrs.items():
            made = _grouped((i, self._content(attrs, self.free[i].fields)) for i in sorted(self.free))
            tried = _grouped((i, self._content(attrs, self.begun[i].sent)) for i in sources)
            for text, same_sources in tried.items():
                yield same_sources, (self._untaken(made.get(text, []), same_sources) if attrs else [])

    def _is_as_sent(self, source_id: ID, made_id: ID) -> bool:
        sent, shown = self.begun[source_id].sent, self.free[made_id].fields
        attrs = sorted(sent)
        return self._content(attrs, sent) == self._content(attrs, shown)

    def _content(self, attrs: Sequence[str], fields: Fields) -> str:
        crossings = {c.attrs[self.target]: c for c in self.crossings}
        values = ((crossings.get(attr), fields.get(attr)) for attr in attrs)
        return text_of(crossing.comparable(value) if crossing else value for crossing, value in values)

    def _by_key(self, sources: Sequence[ID]) -> Iterable[tuple[list[ID], list[ID]]]:
        if not sources:
            return
        made = _grouped((i, self._key(self.target, self.free[i])) for i in sorted(self.free))
        for key, same_sources in _grouped((i, self._key_of_begun(i)) for i in sources).items():
            yield same_sources, self._untaken(made.get(key, []), same_sources)

    def _key(self, side: Side, record: Record) -> str | None:
        return key_of(self.crossings, self.rules, side, record)

    def _key_of_begun(self, source_id: ID) -> str | None:
        begun = self.begun[source_id]
        record = Record(source_id, begun.source, key=begun.key)
        return self._key(self.target.opposite, record)

    def _untaken(self, ids: Iterable[ID], sources: Sequence[ID]) -> list[ID]:
        """Without those that these creates surely did not make: they were there before, or bear a mark."""
        before = set.intersection(*(set(self.begun[i].alike) for i in sources))
        taken = self.found.taken[self.target] | before
        return [i for i in ids if i not in taken and not _MARK.fullmatch(self.free[i].about.mark or "")]

    def _pair(self, source_id: ID, made_id: ID, *, sent: bool) -> None:
        source, found = self.target.opposite, self.found
        if source_id in self.absence.snapshot[source].records:
            found.taken[source].add(source_id)
            found.taken[self.target].add(made_id)
            ids = Pair.of(self.target, made_id, source_id)
            if sent:
                found.sent.append((ids, self.target, self.begun[source_id]))
            else:
                found.keyed.append(ids)
        # What it was made from is there perhaps, and would get a second copy if this one was copied.
        elif why := self.absence.unproven(source, source_id):
            found.taken[self.target].add(made_id)
            reason = f"made from {source_id} of {source}, which is not seen now: {why}"
            found.held.append(Hold(self.target, made_id, reason))
        # What it was made from was deleted meanwhile: it is a record like any other.
        else:
            found.orphans[self.target][made_id] = source_id

    def _leave_alone(self, sources: Sequence[ID], candidates: Sequence[ID]) -> None:
        self.found.taken[self.target.opposite].update(sources)
        self.found.taken[self.target].update(candidates)
        self.found.ambiguous.append(Ambiguity(Pair.of(self.target, tuple(candidates), tuple(sources))))


def _grouped(named: Iterable[tuple[ID, str | None]]) -> Groups:
    groups: dict[str, list[ID]] = defaultdict(list)
    for record_id, text in named:
        if text:
            groups[text].append(record_id)
    return groups
