"""Calls to the two services of a task, counted, with what has to be asked before a write."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, replace

from sync_workers.errors import LaterError, MovedError
from sync_workers.model import ID, Action, Fields, Hold, Operation, Pair, Plan, Record, Side
from sync_workers.report import Report
from sync_workers.services.base import Gone, OutOfScope, Service
from sync_workers.values import same


class HeldError(Exception):
    """The operation waits on purpose; the text says why."""


@dataclass(slots=True)
class Calls:
    """Both services; each call through here counts in the report.

    Attributes:
        resting: per side why it is not called any more in this run.
        asked: the side that was called last.
    """

    services: Pair[Service]
    report: Report
    resting: MutableMapping[Side, str]
    asked: Side = Side.NOTION

    def on(self, side: Side) -> Service:
        """The service of a side, for one call.

        Raises:
            LaterError: it asked for patience, or refused us, earlier in this run.
        """
        self.asked = side
        if side in self.resting:
            raise LaterError(self.resting[side])
        self.report.count_call(side)
        return self.services[side]

    def write(self, side: Side, record: Record, fields: Fields) -> Fields:
        """One update; what the service shows of the written fields."""
        shown = self.on(side).update(record, fields)
        return {attr: shown.fields.get(attr) for attr in fields}

    def written_before(self, side: Side, record: Record, fields: Fields) -> Fields | None:
        """What the service shows of these fields if a stopped attempt wrote them; None if it did not.

        Raises:
            MovedError: it shows neither what was there nor what was to be written.
        """
        now = self.read(side, record.id)
        shown = {attr: now.fields.get(attr) for attr in fields}
        if all(same(shown[attr], value) for attr, value in fields.items()):
            return shown
        self._expect_same(record, now)
        return None

    def read(self, side: Side, record_id: ID) -> Record:
        """What a record is now.

        Raises:
            MovedError: it is not there any more.
        """
        found = self.on(side).read([record_id])[record_id]
        if not isinstance(found, Record):
            msg = f"record {record_id} went away"
            raise MovedError(msg)
        return found

    def expect_unmoved(self, operation: Operation) -> None:
        """Make sure that both records still are what the plan was made from (rule R7).

        Raises:
            MovedError: one of them changed.
        """
        for side in Side:
            planned = operation.records[side]
            if planned is None:
                continue
            self._expect_same(planned, self.read(side, planned.id))

    def _expect_same(self, planned: Record, now: Record) -> None:
        if any(not same(now.fields.get(attr), value) for attr, value in planned.fields.items()):
            msg = f"record {planned.id} changed since it was read"
            raise MovedError(msg)

    def confirm_gone(self, side: Side, record_id: ID) -> None:
        """Ask for a missing record by its id: absent from a listing is not gone (rule R4).

        Raises:
            HeldError: it exists, here or elsewhere.
        """
        found = self.on(side).read([record_id])[record_id]
        if isinstance(found, OutOfScope):
            msg = f"its counterpart {record_id} on {side} is not deleted but {found.reason}"
            raise HeldError(msg)
        if not isinstance(found, Gone):
            msg = f"its counterpart {record_id} on {side} is there although the listing did not show it"
            raise HeldError(msg)

    def confirm_one_gone(self, ids: Pair[ID]) -> None:
        """Ask for two linked records that are both missing: if both only hide, they still belong together.

        Raises:
            HeldError: one of them is there after all, or neither is gone.
        """
        found = [self.on(side).read([ids[side]])[ids[side]] for side in Side]
        if any(isinstance(one, Record) for one in found):
            msg = f"{ids.notion} or its counterpart {ids.other} is there although no listing showed it"
            raise HeldError(msg)
        if not any(isinstance(one, Gone) for one in found):
            msg = f"{ids.notion} and its counterpart {ids.other} are not shown, but neither is deleted"
            raise HeldError(msg)


def confirmed(plan: Plan, calls: Calls) -> Plan:
    """The plan without the deletions that a run would not carry out, since the record is elsewhere."""
    kept, held = [], list(plan.held)
    for operation in plan:
        side, gone_id = operation.side.opposite, operation.ids[operation.side.opposite]
        if operation.action in {Action.DELETE, Action.ARCHIVE} and gone_id is not None:
            try:
                calls.confirm_gone(side, gone_id)
            except HeldError as waits:
                held.append(Hold(operation.side, operation.source_id, str(waits)))
                continue
        kept.append(operation)
    return replace(plan, operations=tuple(kept), held=tuple(held))
