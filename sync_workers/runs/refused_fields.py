"""Fields that a service refuses, so that the rest of their record is written without them. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import replace

from sync_workers.engine.rules import Rules
from sync_workers.model import NOTHING, Action, Operation, Pair, Part, Plan
from sync_workers.runs.referring import without_field
from sync_workers.values import canonical, to_json


def apart(rules: Rules) -> Pair[Mapping[str, str]]:
    """Per written side the attributes that a write can go without, with their names on the opposite side.

    Without the fields that its records are matched by, a record would be taken for another one.
    """
    if not rules.key:  # the task matches by a key of its own, and nobody knows what that is made of
        return Pair(NOTHING, NOTHING)
    free = [rule.attrs for rule in rules.fields if rule.attrs.notion not in rules.key]
    return Pair.each(lambda side: {attrs[side]: attrs[side.opposite] for attrs in free})


def without_refused(operation: Operation, refused: Collection[str], plan: Plan) -> Operation | None:
    """The operation without these fields, perhaps with nothing to write; None where they cannot be left out.

    A person's decision about one of them stands or falls with it, so such an operation stays whole.
    """
    side, free = operation.side, plan.apart[operation.side]
    if operation.action not in {Action.CREATE, Action.UPDATE} or operation.part is Part.UNDONE:
        return None
    if not refused or any(attr not in free or attr not in operation.fields for attr in refused):
        return None
    if any(conflict.attrs[side] in refused for conflict in operation.conflicts):
        return None
    for attr in refused:
        operation = without_field(operation, Pair.of(side, attr, free[attr]))
    if operation.fields:
        return operation
    is_there = operation.action is Action.UPDATE
    return replace(operation, action=Action.ADVANCE, reason="both sides agree") if is_there else None


def asked(operation: Operation, attr: str) -> str:
    """A fingerprint of what is to be written to a field: while it stays, it is refused again."""
    said = json.dumps(to_json(canonical(operation.fields[attr])), sort_keys=True, default=str)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
