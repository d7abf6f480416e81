"""`diff`: what to do so that both sides agree. Pure: a state and a snapshot in, a plan out.

The cost is linear in the records, and a record in which nothing changed costs two comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.match import match
from sync_workers.engine.merge import UNKNOWN, Merged, edited, merge
from sync_workers.engine.rules import DeletePolicy, Rules
from sync_workers.fields import Field
from sync_workers.model import (
    ID,
    NOTHING,
    Action,
    Ambiguity,
    Conflict,
    Fields,
    Hold,
    Operation,
    Pair,
    Part,
    Plan,
    Record,
    Side,
    Snapshot,
)
from sync_workers.state import Pending, State

NO_FIELDS: Pair[Mapping[str, Field]] = Pair({}, {})
"""For tasks that do not know what their fields hold (hooks)."""


def diff(
    rules: Rules,
    state: State,
    snapshot: Snapshot,
    *,
    fields: Pair[Mapping[str, Field]] = NO_FIELDS,
    fresh: bool = False,
) -> Plan:
    """The plan that brings both sides together.

    Args:
        fields: what each side's fields hold, by name.
        fresh: the set-up changed since the bases were made: link and update, but take nothing
            that is absent for deleted (rule R9).
    """
    crossings = [
        Crossing(rule, Pair(fields.notion.get(rule.attrs.notion), fields.other.get(rule.attrs.other)))
        for rule in rules.fields
    ]
    return _Diff(crossings, rules, state, snapshot, fresh).run()


@dataclass(slots=True)
class _Diff:
    crossings: Sequence[Crossing]
    rules: Rules
    state: State
    snapshot: Snapshot
    fresh: bool
    parts: dict[Part, list[Operation]] = field(default_factory=lambda: {part: [] for part in Part})
    conflicts: list[Conflict] = field(default_factory=list)
    ambiguous: list[Ambiguity] = field(default_factory=list)
    held: list[Hold] = field(default_factory=list)
    unreadable: Pair[frozenset[ID]] = Pair(frozenset(), frozenset())

    def run(self) -> Plan:
        self.unreadable = Pair.each(lambda s: frozenset(f.record_id for f in self.snapshot[s].failures))
        self._linked()
        self._unlinked()
        operations = tuple(operation for part in Part for operation in self.parts[part])
        return Plan(
            operations,
            tuple(self.conflicts),
            tuple(self.ambiguous),
            tuple(self.held),
            links=len(self.state.ids),
        )

    def _linked(self) -> None:
        notion, other = (self.snapshot[side].records for side in Side)
        notion_bases, other_bases = self.state.objs, self.state.other_objs
        for notion_id, other_id in self.state.ids.items():
            one, another = notion.get(notion_id), other.get(other_id)
            if one is None or another is None:
                self._absent(Pair(notion_id, other_id), Pair(one, another))
                continue
            bases = Pair(notion_bases.get(notion_id, NOTHING), other_bases.get(other_id, NOTHING))
            # Nothing changed on either side: the case of nearly all records in nearly all runs.
            if one.fields == bases.notion and another.fields == bases.other:
                continue
            records = Pair(one, another)
            self._merged(Part.CHANGED, records, merge(self.crossings, self.rules, records, bases))

    def _absent(self, ids: Pair[ID], records: Pair[Record | None]) -> None:
        """A linked record is missing from one listing, or from both."""
        missing = [side for side in Side if records[side] is None]
        for side in missing:
            if self._may_be_there(side, ids[side]):
                return
        # Deleted on both sides: only the link is left.
        if len(missing) == len(Side):
            self._add(Part.NOTION_DELETED, Action.UNLINK, Side.NOTION, ids, "deleted on both sides")
            return
        (side,) = missing
        record = records[side.opposite]
        if record is not None:
            self._absent_on(side, ids, record)

    def _may_be_there(self, side: Side, record_id: ID) -> bool:
        """Whether the absence proves nothing: an unreadable record, a partial listing, a new set-up."""
        if record_id in self.unreadable[side]:
            return True
        if self.snapshot[side].complete and not self.fresh:
            return False
        reason = "the set-up changed" if self.fresh else "the listing is not complete"
        self.held.append(Hold(side, record_id, f"absent, but {reason}: not taken for deleted"))
        return True

    def _absent_on(self, side: Side, ids: Pair[ID], record: Record) -> None:
        part, target = Part.deleted(side), side.opposite
        records = Pair.of(target, record, None)
        base = self.state.bases(target).get(ids[target], {})
        policy = self.rules.delete
        # Deleted on one side, and this task does not pass deletions on.
        if policy is DeletePolicy.UNLINK:
            self._add(part, Action.UNLINK, target, ids, f"deleted on {side}", records)
        # Deleted on one side and edited on the other: the edit wins.
        elif edited(self.crossings, target, record, base):
            self._create(side, ids, record, f"deleted on {side}, but edited on {target}")
        # Deleted on one side, untouched on the other.
        else:
            action = Action.ARCHIVE if policy is DeletePolicy.ARCHIVE else Action.DELETE
            self._add(part, action, target, ids, f"deleted on {side}", records)

    def _unlinked(self) -> None:
        found = match(self.crossings, self.rules, self.state, self.snapshot)
        self.ambiguous.extend(found.ambiguous)
        for ids, target, begun in found.adopted:
            self._adopt(ids, target, begun)
        for ids in found.linked:
            records = self._records(ids)
            merged = merge(self.crossings, self.rules, records)
            self._add(
                Part.MATCHED,
                Action.LINK,
                Side.NOTION,
                ids,
                "one key on both sides",
                records,
                bases=merged.advanced,
            )
            self._merged(Part.MATCHED, records, replace(merged, advanced=Pair({}, {})))
        for source in Side:
            for record_id in found.new[source]:
                ids_of = Pair.of(source, record_id, None)
                self._create(
                    source.opposite, ids_of, self.snapshot[source].records[record_id], f"new on {source}"
                )

    def _records(self, ids: Pair[ID]) -> Pair[Record]:
        return Pair.each(lambda side: self.snapshot[side].records[ids[side]])

    def _adopt(self, ids: Pair[ID], target: Side, begun: Pending) -> None:
        """A create of ours whose reply was lost: link what it made, then look for later edits."""
        records = self._records(ids)
        made = {attr: records[target].fields.get(attr) for attr in begun.sent}
        bases = Pair.of(target, made, begun.source)
        self._add(
            Part.MATCHED, Action.LINK, target, ids, "made by a run that lost the reply", records, bases=bases
        )
        self._merged(Part.MATCHED, records, merge(self.crossings, self.rules, records, bases))

    def _merged(self, part: Part, records: Pair[Record], merged: Merged) -> None:
        """The operations that one linked record asks for."""
        ids = Pair(records.notion.id, records.other.id)
        self.conflicts.extend(merged.conflicts)
        for name in merged.uncrossable:
            self._hold_value(Side.NOTION, records.notion.id, name)
        undecided = tuple(conflict for conflict in merged.conflicts if conflict.winner is None)
        if self.rules.task_resolves and undecided:
            bases = Pair.each(lambda s: {**merged.advanced[s], **merged.sources[s.opposite]})
            why = "conflicts for the task's own resolve_conflict"
            self._add(part, Action.RESOLVE, Side.NOTION, ids, why, records, bases=bases)
            self.parts[part][-1] = replace(
                self.parts[part][-1], conflicts=undecided, resolve_fields=merged.updates
            )
            return
        advanced = merged.advanced
        for side in Side:
            if merged.updates[side]:
                bases = Pair.of(side, advanced[side], {**advanced[side.opposite], **merged.sources[side]})
                self._add(
                    part,
                    Action.UPDATE,
                    side,
                    ids,
                    f"edited on {side.opposite}",
                    records,
                    merged.updates[side],
                    bases,
                )
                advanced = Pair({}, {})
        if advanced.notion or advanced.other:
            self._add(part, Action.ADVANCE, Side.NOTION, ids, "both sides agree", records, bases=advanced)

    def _hold_value(self, side: Side, record_id: ID, name: str) -> None:
        self.held.append(Hold(side, record_id, f"the value of {name} has no counterpart in the value map"))

    def _create(self, target: Side, ids: Pair[ID | None], record: Record, reason: str) -> None:
        source = target.opposite
        sent, base = {}, {}
        for crossing in self.crossings:
            value = record.fields.get(crossing.attrs[source])
            try:
                if crossing.reaches(target):
                    sent[crossing.attrs[target]] = crossing.to(target, value)
                base[crossing.attrs[source]] = value
            except UncrossableError:
                self._hold_value(source, record.id, crossing.attrs[source])
        records = Pair.of(source, record, None)
        bases = Pair.of(source, base, {})
        self._add(Part.created(source), Action.CREATE, target, ids, reason, records, sent, bases)

    def _add(
        self,
        part: Part,
        action: Action,
        side: Side,
        ids: Pair[ID | None],
        reason: str,
        records: Pair[Record | None] = Pair(None, None),
        fields: Fields = NOTHING,
        bases: Pair[Fields] = UNKNOWN,
    ) -> None:
        self.parts[part].append(Operation(part, action, side, ids, reason, records, fields, bases))
