"""The nouns of a sync as frozen values: no input or output, no clock.

A snapshot goes into the engine, a plan comes out; both can be printed, counted, stored and compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias

from sync_workers.record import NOTHING_ELSE, About, Record
from sync_workers.references import Reference
from sync_workers.sides import ID, NOTHING, ConflictMode, Fields, Pair, Recalled, Side

__all__ = [
    "ID",
    "NOTHING",
    "NOTHING_ELSE",
    "About",
    "Action",
    "Ambiguity",
    "Conflict",
    "ConflictMode",
    "Failure",
    "Fields",
    "Hold",
    "Listing",
    "Operation",
    "Pair",
    "Part",
    "Plan",
    "Recalled",
    "Record",
    "Side",
    "Snapshot",
]


@dataclass(frozen=True, slots=True)
class Failure:
    """One record that could not be handled; the rest went on.

    Attributes:
        record_id: the id on `side`, or a place in the listing (`#3`) when it has no readable id.
        reason: a sentence without field values.
        action: what was tried: an `Action`'s value, or `read`.
        unknown: the reply was lost; the next run looks before it tries again.
    """

    side: Side
    record_id: ID
    reason: str
    action: str = "read"
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What `get` read from one side.

    Attributes:
        records: all readable records by id.
        complete: False when something was left out, so that absence proves nothing.
        failures: objects that are there but could not be read; never taken for gone.
        repeated: ids that came more than once; a guard refuses such a listing.
        gone: ids that were asked for and are not there, so that their absence counts in any case.
        hidden: ids that were asked for earlier and are out of scope, with the reason: they wait.
    """

    records: Mapping[ID, Record]
    complete: bool = True
    failures: tuple[Failure, ...] = ()
    repeated: tuple[ID, ...] = ()
    gone: frozenset[ID] = frozenset()
    hidden: Mapping[ID, str] = field(default_factory=dict)


Snapshot: TypeAlias = Pair[Listing]


