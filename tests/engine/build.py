"""Short ways to write situations down: a task `Name`/`title`, `Text`/`text`, and what the sides show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sync_workers.engine.diff import diff
from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.fields import Field
from sync_workers.model import ID, Action, Listing, Operation, Pair, Plan, Record, Side, Snapshot
from sync_workers.state import State

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAME, TEXT = Pair("Name", "title"), Pair("Text", "text")
RULES = Rules((FieldRule(NAME), FieldRule(TEXT)), key=("Name",))
NO_FIELDS: Pair[Mapping[str, Field]] = Pair({}, {})


@dataclass
class Situation:
    """A state and what both sides show; sides are named, so that each row can be mirrored."""

    rules: Rules = RULES
    state: State = field(default_factory=State)
    records: Pair[dict[ID, Record]] = field(default_factory=lambda: Pair({}, {}))
    fields: Pair[Mapping[str, Field]] = NO_FIELDS

    def has(
        self, side: Side, record_id: ID, *, at: float = 0, key: str | None = None, **values: Any
    ) -> Record:
        """A record with `name` and `text`, last changed `at` seconds after the start."""
        shown = {attrs[side]: values.get(attrs.other) for attrs in (NAME, TEXT)}
        record = Record(record_id, shown, START + timedelta(seconds=at), key=key)
        self.records[side][record_id] = record
        return record

    def linked(self, number: int = 1, **values: Any) -> Pair[ID]:
        """A linked pair `n1`, `o1` that shows these values on both sides; in step."""
        ids = Pair(f"n{number}", f"o{number}")
        records = Pair.each(lambda side: self.has(side, ids[side], **values))
        self.state.link(ids.notion, ids.other, dict(records.notion.fields), dict(records.other.fields))
        return ids

    def edit(self, side: Side, record_id: ID, *, at: float = 0, **values: Any) -> Record:
        record = self.records[side][record_id]
        changed = {attrs[side]: values[attrs.other] for attrs in (NAME, TEXT) if attrs.other in values}
        edited = replace(record, fields={**record.fields, **changed}, modified=START + timedelta(seconds=at))
        self.records[side][record_id] = edited
        return edited

    def remove(self, side: Side, record_id: ID) -> None:
        del self.records[side][record_id]

    @property
    def snapshot(self) -> Snapshot:
        return Pair.each(lambda side: Listing(dict(self.records[side])))

    def plan(self, *, fresh: bool = False) -> Plan:
        return diff(self.rules, self.state, self.snapshot, fields=self.fields, fresh=fresh)


def told(plan: Plan) -> list[tuple[str, str, dict[str, Any]]]:
    """The operations in short: what on which side with which values."""
    return [(str(op.action), str(op.side), dict(op.fields)) for op in plan]


def actions(plan: Plan) -> list[str]:
    return [str(op.action) for op in plan]


def only(plan: Plan) -> Operation:
    """The one operation of the plan."""
    (operation,) = plan.operations
    return operation


def of(side: Side, attrs: Pair[str], value: Any) -> dict[str, Any]:
    """One field by the name that the side knows it by."""
    return {attrs[side]: value}


def linked_by(plan: Plan) -> set[tuple[ID | None, ID | None]]:
    return {(op.ids.notion, op.ids.other) for op in plan if op.action is Action.LINK}


def created_from(plan: Plan, side: Side) -> set[ID]:
    """Ids of the records of `side` that get a copy on the opposite side."""
    return {op.source_id for op in plan if op.action is Action.CREATE and op.side is side.opposite}
