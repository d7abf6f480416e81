"""Which records of the two sides that have no link belong together. Pure, and linear in the records.

Runs in every run, not only the first: after a lost reply, a restored backup or a crash the record
that belongs to a new one may be there already, and then it is linked instead of made twice.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.rules import AmbiguousPolicy, Rules
from sync_workers.model import ID, Ambiguity, Pair, Record, Side, Snapshot
from sync_workers.state import Pending, State
from sync_workers.values import canonical, is_unset, same, to_json


@dataclass(slots=True)
class Matches:
    """What matching found.

    Attributes:
        linked: pairs of ids that belong together.
        adopted: pairs whose second half is a create of ours that lost its reply, with what was sent.
        new: per side the ids that have no counterpart and are to be copied.
        ambiguous: records that are left alone because nobody can tell.
    """

    linked: list[Pair[ID]] = field(default_factory=list)
    adopted: list[tuple[Pair[ID], Side, Pending]] = field(default_factory=list)
    new: Pair[list[ID]] = field(default_factory=lambda: Pair([], []))
    ambiguous: list[Ambiguity] = field(default_factory=list)


def match(crossings: Sequence[Crossing], rules: Rules, state: State, snapshot: Snapshot) -> Matches:
    """Pair the records without a link: lost creates first, then by key, then by content."""
    free = Pair.each(lambda side: _free(state, snapshot, side))
    found = Matches()
    if not free.notion and not free.other:
        return found
    for target in Side:
        _adopt(state.pending.get(target, {}), target, free, found)
    _Matcher(crossings, rules, snapshot, free, found).run()
    for side in Side:
        parted = state.unlinked.get(side, set())
        found.new[side].extend(record_id for record_id in free[side] if record_id not in parted)
    return found


def _free(state: State, snapshot: Snapshot, side: Side) -> dict[ID, Record]:
    linked = state.ids if side is Side.NOTION else set(state.ids.values())
    return {i: record for i, record in snapshot[side].records.items() if i not in linked}


def _adopt(pending: Mapping[ID, Pending], target: Side, free: Pair[dict[ID, Record]], found: Matches) -> None:
    """Link creates whose reply was lost to what they made, if exactly one record can be it."""
    for source_id, begun in pending.items():
        if source_id not in free[target.opposite]:
            continue
        candidates = [r for r in free[target].values() if _is_sent(r, begun)]
        if not candidates and begun.key:
            candidates = [r for r in free[target].values() if r.key == begun.key]
        if len(candidates) == 1:
            ids = Pair.of(target, candidates[0].id, source_id)
            found.adopted.append((ids, target, begun))
        elif candidates:
            ids_of = Pair.of(target, tuple(sorted(r.id for r in candidates)), (source_id,))
            found.ambiguous.append(Ambiguity(ids_of))
        if candidates:
            del free[target.opposite][source_id]
            for record in candidates:
                del free[target][record.id]


def _is_sent(record: Record, begun: Pending) -> bool:
    return all(same(record.fields.get(attr), value) for attr, value in begun.sent.items())


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
        everywhere = Pair.each(lambda side: self._counted(side, set(shared)))
        for key in shared:
            members = Pair(groups.notion[key], groups.other[key])
            if all(everywhere[side][key] == 1 for side in Side):
                self._link(Pair(members.notion[0], members.other[0]))
            else:
                self._pair_equal(members)

    def key(self, side: Side, record: Record) -> str | None:
        """What the record is matched by: the hooks' key, or the values of the key fields."""
        if not self.rules.key:
            return record.key
        return key_of(self.crossings, self.rules.key, side, record)

    def _grouped(self, side: Side) -> dict[str, list[ID]]:
        groups: dict[str, list[ID]] = defaultdict(list)
        for record in self.free[side].values():
            if key := self.key(side, record):
                groups[key].append(record.id)
        return groups

    def _counted(self, side: Side, wanted: set[str]) -> Counter[str]:
        keys = (self.key(side, record) for record in self.snapshot[side].records.values())
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
        """All mapped fields of a record as text, in the form of one side."""
        fields = self.free[side][record_id].fields
        values = (
            _in_form(crossing, side, form, fields.get(crossing.attrs[side])) for crossing in self.crossings
        )
        return _text(values)


def _in_form(crossing: Crossing, side: Side, form: Side, value: object) -> object:
    if side is form:
        return crossing.reduced(form.opposite, value) if not crossing.rule.values else value
    try:
        return crossing.to(form, value)
    except UncrossableError:
        return ["cannot cross", side, value]


def key_of(crossings: Sequence[Crossing], attrs: Sequence[str], side: Side, record: Record) -> str | None:
    """The key of a configured task's record: its key fields as they would read on Notion."""
    values: list[object] = []
    for crossing in crossings:
        if crossing.attrs.notion in attrs:
            value = record.fields.get(crossing.attrs[side])
            values.append(_in_form(crossing, side, Side.NOTION, value))
    if all(is_unset(value) for value in values):
        return None
    return _text(value.strip() if isinstance(value, str) else value for value in values)


def _text(values: Iterable[object]) -> str:
    return json.dumps([to_json(canonical(value)) for value in values], sort_keys=True, default=str)
