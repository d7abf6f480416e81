"""Calls to the two services of a task, counted, with what has to be asked before a write."""

from __future__ import annotations

from collections.abc import Callable, Container, MutableMapping
from dataclasses import dataclass, field, replace

from sync_workers.errors import LaterError, MovedError, RejectedError
from sync_workers.model import ID, Action, Fields, Hold, Operation, Pair, Part, Plan, Record, Side
from sync_workers.references import Reference
from sync_workers.report import Report
from sync_workers.runs.looking import Glimpses
from sync_workers.runs.referring import without_field
from sync_workers.services.base import Gone, OutOfScope, ReadResult, Reveals, Service
from sync_workers.values import same


class HeldError(Exception):
    """The operation waits on purpose; the text says why."""


class HiddenError(HeldError):
    """A missing record is not deleted, but out of scope.

    Attributes:
        side: where it is missing.
        parted: what to say when the task unlinks such records.
    """

    def __init__(self, side: Side, record_id: ID, reason: str) -> None:
        found = f"its counterpart {record_id} on {side} is not taken for deleted: {reason}"
        super().__init__(f'{found}; bring it back, delete it, or set the task\'s out_of_scope = "unlink"')
        self.side = side
        self.parted = f"{found}; left alone from now on"


FILTERED = "it does not pass the task's filter"

_TAKE_FOR_GONE = frozenset({Action.CREATE, Action.DELETE, Action.ARCHIVE, Action.UNLINK})


