"""What is left of an operation whose fields name other records, right before it is carried out. Pure.

The plan says "the counterpart of this record", and only now there is one, or there is none after all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from sync_workers.model import ID, Action, Fields, Operation, Pair, Side
from sync_workers.references import Counterpart, Reference
from sync_workers.state import State


class UnlinkedError(Exception):
    """The record that is named has no counterpart.

    Attributes:
        record_id: its id on the side that names it.
    """

    def __init__(self, record_id: ID) -> None:
        self.record_id = record_id
        super().__init__(record_id)


def without_field(operation: Operation, attrs: Pair[str]) -> Operation:
    """The operation without one field: nothing is written for it, and no base of its source moves."""
    side = operation.side
    is_new = operation.action is Action.CREATE and attrs[side] in operation.fields
    return replace(
        operation,
        fields=_without(operation.fields, {attrs[side]}),
        bases=Pair.each(lambda s: _without(operation.bases[s], {attrs[s]})),
        unsent=(*operation.unsent, attrs[side]) if is_new else operation.unsent,
        references=tuple(one for one in operation.references if one.attrs != attrs),
    )


def named(operation: Operation, reference: Reference, state: State) -> Operation:
    """The operation with the ids that a field names, as they are linked now.

    Raises:
        UnlinkedError: one of them is not.
    """
    attr = reference.attrs[operation.side]
    if attr not in operation.fields:
        return operation
    value = operation.fields[attr]
    ids = [_id(operation.side, one, state) for one in value] if isinstance(value, list) else None
    put = _id(operation.side, value, state) if ids is None else ids
    return replace(operation, fields={**operation.fields, attr: put})


def _id(target: Side, value: Any, state: State) -> Any:
    if not isinstance(value, Counterpart):
        return value
    found = state.ids.get(value.of) if target is Side.OTHER else _notion_id(value.of, state)
    if found is None:
        raise UnlinkedError(value.of)
    return int(found) if value.number and found.lstrip("-").isdecimal() else found


def _notion_id(other_id: ID, state: State) -> ID | None:
    # What this run has made stands last, and it is nearly always that.
    return next((notion for notion, other in reversed(state.ids.items()) if other == other_id), None)


def _without(fields: Fields, attrs: Collection[str]) -> dict[str, Any]:
    return {attr: value for attr, value in fields.items() if attr not in attrs}
