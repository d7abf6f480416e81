"""Which records of the two sides that have no link belong together. Pure, and linear in the records.

Runs in every run, not only the first: after a lost reply, a restored backup or a crash the record
that belongs to a new one may be there already, and then it is linked instead of made twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from sync_workers.engine.absence import Absence
from sync_workers.engine.adopt import Adopted, adopt
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
        adopted: what creates of ours that lost their reply had made.
    """

    linked: list[Pair[ID]] = field(default_factory=list)
    new: Pair[list[ID]] = field(default_factory=lambda: Pair([], []))
    ambiguous: list[Ambiguity] = field(default_factory=list)
    adopted: Adopted = field(default_factory=Adopted)


def match(crossings: Sequence[Crossing], rules: Rules, state: State, absence: Absence) -> Matches:
    """Pair the records without a link: lost creates first, then by key, then by content."""
    free = Pair.each(lambda side: _free(state, absence.snapshot, side))
    found = Matches()
    if not free.notion and not free.other:
        return found
    found.adopted = adopt(crossings, rules, state, absence, free)
    for side in Side:
        for record_id in found.adopted.taken[side]:
            free[side].pop(record_id, None)
    _Matcher(crossings, rules, absence.snapshot, free, found).run()
    for side in Side:
        parted = state.unlinked.get(side, set())
        found.new[side].extend(record_id for record_id in free[side] if record_id not in parted)
    return found


def _free(state: State, snapshot: Snapshot, side: Side) -> dict[ID, Record]:
    linked = state.ids if side is Side.NOTION else set(state.ids.values())
    return {i: record for i, record in snapshot[side].records.items() if i not in linked}


@dataclass(slots=True)
class _Matcher:
    crossings: Sequence[Crossing]
    rules: Rules
    snapshot: Snapshot
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
        keys = (self._key(side, record) for record in self.snapshot[side].records.values())
        return Counter(key for key in keys if key in wanted)

    def _link(self, ids: Pair[ID]) -> None:
        self.found.linked.append(ids)
        for side in Side:
            del self.free[side][ids[side]]

    def _pair_equal(self, members: Pair[list[ID]]) -> None:
        """The key is not unique: link the pairs that are equal in all mapped fields, nothing else."""
        left = Pair.each(lambda side: sorted(members[side]))
        for form in (Side.OTHER, Side.NOTION):  # equal in the form of either side
            waiting: dict[str, list[ID]] = defaultdict(list)
            for record_id in reversed(left.other):
                waiting[self._content(Side.OTHER, record_id, form)].append(record_id)
            for notion_id in left.notion:
                if partners := waiting.get(self._content(Side.NOTION, notion_id, form)):
                    self._link(Pair(notion_id, partners.pop()))
            left = Pair.each(lambda side: [i for i in sorted(members[side]) if i in self.free[side]])
        if left.notion and left.other and self.rules.ambiguous is AmbiguousPolicy.REPORT:
            self.found.ambiguous.append(Ambiguity(Pair(tuple(left.notion), tuple(left.other))))
            for side in Side:
                for record_id in left[side]:
                    del self.free[side][record_id]

    def _content(self, side: Side, record_id: ID, form: Side) -> str:
        return content_of(self.crossings, side, self.free[side][record_id], form)