@dataclass(slots=True)
class Calls:
    """Both services; each call through here counts in the report.

    Attributes:
        resting: per side why it is not called any more in this run.
        check: raises when the lease is known to have gone: who was stopped for long makes no call any more.
        asked: the side that was called last.
    """

    services: Pair[Service]
    report: Report
    resting: MutableMapping[Side, str]
    check: Callable[[], None] = lambda: None
    asked: Side = Side.NOTION
    revealed: dict[ID, bool] = field(default_factory=dict)
    glimpses: Glimpses = field(init=False)

    def __post_init__(self) -> None:
        self.glimpses = Glimpses(self.services)

    def on(self, side: Side) -> Service:
        """The service of a side, for one call.

        Raises:
            LaterError: it asked for patience, or refused us, earlier in this run.
        """
        self.check()
        self.asked = side
        if side in self.resting:
            raise LaterError(self.resting[side])
        self.report.count_call(side)
        return self.services[side]

    def ask(self, side: Side, record_id: ID) -> ReadResult:
        """What became of a record."""
        found = self.on(side).read([record_id])[record_id]
        self.glimpses.note(side, record_id, found)
        return found

    def create(self, side: Side, fields: Fields, idempotency: str, linked: Container[ID]) -> Record:
        """Make a record that belongs to none of those that are linked.

        Raises:
            HeldError: the service only gives back one that is.
        """
        given: set[ID] = set()
        while (made := self.on(side).create(fields, idempotency)).id in linked:
            # A run that is forgotten made it of the same record; by now it is another one's counterpart.
            if made.id in given:
                msg = f"{side} made nothing, but gave back {made.id}, which belongs to another record"
                raise HeldError(msg)
            given.add(made.id)
            idempotency = f"{idempotency}/{made.id}"
        self.glimpses.note(side, made.id, made)
        return made

    def expect_archive(self, operation: Operation) -> None:
        """Make sure that what is to be archived can be.

        Raises:
            RejectedError: the service has no archive.
        """
        service = self.on(operation.side)
        if operation.action is Action.ARCHIVE and not service.capabilities.archives:
            msg = f"the service of {operation.side} has no archive: choose another delete policy for the task"
            raise RejectedError(msg)

    def remove(self, side: Side, record: Record, action: Action) -> None:
        """Delete or archive it."""
        service = self.services[side]
        if action is Action.DELETE:
            service.delete(record)
            self.glimpses.note(side, record.id, Gone(record.id))
        else:
            service.archive(record)
            self.glimpses.note(side, record.id, OutOfScope(record.id, "archived"))

    def restore(self, side: Side, record_id: ID) -> Record:
        """Bring it back."""
        back = self.on(side).restore(record_id)
        self.glimpses.note(side, back.id, back)
        return back

    def write(self, side: Side, record: Record, fields: Fields) -> Fields:
        """One update; what the service shows of the written fields."""
        shown = self.on(side).update(record, fields)
        self.glimpses.note(side, shown.id, shown)
        return shown_of(shown, fields)

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
        found = self.ask(side, record_id)
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

    def settled(self, operation: Operation, *, parts_hidden: bool) -> Operation:
        """The operation after the records that it takes for gone were asked for (rule R4).

        With `parts_hidden` it becomes an unlink when the only one turns out to be out of scope.

        Raises:
            HeldError: it has to wait.
        """
        try:
            self._confirm(operation)
        except HiddenError as hidden:
            if not parts_hidden:
                raise
            side = hidden.side.opposite
            self.report.parted.append(Hold(side, operation.ids[side] or "", hidden.parted))
            return replace(operation, action=Action.UNLINK, side=side, fields={}, reason=hidden.parted)
        return self._without_hidden(operation)

    def _without_hidden(self, operation: Operation) -> Operation:
        """The operation without the fields that perhaps only seem to name less than they did.

        Raises:
            HeldError: nothing is left of it.
        """
        for reference in operation.references:
            for side in Side:
                vanished = reference.vanished[side]
                if hidden := [i for i in vanished if not self._is_revealed(side, i)]:
                    shown = (
                        f"{reference.attrs[side]} does not show record {hidden[0]} of {reference.task} now"
                    )
                    why = f"{shown}, which {side} does not show to us at all: not taken for cleared"
                    operation = self.hold_field(operation, reference, why)
                    break
        return operation

    def hold_field(self, operation: Operation, reference: Reference, why: str) -> Operation:
        """The operation without one of its fields, which waits.

        Raises:
            HeldError: nothing is left of it.
        """
        rest = without_field(operation, reference.attrs)
        if not rest.fields and operation.action is Action.UPDATE:
            raise HeldError(why)
        self.report.held.append(Hold(operation.side, operation.source_id, why))
        return rest

    def _is_revealed(self, side: Side, record_id: ID) -> bool:
        if not isinstance(self.services[side], Reveals):
            return True
        if record_id not in self.revealed:
            service = self.on(side)
            self.revealed[record_id] = isinstance(service, Reveals) and bool(service.revealed([record_id]))
        return self.revealed[record_id]

    def _confirm(self, operation: Operation) -> None:
        """Ask by their ids for the records that an operation takes for gone.

        Raises:
            HiddenError: the only one is out of scope.
            HeldError: it is there, or nobody can tell; of two that are missing neither is gone.
        """
        # An undo does not follow from what is missing.
        if operation.action not in _TAKE_FOR_GONE or operation.part is Part.UNDONE:
            return
        ids, records = operation.ids, operation.records
        missing = {side: ids[side] or "" for side in Side if ids[side] is not None and records[side] is None}
        if len(missing) == len(Side):
            self._confirm_one_gone(Pair(missing[Side.NOTION], missing[Side.OTHER]))
        for side, record_id in missing.items() if len(missing) == 1 else ():
            self._confirm_gone(side, record_id)

    def _confirm_gone(self, side: Side, record_id: ID) -> None:
        """Absent from a listing is not gone."""
        found = self.ask(side, record_id)
        if isinstance(found, OutOfScope) and found.is_sure:
            raise HiddenError(side, record_id, found.reason)
        if isinstance(found, OutOfScope):
            msg = f"its counterpart {record_id} on {side} is not taken for deleted: {found.reason}"
            raise HeldError(msg)
        if isinstance(found, Record) and self.services[side].capabilities.filtered:
            self.glimpses.note(side, record_id, OutOfScope(record_id, FILTERED))
            raise HiddenError(side, record_id, FILTERED)
        if not isinstance(found, Gone):
            msg = f"its counterpart {record_id} on {side} is there although the listing did not show it"
            raise HeldError(msg)

    def _confirm_one_gone(self, ids: Pair[ID]) -> None:
        """Ask for two linked records that are both missing: if both only hide, they still belong together.

        Raises:
            HeldError: one of them is there after all, or neither is gone.
        """
        found = [self.ask(side, ids[side]) for side in Side]
        if any(isinstance(one, Record) for one in found):
            msg = f"{ids.notion} or its counterpart {ids.other} is there although no listing showed it"
            raise HeldError(msg)
        if not any(isinstance(one, Gone) for one in found):
            msg = f"{ids.notion} and its counterpart {ids.other} are not shown, but neither is deleted"
            raise HeldError(msg)


def shown_of(record: Record, fields: Fields) -> Fields:
    """What a record shows of what was just written; a field that it does not show is as it was sent."""
    return {a: value if a in record.about.unread else record.fields.get(a) for a, value in fields.items()}


def confirmed(plan: Plan, calls: Calls) -> Plan:
    """The plan as a run would carry it out: without the records that turn out to be elsewhere."""
    kept, held, known = [], list(plan.held), len(calls.report.held)
    for operation in plan:
        try:
            kept.append(calls.settled(operation, parts_hidden=plan.parts_hidden))
        except HeldError as waits:
            held.append(Hold(operation.side, operation.source_id, str(waits)))
    held += calls.report.held[known:]  # fields of operations that are carried out without them
    return replace(plan, operations=tuple(kept), held=tuple(held))
