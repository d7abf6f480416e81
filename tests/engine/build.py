"""Short ways to write situations down: a task `Name`/`title`, `Text`/`text`, and what the sides show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sync_workers.engine.diff import NOT_SAFE, diff
from sync_workers.engine.notes import NO_NOTES
from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.fields import Field
from sync_workers.model import ID, Action, Listing, Operation, Pair, Plan, Record, Side, Snapshot
from sync_workers.remarks import Decision, HeldConflict
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
    notes: Pair[bool] = NO_NOTES
    safe: Pair[bool] = NOT_SAFE

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

    def note(self, side: Side, record_id: ID, text: str | None) -> None:
        """What stands beside the record, by whomever."""
        record = self.records[side][record_id]
        self.records[side][record_id] = replace(record, about=replace(record.about, note=text))

    def held(self, ids: Pair[ID], **frozen: bool) -> dict[str, HeldConflict]:
        """Remember all conflicts of the record that there are now, as the end of a run does."""
        found = [c for c in self.plan().conflicts if c.held and c.ids == ids]
        self.state.held[ids.notion] = {
            c.attrs.notion: HeldConflict(
                other_id=ids.other,
                other_attr=c.attrs.other,
                values={side: c.values[side] for side in Side},
                since=START,
                **frozen,
            )
            for c in found
        }
        return self.state.held[ids.notion]

    def decide(self, ids: Pair[ID], attr: str, use: Side | None = None, value: Any = None) -> None:
        """What a person decides who looks at the field now."""
        seen = self.state.held[ids.notion][attr].values
        decision = Decision(use=use, value=value, seen=seen, at=START)
        self.state.decisions.setdefault(ids.notion, {})[attr] = decision

    def remove(self, side: Side, record_id: ID) -> None:
        del self.records[side][record_id]

    @property
    def snapshot(self) -> Snapshot:
        return Pair.each(lambda side: Listing(dict(self.records[side])))

    def plan(self, *, fresh: bool = False) -> Plan:
        return diff(
            self.rules, self.state, self.snapshot,
            fields=self.fields, fresh=fresh, notes=self.notes, safe_creates=self.safe,
        )  # fmt: skip


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
