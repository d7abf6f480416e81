"""Which records of the two sides that have no link belong together. Pure, and linear in the records.

Runs in every run, not only the first: after a lost reply, a restored backup or a crash the record
that belongs to a new one may be there already, and then it is linked instead of made twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from sync_workers.engine.content import content_of, key_of
from sync_workers.engine.crossing import Crossing
from sync_workers.engine.rules import AmbiguousPolicy, Rules
from sync_workers.model import ID, Ambiguity, Pair, Record, Side, Snapshot
from sync_workers.state import State


@dataclass(slots=True)
class Matches:
    """What matching found.

    Attributes:
        linked: pairs of ids that belong together.
        new: per side the ids that have no counterpart and are to be copied.
        ambiguous: records that are left alone because nobody can tell.
    """

    linked: list[Pair[ID]] = field(default_factory=list)
    new: Pair[list[ID]] = field(default_factory=lambda: Pair([], []))
    ambiguous: list[Ambiguity] = field(default_factory=list)


def match(
    crossings: Sequence[Crossing],
    rules: Rules,
    snapshot: Snapshot,
    free: Pair[dict[ID, Record]],
    parted: Pair[set[ID]],
    planned: Pair[Mapping[ID, Record | None]],
) -> Matches:
    """Pair the records without a link by key, and where that is not unique by content.

    Args:
        free: the records without a link; those that are paired or ambiguous leave it.
        parted: those that the delete policy left behind: not copied, and not paired with each other.
        planned: what this run makes of linked records: a key that is about to change or to go does
            not count, so that the next run has nothing left to match.
    """
    found = Matches()
    _Matcher(crossings, rules, snapshot, planned, parted, free, found).run()
    for side in Side:
        found.new[side].extend(record_id for record_id in free[side] if record_id not in parted[side])
    return found


def unlinked(state: State, snapshot: Snapshot) -> Pair[dict[ID, Record]]:
    """The records of both sides that have no link."""
    linked: Pair[AbstractSet[ID]] = Pair(state.ids.keys(), set(state.ids.values()))
    return Pair.each(lambda side: _outside(linked[side], snapshot[side].records))


def _outside(linked: AbstractSet[ID], records: Mapping[ID, Record]) -> dict[ID, Record]:
    if records.keys() <= linked:  # nearly always, and the cheap way to know it
        return {}
    return {record_id: record for record_id, record in records.items() if record_id not in linked}


@dataclass(slots=True)
class _Matcher:
    crossings: Sequence[Crossing]
    rules: Rules
    snapshot: Snapshot
    planned: Pair[Mapping[ID, Record | None]]
    parted: Pair[set[ID]]
    free: Pair[dict[ID, Record]]
    found: Matches

    def run(self) -> None:
        if not self.free.notion or not self.free.other:
            return
        groups = Pair.each(self._grouped)
        shared = sorted(groups.notion.keys() & groups.other.keys())
        if not shared:
            return
        everywhere = Pair.each(lambda side: self._counted(side, set(shared)))
        for key in shared:
            members = Pair(groups.notion[key], groups.other[key])
            if self._are_parted(members.notion, members.other):
                continue
            if all(everywhere[side][key] == 1 for side in Side):
                self._link(Pair(members.notion[0], members.other[0]))
            else:
                self._pair_equal(members)

    def _key(self, side: Side, record: Record) -> str | None:
        return key_of(self.crossings, self.rules, side, record)

    def _grouped(self, side: Side) -> dict[str, list[ID]]:
        groups: dict[str, list[ID]] = defaultdict(list)
        for record in self.free[side].values():
            if key := self._key(side, record):
                groups[key].append(record.id)
        return groups

    def _counted(self, side: Side, wanted: set[str]) -> Counter[str]:
        """How often each key stands on the whole side: linked records have theirs, too."""
        planned = self.planned[side]
        records = (planned.get(i, record) for i, record in self.snapshot[side].records.items())
        keys = (self._key(side, record) for record in records if record is not None)
        return Counter(key for key in keys if key in wanted)

    def _are_parted(self, notion_ids: Sequence[ID], other_ids: Sequence[ID]) -> bool:
        """Whether all of them are what the delete policy left behind: they do not belong together."""
        return self.parted.notion.issuperset(notion_ids) and self.parted.other.issuperset(other_ids)

    def _link(self, ids: Pair[ID]) -> None:
        self.found.linked.append(ids)
        for side in Side:
            del self.free[side][ids[side]]

    def _pair_equal(self, members: Pair[list[ID]]) -> None:
        """The key is not unique: link the pairs that are equal in all mapped fields, nothing else."""
        # One that was parted is the last to be taken.
        left = Pair.each(lambda side: sorted(members[side], key=lambda i: (i in self.parted[side], i)))
        for form in (Side.OTHER, Side.NOTION):  # equal in the form of either side
            waiting: dict[str, list[ID]] = defaultdict(list)
            for record_id in reversed(left.other):
                waiting[self._content(Side.OTHER, record_id, form)].append(record_id)
            for notion_id in left.notion:
                partners = waiting.get(self._content(Side.NOTION, notion_id, form))
                if partners and not self._are_parted([notion_id], partners[-1:]):
                    self._link(Pair(notion_id, partners.pop()))
            left = Pair(self._still_free(Side.NOTION, left.notion), self._still_free(Side.OTHER, left.other))
        if not left.notion or not left.other or self._are_parted(left.notion, left.other):
            return
        if self.rules.ambiguous is AmbiguousPolicy.REPORT or self._hides_some(left):
            self.found.ambiguous.append(Ambiguity(Pair(tuple(left.notion), tuple(left.other))))
            for side in Side:
                for record_id in left[side]:
                    del self.free[side][record_id]

    def _hides_some(self, left: Pair[list[ID]]) -> bool:
        """Whether one does not show all of its fields: a copy of it may be the second one."""
        return any(self.free[side][i].about.unread for side in Side for i in left[side])

    def _still_free(self, side: Side, ids: Sequence[ID]) -> list[ID]:
        return [record_id for record_id in ids if record_id in self.free[side]]

    def _content(self, side: Side, record_id: ID, form: Side) -> str:
        return content_of(self.crossings, side, self.free[side][record_id], form)
