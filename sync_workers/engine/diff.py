"""`diff`: what to do so that both sides agree. Pure: a state and a snapshot in, a plan out.

The cost is linear in the records, and a record in which nothing changed costs two comparisons.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync_workers.engine.absence import Absence
from sync_workers.engine.adopt import Adopted, adopt
from sync_workers.engine.alike import Alike, MarkOf, unmarked
from sync_workers.engine.creation import creation, made_of
from sync_workers.engine.crossing import Crossing
from sync_workers.engine.decided import decided, remarked, unseen
from sync_workers.engine.draft import Draft
from sync_workers.engine.field_map import FieldMap
from sync_workers.engine.links import Links
from sync_workers.engine.match import match, unlinked
from sync_workers.engine.merge import edited, merge
from sync_workers.engine.notes import NO_NOTES, notes_to_write
from sync_workers.engine.parents import named_first
from sync_workers.engine.recall import Memories
from sync_workers.engine.relations import NO_LINKS, crossings_of, named_by
from sync_workers.engine.rules import DeletePolicy, OutOfScopePolicy, Rules
from sync_workers.engine.settling import Settling, held
from sync_workers.engine.unread import hides_an_edit, unread_fields
from sync_workers.fields import Field
from sync_workers.model import (
    ID,
    NOTHING,
    Action,
    Fields,
    Hold,
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

KEYLESS = "no record is made as long as the field that records are matched by is frozen"

NOT_SAFE: Pair[bool] = Pair.each(lambda _: False)


def diff(
    rules: Rules,
    state: State,
    snapshot: Snapshot,
    *,
    fields: Pair[Mapping[str, Field]] = NO_FIELDS,
    fresh: bool = False,
    safe_creates: Pair[bool] = NOT_SAFE,
    notes: Pair[bool] = NO_NOTES,
    mark: MarkOf = unmarked,
    links: Mapping[str, Mapping[ID, ID]] = NO_LINKS,
    task: str = "",
    frozen: Mapping[str, frozenset[Side]] = NOTHING,
) -> Plan:
    """The plan that brings both sides together.

    Args:
        fields: what each side's fields hold, by name.
        fresh: the set-up changed since the bases were made: link and update, but take nothing
            that is absent for deleted (rule R9).
        safe_creates: whether a side makes no second record when a create is repeated.
        notes: whether a side has a place for texts about conflicts.
        mark: what a create on that side from that source stamps on its record.
        links: of other tasks that fields name records of, from Notion id to other id, by the task's name.
        task: the name of this one, whose own records a field may name, too.
        frozen: by Notion attribute, fields of which nothing crosses, with the sides that do not show them.
    """
    own = Links.of(task, state.ids if rules.names(task) else {})
    field_map = FieldMap.of(crossings_of(rules, fields, links, own), rules, frozen)
    crossings = field_map.crossings
    absence = Absence.of(snapshot, fresh=fresh)
    free = unlinked(state, snapshot)
    adopted = adopt(crossings, rules, state, absence, free, safe_creates)
    memories = Memories(crossings, state)
    return _Diff(crossings, rules, state, absence, free, adopted, notes, mark, memories, own, field_map).run()


@dataclass(slots=True)
class _Diff:
    crossings: Sequence[Crossing]
    rules: Rules
    state: State
    absence: Absence
    free: Pair[dict[ID, Record]]
    adopted: Adopted
    notes: Pair[bool]
    mark: MarkOf
    memories: Memories
    own: Links
    field_map: FieldMap
    draft: Draft = field(default_factory=Draft)
    settling: Settling = field(init=False)

    def __post_init__(self) -> None:
        self.settling = Settling(self.rules, self.memories, self.own, self.draft)

    def run(self) -> Plan:
        self._linked()
        self._unlinked()
        self.settling.look_again()
        self._name_alike()
        draft, snapshot = self.draft, self.absence.snapshot
        asked = notes_to_write(self.state, snapshot, self.notes, draft.conflicts, draft.operations())
        draft.parts[Part.MATCHED].extend(list(asked))
        return replace(
            draft.plan(links=len(self.state.ids)),
            parts_hidden=self.rules.out_of_scope is OutOfScopePolicy.UNLINK,
            unseen=unseen(self.state, snapshot),
            unread=unread_fields(self.crossings, snapshot, self.state, remarked(self.state)),
        )

    def _linked(self) -> None:
        notion, other = (self.absence.snapshot[side].records for side in Side)
        notion_bases, other_bases = self.state.objs, self.state.other_objs
        changed: list[tuple[Pair[Record], Pair[Fields]]] = []
        for notion_id, other_id in self.state.ids.items():
            one, another = notion.get(notion_id), other.get(other_id)
            if one is None or another is None:
                self._absent(Pair(notion_id, other_id), Pair(one, another))
                continue
            base, other_base = notion_bases.get(notion_id, NOTHING), other_bases.get(other_id, NOTHING)
            # Nothing changed on either side: the case of nearly all records in nearly all runs.
            is_whole = not one.about.unread and not another.about.unread
            if is_whole and one.fields == base and another.fields == other_base:
                continue
            changed.append((Pair(one, another), Pair(base, other_base)))
        # After what is absent: what is made again has no counterpart yet that another record could name.
        for records, bases in changed:
            said = decided(self.rules, self.state, records, self.notes)
            crossings = self.memories.of(Pair(records.notion.id, records.other.id))
            self.settling.settle(Part.CHANGED, crossings, records, bases, said)

    def _absent(self, ids: Pair[ID], records: Pair[Record | None]) -> None:
        """A linked record is missing from one listing, or from both."""
        missing = [side for side in Side if records[side] is None]
        for side in missing:
            if why := self.absence.unproven(side, ids[side]):
                # One that cannot be read stands among the failures already.
                if ids[side] not in self.absence.unreadable[side]:
                    self.draft.hold(side, ids[side], f"absent, but {why}: not taken for deleted")
                return
        # Missing on both sides: only the link is left.
        if len(missing) == len(Side):
            self.draft.add(Part.NOTION_DELETED, Action.UNLINK, Side.NOTION, ids, "deleted on both sides")
            return
        (side,) = missing
        record = records[side.opposite]
        if record is not None and record.id not in self.adopted.taken[side.opposite]:
            self._absent_on(side, ids, record)

    def _absent_on(self, side: Side, ids: Pair[ID], record: Record) -> None:
        part, target = Part.deleted(side), side.opposite
        records = Pair.of(target, record, None)
        base = self.state.bases(target).get(ids[target], {})
        policy = self.rules.delete[target]
        # Deleted on one side, which this task ignores: should it be restored, both go on as before.
        if policy is DeletePolicy.IGNORE:
            self.draft.ignored.append(Hold(target, record.id, f"deleted on {side}"))
        # Deleted on one side, and this task does not pass deletions on.
        elif policy is DeletePolicy.UNLINK:
            self.draft.add(part, Action.UNLINK, target, ids, f"deleted on {side}", records)
        # Deleted on one side and edited on the other: the edit wins.
        elif edited(self.field_map.shown[target], target, record, base):
            self.own.copied(target, record.id)
            self._create(side, ids, record, f"deleted on {side}, but edited on {target}")
        # Deleted on one side, and nobody can tell whether it was edited on the other.
        elif hidden := hides_an_edit(self.field_map.shown[target], target, record):
            why = f"deleted on {side}, but left: {hidden!r} of it cannot be read and may have been edited"
            self.draft.hold(target, record.id, why)
        # Deleted on one side, untouched on the other.
        else:
            action = Action.ARCHIVE if policy is DeletePolicy.ARCHIVE else Action.DELETE
            self.draft.add(part, action, target, ids, f"deleted on {side}", records)

    def _unlinked(self) -> None:
        if not self.free.notion and not self.free.other:
            return
        parted = Pair.each(lambda side: self.state.unlinked.get(side, set()))
        # Nobody can tell now which of them belong together, and a copy could be the second one.
        if self.field_map.is_keyless:
            for side in Side:
                for record_id in self.free[side].keys() - parted[side]:
                    self.draft.hold(side, record_id, KEYLESS)
            return
        # First what creates of ours had made that lost their reply, then what belongs together.
        self._adopted()
        snapshot, planned = self.absence.snapshot, self.draft.outcome()
        found = match(self.crossings, self.rules, snapshot, self.free, parted, planned)
        self.draft.ambiguous.extend(found.ambiguous)
        for ids in found.linked:
            self.own.add(ids)
        for ids in found.linked:
            self._link(ids, "one key on both sides")
        for source in Side:
            for record_id in self._ordered(source, found.new[source]):
                # An orphan's own source has to be confirmed gone before a second one is made.
                ids_of = Pair.of(source, record_id, self.adopted.orphans[source].get(record_id))
                record = snapshot[source].records[record_id]
                self._create(source.opposite, ids_of, record, f"new on {source}")

    def _ordered(self, source: Side, ids: Sequence[ID]) -> list[ID]:
        """The records to be copied in an order in which each can name those that were made before it."""
        records = self.absence.snapshot[source].records
        for record_id in ids:
            self.own.copied(source, record_id)
        return named_first(ids, lambda i: named_by(self.crossings, source, records[i], self.own.task))

    def _name_alike(self) -> None:
        """Say for each create which records it surely does not make, since they are there already."""
        creates = self.draft.creates()
        if not creates:
            return
        free = unlinked(self.state, self.absence.snapshot)
        alike = Pair.each(lambda side: Alike(self.crossings, self.rules, side, free[side], self.mark))
        for part, place, operation in creates:
            source = operation.records[operation.side.opposite]
            if source is not None and (ids := alike[operation.side].to(source, operation.fields)):
                self.draft.parts[part][place] = replace(operation, alike=ids)

    def _adopted(self) -> None:
        for side in Side:
            for record_id in self.adopted.taken[side]:
                self.free[side].pop(record_id, None)
        self.draft.ambiguous.extend(self.adopted.ambiguous)
        self.draft.held.extend(self.adopted.held)
        for ids in (*(ids for ids, _, _ in self.adopted.sent), *self.adopted.keyed):
            self.own.add(ids)
        for ids, target, begun in self.adopted.sent:
            self._adopt(ids, target, begun)
        for ids in self.adopted.keyed:
            self._link(ids, "made by a run that lost the reply")

    def _records(self, ids: Pair[ID]) -> Pair[Record]:
        return Pair.each(lambda side: self.absence.snapshot[side].records[ids[side]])

    def _link(self, ids: Pair[ID], reason: str) -> None:
        """Two records that were just matched: nobody knows their bases."""
        records = self._records(ids)
        merged = merge(self.crossings, self.rules, records)
        self.draft.add(Part.MATCHED, Action.LINK, Side.NOTION, ids, reason, records, bases=merged.advanced)
        self.settling.settle(Part.MATCHED, self.crossings, records, merged.advanced)

    def _adopt(self, ids: Pair[ID], target: Side, begun: Pending) -> None:
        """A create of ours whose reply was lost: link what it made, then look for later edits."""
        records = self._records(ids)
        made = made_of(self.crossings, target, records[target], begun)
        bases = Pair.of(target, made, begun.source)
        why = "made by a run that lost the reply"
        self.draft.add(Part.MATCHED, Action.LINK, target, ids, why, records, bases=bases)
        self.settling.settle(Part.MATCHED, self.crossings, records, bases)

    def _create(self, target: Side, ids: Pair[ID | None], record: Record, reason: str) -> None:
        source = target.opposite
        if self.field_map.is_keyless:
            self.draft.hold(source, record.id, f"{reason}: {KEYLESS}")
            return
        crossings = self.memories.with_bases(ids) if ids[target] is not None else self.crossings
        made = creation(crossings, target, record)
        known_as = Pair.of(source, record.id, ids[target])
        for crossing, error in made.held:
            self.draft.held.append(held(crossing, known_as, error))
        # One that was begun before comes first: a safe create may give back what the first attempt
        # made, and that is then no new record any more.
        again = record.id in self.state.pending.get(target, {})
        part = Part.MATCHED if again else Part.created(source)
        memory = self.memories.left(ids, Pair.of(source, made.base, made.sent))
        self.draft.take(made.operation(part, target, ids, record, reason, memory))
