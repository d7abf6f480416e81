"""What takes back a run, or what it did to one record: a plan, from the history and a look at both sides.

    update    the written fields get back what stood there, if nobody edited them since
    create    what was made is deleted, if nobody edited it since, and its source is left alone from then on
    delete    the record is brought back from the trash or the archive, or made anew from its fields
    link      the link is dropped, and both records are left alone
    unlink    the link is made again, if both records are there

Nothing that came later is written over. The next run does not do again what was taken back: the bases of the
side that was not written stay, so a field differs on both sides until somebody edits it. Calls no service.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sync_workers.fields import Field
from sync_workers.model import (
    ID,
    NOTHING,
    Action,
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
from sync_workers.runs.history import Entry
from sync_workers.services.base import ReadResult
from sync_workers.state import State
from sync_workers.values import same

Found = Pair[Mapping[ID, ReadResult]]
"""What the records of a run are now, by side and id."""

NOT_THERE: Pair[Record | None] = Pair(None, None)


def concerned(entries: Iterable[Entry]) -> Pair[list[ID]]:
    """The ids of both sides that have to be read before the entries can be taken back."""
    named = list(entries)
    ids = Pair.each(lambda side: dict.fromkeys(entry.ids[side] for entry in named))
    return Pair.each(lambda side: [record_id for record_id in ids[side] if record_id is not None])


def undo(
    entries: Sequence[Entry],
    state: State,
    snapshot: Snapshot,
    found: Found,
    fields: Pair[Mapping[str, Field]],
) -> Plan:
    """The plan that takes back what the entries tell, the newest first.

    Args:
        snapshot: what both sides list now.
        found: what the records of the entries are now, also those that are not listed.
        fields: what each side's fields hold, where that is known; what it computes itself is not written.
    """
    made = _Undo(state, snapshot, found, fields)
    for entry in entries:
        made.take_back(entry)
    return Plan(tuple(made.operations), held=tuple(made.held), links=len(state.ids))


@dataclass(slots=True)
class _Undo:
    state: State
    snapshot: Snapshot
    found: Found
    fields: Pair[Mapping[str, Field]]
    operations: list[Operation] = field(default_factory=list)
    held: list[Hold] = field(default_factory=list)

    def take_back(self, entry: Entry) -> None:
        steps: Mapping[Action, Callable[[Entry], str]] = {
            Action.UPDATE: self._updated,
            Action.RESOLVE: self._updated,
            Action.CREATE: self._created,
            Action.RESTORE: self._created,
            Action.DELETE: self._deleted,
            Action.ARCHIVE: self._deleted,
            Action.LINK: self._linked,
            Action.UNLINK: self._unlinked,
        }
        step = steps.get(entry.action)
        # The rest changed nothing that a person sees: bases, notes, links with another container.
        if step is not None and (why := step(entry)):
            self.held.append(Hold(entry.side, _known_as(entry), why))

    def _updated(self, entry: Entry) -> str:
        """Give the fields that were written their values from before."""
        why = ""
        for side in Side:
            before, after = entry.before[side], entry.after[side]
            written = {a: v for a, v in (before or {}).items() if not same(v, (after or {}).get(a))}
            if not written:
                continue
            record = self._there(side, entry.ids[side])
            if record is None:
                why = f"its record {entry.ids[side]} of {side} is not there any more"
            elif not self._is_linked(entry.ids):
                why = "the two records are not linked any more"
            elif edited := _differs(record, {a: (after or {}).get(a) for a in written}):
                why = f"{', '.join(edited)} of {record.id} on {side} changed since"
            else:
                self._add(Action.UPDATE, side, entry, Pair.of(side, record, None), written)
        return why

    def _created(self, entry: Entry) -> str:
        """Delete what was made; its source is not copied again."""
        side, ids = entry.side, entry.ids
        if ids[side] is None:  # its reply was lost: what a later run found in its place
            ids = self._found_later(entry)
        record = self._there(side, ids[side])
        if record is None:
            return f"what was made on {side} is not there any more"
        if edited := _differs(record, entry.after[side]):
            return f"{', '.join(edited)} of {record.id} on {side} changed since"
        self._add(Action.DELETE, side, entry, Pair.of(side, record, None), ids=ids)
        return ""

    def _deleted(self, entry: Entry) -> str:
        """Bring it back; together with its counterpart where that is there, too."""
        side, before, gone_id = entry.side, entry.before[entry.side], entry.ids[entry.side]
        if self._there(side, gone_id) is not None:
            return f"record {gone_id} is there again"
        if before is None:
            return "what it was is not known"
        if like := self._looks_like(side, before):
            return f"record {like} shows just what it was: perhaps it was brought back already"
        partner = self._there(side.opposite, entry.ids[side.opposite])
        if partner is not None and self._links(side.opposite, partner.id):
            partner = None
        known = self.fields[side]
        sent = {a: v for a, v in before.items() if a not in known or known[a].writable}
        bases = Pair.of(side, before, entry.bases[side.opposite]) if entry.bases else Pair(NOTHING, NOTHING)
        self._add(Action.RESTORE, side, entry, Pair.of(side, None, partner), sent, bases)
        return ""

    def _looks_like(self, side: Side, fields: Fields) -> ID | None:
        """A record without a link that shows just these values."""
        linked = self.state.linked(side)
        for record in self.snapshot[side].records.values():
            shown = {attr: value for attr, value in fields.items() if attr not in record.about.unread}
            if record.id not in linked and not _differs(record, shown):
                return record.id
        return None

    def _linked(self, entry: Entry) -> str:
        if not self._is_linked(entry.ids):
            return "the two records are not linked any more"
        self._add(Action.UNLINK, entry.side, entry)
        return ""

    def _unlinked(self, entry: Entry) -> str:
        if any(self._there(side, entry.ids[side]) is None for side in Side):
            return "one of the two records is not there any more"
        if any(self._links(side, entry.ids[side]) for side in Side):
            return "one of the two records is linked to another one by now"
        self._add(Action.LINK, entry.side, entry, bases=entry.bases or Pair(NOTHING, NOTHING))
        return ""

    def _add(
        self,
        action: Action,
        side: Side,
        entry: Entry,
        records: Pair[Record | None] = NOT_THERE,
        fields: Fields = NOTHING,
        bases: Pair[Fields] = Pair(NOTHING, NOTHING),
        *,
        ids: Pair[ID | None] | None = None,
    ) -> None:
        reason = f"takes back {entry.action} of run {entry.run}"
        named = ids or entry.ids
        self.operations.append(
            Operation(Part.UNDONE, action, side, named, reason, records, fields, bases, note=entry.intent)
        )

    def _there(self, side: Side, record_id: ID | None) -> Record | None:
        found = self.found[side].get(record_id) if record_id is not None else None
        return found if isinstance(found, Record) else None

    def _is_linked(self, ids: Pair[ID | None]) -> bool:
        return ids.notion is not None and self.state.ids.get(ids.notion) == ids.other

    def _links(self, side: Side, record_id: ID | None) -> bool:
        return record_id in self.state.linked(side)

    def _found_later(self, entry: Entry) -> Pair[ID | None]:
        source = entry.ids[entry.side.opposite]
        for notion_id, other_id in self.state.links():
            ids = Pair(notion_id, other_id)
            if ids[entry.side.opposite] == source:
                return Pair(ids.notion, ids.other)
        return entry.ids


def _differs(record: Record, expected: Fields | None) -> list[str]:
    hidden, named = record.about.unread, (expected or {}).items()
    return [attr for attr, value in named if attr in hidden or not same(record.fields.get(attr), value)]


def _known_as(entry: Entry) -> ID:
    return entry.ids[entry.side] or entry.ids[entry.side.opposite] or ""