class Action(StrEnum):
    """What an operation does."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    ARCHIVE = "archive"
    RESOLVE = "resolve"  # ask the task's own resolve_conflict, then write what it says
    RESTORE = "restore"  # bring back from the trash or the archive; only an undo asks for it
    ANNOTATE = "annotate"  # tell a person beside the record which of its fields wait for a decision
    LINK = "link"
    UNLINK = "unlink"
    ADVANCE = "advance"  # only the bases move
    DROP = "drop"  # forget a link that was made with another container

    @property
    def writes(self) -> bool:
        return self not in {Action.LINK, Action.UNLINK, Action.ADVANCE, Action.DROP}


class Part(StrEnum):
    """The parts of a plan in the order in which they are applied."""

    NOTION_DELETED = "notion_deleted"
    OTHER_DELETED = "other_deleted"
    CHANGED = "changed"
    MATCHED = "matched"
    NOTION_CREATED = "notion_created"
    OTHER_CREATED = "other_created"
    RELATED = "related"  # what names a record that was made just before
    UNDONE = "undone"  # what a person takes back of an earlier run

    @staticmethod
    def deleted(side: Side) -> Part:
        return Part.NOTION_DELETED if side is Side.NOTION else Part.OTHER_DELETED

    @staticmethod
    def created(side: Side) -> Part:
        return Part.NOTION_CREATED if side is Side.NOTION else Part.OTHER_CREATED


@dataclass(frozen=True, slots=True)
class Conflict:
    """Both sides changed one field to different values.

    Attributes:
        winner: the side whose value is taken; None when the field is held for a person.
        tie: the order in time could not be told, so the task's tie rule decided.
        merged: a third value is taken, of the task's own `resolve_conflict` or of a person.
        changed: when each side says that the record last changed; None where it does not tell.
        authors: who changed it, likewise.
        by_person: a person decided it; held all the same when that value cannot cross.
        frozen: the loop detector holds it, whatever the mode says.
    """

    ids: Pair[ID]
    attrs: Pair[str]
    values: Pair[Any] = field(repr=False)
    winner: Side | None = None
    tie: bool = False
    merged: bool = False
    changed: Pair[datetime | None] = field(default=Pair(None, None), compare=False)
    authors: Pair[str | None] = field(default=Pair(None, None), compare=False, repr=False)
    by_person: bool = False
    frozen: bool = False

    @property
    def held(self) -> bool:
        """Whether the field stays as it is on both sides until a person decides."""
        return self.winner is None and not self.merged


@dataclass(frozen=True, slots=True)
class Operation:
    """One write on a side, or one change of the state.

    Attributes:
        part: where in the plan it stands.
        side: the side that is written; for state-only operations the side that caused it.
        ids: ids of the record on both sides; None where it does not exist (yet).
        records: the records the plan was made from: the target must still be like this.
        fields: what to write, by the target's attribute names.
        bases: what both bases become for these attributes once the operation is done; the
            target's written fields are read back from the service instead.
        reason: what happened in the user's world, in a few words without values.
        conflicts: for RESOLVE, the conflicts that the task's own rule decides; else those that this
            operation settles, so that the losing values come into the history.
        alike: for CREATE, records of the target that could be taken for the one that is to be made, but
            were there before.
        references: which of the written fields name other records.
        note: for ANNOTATE, the text; empty takes it away. For what is taken back, the entry that it is.
        resolve_fields: for RESOLVE, the undisputed fields to write on each side with them.
        memory: what the value maps of the record remember from now on, by Notion attribute.
        unsent: for CREATE, attributes of the target whose value waits: what the new record shows there is
            their base, so that the value that waits is seen as an edit.
    """

    part: Part
    action: Action
    side: Side
    ids: Pair[ID | None]
    reason: str
    records: Pair[Record | None] = Pair(None, None)
    fields: Fields = field(default_factory=lambda: NOTHING, repr=False)
    bases: Pair[Fields] = field(default=Pair(NOTHING, NOTHING), repr=False)
    conflicts: tuple[Conflict, ...] = ()
    resolve_fields: Pair[Fields] = field(default=Pair(NOTHING, NOTHING), repr=False)
    alike: tuple[ID, ...] = ()
    note: str = field(default="", repr=False)
    memory: Mapping[str, Recalled] = field(default_factory=dict, repr=False)
    unsent: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()

    @property
    def source_id(self) -> ID:
        """The id by which the record is known: where it comes from, else where it is written."""
        return self.ids[self.side.opposite] or self.ids[self.side] or ""


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """Records of both sides that share a key, so that nobody can tell which belong together."""

    ids: Pair[tuple[ID, ...]]


@dataclass(frozen=True, slots=True)
class Hold:
    """A record, or a field of it, that waits on purpose, such as for a proof that its counterpart is gone.

    Attributes:
        asks: it waits until a person does something, which the reason says.
    """

    side: Side
    record_id: ID
    reason: str
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """The operations and conflicts that `diff` decided.

    Attributes:
        links: how many there were when it was made.
        stale: attributes whose bases were made for another counterpart and are forgotten first.
        quarantined: records that failed before and wait; see `runs.quarantine`.
        healed: those that stood there, by written side and id, and for which nothing is to be done.
        ignored: linked records whose counterpart is deleted, which this task's delete policy ignores.
        parts_hidden: a record whose counterpart turns out to be out of scope is unlinked, not held.
        setup: the set-up that the first links, or those after the dropped ones, are made with: stored
            before them, so that a run that dies does not take them for older ones.
        unseen: Notion ids of linked records of which the state remarks something and that could not be
            compared now, such as those that are missing from a listing: what it remarks stays.
        unread: likewise single fields of them, by Notion id and attribute.
        apart: per written side the attributes that a write can go without, with their opposite names.
    """

    operations: tuple[Operation, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    ambiguous: tuple[Ambiguity, ...] = ()
    held: tuple[Hold, ...] = ()
    links: int = 0
    setup: Mapping[str, str] | None = None
    stale: Pair[tuple[str, ...]] = Pair((), ())
    quarantined: tuple[Hold, ...] = ()
    healed: tuple[tuple[Side, ID], ...] = ()
    ignored: tuple[Hold, ...] = ()
    parts_hidden: bool = False
    unseen: tuple[ID, ...] = ()
    unread: tuple[tuple[ID, str], ...] = ()
    apart: Pair[Mapping[str, str]] = field(default=Pair(NOTHING, NOTHING), compare=False)

    def __iter__(self) -> Iterator[Operation]:
        return iter(self.operations)

    def __len__(self) -> int:
        return len(self.operations)

    @property
    def writes(self) -> int:
        return sum(operation.action.writes for operation in self.operations)

    def counts(self) -> dict[str, int]:
        """Operations by `side.action`, such as `{"other.create": 3, "notion.update": 1}`."""
        return dict(Counter(f"{op.side}.{op.action}" for op in self.operations))
