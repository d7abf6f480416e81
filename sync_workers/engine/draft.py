"""`Draft`: a plan in the making."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

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
)


@dataclass(slots=True)
class Draft:
    """What was decided so far; the plan has its operations in the order of the parts.

    Attributes:
        fields_held: by Notion id, linked records of which a field waits.
    """

    parts: dict[Part, list[Operation]] = field(default_factory=lambda: {part: [] for part in Part})
    conflicts: list[Conflict] = field(default_factory=list)
    ambiguous: list[Ambiguity] = field(default_factory=list)
    held: list[Hold] = field(default_factory=list)
    fields_held: list[tuple[ID, Hold]] = field(default_factory=list)
    ignored: list[Hold] = field(default_factory=list)

    def add(
        self,
        part: Part,
        action: Action,
        side: Side,
        ids: Pair[ID | None],
        reason: str,
        records: Pair[Record | None] = Pair(None, None),
        fields: Fields = NOTHING,
        bases: Pair[Fields] = Pair(NOTHING, NOTHING),
    ) -> None:
        self.take(Operation(part, action, side, ids, reason, records, fields, bases))

    def take(self, operation: Operation) -> None:
        self.parts[operation.part].append(operation)

    def hold(self, side: Side, record_id: ID, reason: str, *, asks: bool = False) -> None:
        self.held.append(Hold(side, record_id, reason, asks))

    def retract(self, notion_ids: AbstractSet[ID]) -> None:
        """Forget what these linked records asked for; their links stay."""
        settled = {Action.UPDATE, Action.ADVANCE, Action.RESOLVE}
        for part, operations in self.parts.items():
            self.parts[part] = [
                op for op in operations if op.action not in settled or op.ids.notion not in notion_ids
            ]
        self.conflicts = [one for one in self.conflicts if one.ids.notion not in notion_ids]
        self.fields_held = [one for one in self.fields_held if one[0] not in notion_ids]

    def outcome(self) -> Pair[dict[ID, Record | None]]:
        """What the writes so far make of the records that they are for; None of what they take away."""
        made: Pair[dict[ID, Record | None]] = Pair({}, {})
        for operation in self.operations():
            record = operation.records[operation.side]
            if record is not None and operation.action in {Action.DELETE, Action.ARCHIVE}:
                made[operation.side][record.id] = None
            elif record is not None and operation.action is Action.UPDATE:
                shown = {**record.fields, **operation.fields}
                made[operation.side][record.id] = replace(record, fields=shown)
        return made

    def creates(self) -> list[tuple[Part, int, Operation]]:
        """The creates so far, each with its part and its place in it."""
        return [
            (part, place, operation)
            for part, operations in self.parts.items()
            for place, operation in enumerate(operations)
            if operation.action is Action.CREATE
        ]

    def operations(self) -> tuple[Operation, ...]:
        """What is planned so far, in the order of the parts."""
        return tuple(operation for part in Part for operation in self.parts[part])

    def plan(self, links: int) -> Plan:
        held = (*self.held, *(hold for _, hold in self.fields_held))
        said = (tuple(self.conflicts), tuple(self.ambiguous), held)
        return Plan(self.operations(), *said, links=links, ignored=tuple(self.ignored))
