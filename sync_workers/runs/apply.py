"""The phase `apply`: carry out a plan, one operation after the other, and say what became of each.

A stop at any instant leaves too much rather than too little, and a plan can be carried out again from where
it stopped. How one operation is covered by the journal stands in `writer.py`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sync_workers.errors import (
    AccessError,
    LaterError,
    MovedError,
    NotYetError,
    RejectedError,
    StateError,
    SyncError,
    UnknownOutcomeError,
)
from sync_workers.model import (
    ID,
    Action,
    Conflict,
    Failure,
    Fields,
    Hold,
    Operation,
    Pair,
    Part,
    Plan,
    Side,
)
from sync_workers.remarks import Quarantined
from sync_workers.report import Report
from sync_workers.runs.calls import Calls, HeldError
from sync_workers.runs.changes import link
from sync_workers.runs.quarantine import Key, failed, key_of, own_ids, parent_in
from sync_workers.runs.referring import UnlinkedError, named
from sync_workers.runs.refused_fields import without_refused
from sync_workers.runs.setup import forget
from sync_workers.runs.store import Store
from sync_workers.runs.writer import Writer
from sync_workers.services.base import Service
from sync_workers.state import Change, Pending, State

_log = logging.getLogger(__name__)


class SliceOverError(SyncError):
    """The slice's time is up or the worker stops: the rest of the plan goes on as a new message."""


def never() -> bool:
    return False


def nothing() -> None:
    """There is no lease to ask for."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Application:
    """One plan being carried out.

    Attributes:
        task: the task's name.
        state: what was stored before; changed in step with the store.
        stop: asked before each operation whether to end here.
        resolve: decides a conflict for the task itself (`SyncTask.resolve_conflict`).
        progress: told after each operation how many are done, and of how many.
        now: gives the time, by which the pauses of records that fail are counted.
        check: asked before each call; raises when the lease is known to have gone.
        resting: per side why it is not called any more.
        ended: numbers of the operations that came to an end, good or bad.
        stopped: records that failed, by side and id; what belongs under them is not tried.
    """

    task: str
    services: Pair[Service]
    plan: Plan
    state: State
    store: Store
    report: Report
    stop: Callable[[], bool] = never
    resolve: Callable[[Conflict], Any] | None = None
    progress: Callable[[int, int], None] | None = None
    now: Callable[[], datetime] = _now
    check: Callable[[], None] = nothing
    resting: dict[Side, str] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    stopped: set[Key] = field(default_factory=set)
    calls: Calls = field(init=False)
    writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        self.calls = Calls(self.services, self.report, self.resting, self.check)
        self.writer = Writer(
            self.task, self.calls, self.plan, self.state, self.store, self.report, self._asked
        )
        # An attempt that was killed has told nobody what it did; the journal has.
        for number in sorted(self.store.carried_out() - self.ended):
            operation = self.plan.operations[number]
            self.report.count(operation.side, operation.action)
        self.ended.update(self.store.done())

    @property
    def earlier(self) -> Mapping[Side, Mapping[ID, Pending]]:
        """The creates whose end was not known when this began."""
        return self.writer.earlier

    def run(self, part: Part, admit: Callable[[Operation], bool] | None = None) -> None:
        """Carry out one part of the plan, or of it what `admit` lets through.

        Raises:
            SliceOverError: stopped between two operations; run it again to go on.
            NotYetError: the next operation has to wait for its turn; run it again after that to go on.
            StateError: the store cannot be written, or the lease has gone; nothing more is written.
        """
        self.writer.state = self.state
        for number, operation in enumerate(self.plan.operations):
            if operation.part is not part or number in self.ended:
                continue
            if admit is not None and not admit(operation):
                continue
            if self.stop():
                raise SliceOverError
            if operation.action is not Action.DROP:
                self._bind()
            self._carry_out(number, operation)
            self.ended.add(number)
            if self.progress is not None:
                self.progress(len(self.ended), len(self.plan))

    def correct(self, side: Side, bases: Mapping[ID, Fields]) -> None:
        """Set the bases of one side to what its records turned out to show after all."""
        self.writer.state = self.state
        for notion_id, other_id in list(self.state.links()):
            ids = Pair(notion_id, other_id)
            if ids[side] in bases:
                self.writer.commit(None, link(self.state, ids, Pair.of(side, bases[ids[side]], {})))

    def _asked(self, conflict: Conflict) -> Any:
        return conflict if self.resolve is None else self.resolve(conflict)

    def _bind(self) -> None:
        """Remember what the links are made with before the first one is (see `Plan.setup`, `.stale`)."""
        if not self.ended:  # later, also in a later slice, there are new bases among them
            forget(self.state, self.plan.stale, self.store)
        if self.plan.setup is not None and self.state.setup != self.plan.setup:
            self.writer.commit(None, Change(setup=self.plan.setup))

    def _carry_out(self, number: int, operation: Operation) -> None:
        side, record_id = operation.side, operation.source_id
        try:
            if operation.action.writes and self._is_left_out(operation):
                return
            operation = self.calls.settled(operation, parts_hidden=self.plan.parts_hidden)
            operation = self._named(operation)
            self._perform(number, operation)
            self.report.count(operation.side, operation.action)
            _log.info(
                "%s %s on %s: %s", operation.action, record_id, operation.side, operation.reason,
                extra={"task": self.task, "run": self.report.run, "action": str(operation.action)},
            )  # fmt: skip
        except StateError:
            raise
        except (MovedError, HeldError) as error:
            # Someone was faster, or a deletion is not proven: the next run decides it again.
            kept, moved = self._fields_waiting(operation), isinstance(error, MovedError)
            self.writer.forget(number, operation, kept, moved=moved)
            self.report.held.append(Hold(side, record_id, str(error)))
        except NotYetError:
            # Nothing was sent, and nothing is wrong: what goes on later begins with this operation.
            self.writer.take_back(number, operation)
            raise
        except (LaterError, AccessError) as error:
            # Nothing was sent, and the rest of this side would meet the same.
            self.writer.forget(number, operation, self._known(operation))
            self.resting.setdefault(self.calls.asked, str(error))
            if isinstance(error, LaterError):
                self.report.wait = max(self.report.wait, error.wait)
            else:
                self.report.blocked = str(error)
            self._fail(operation, str(error))
        except UnknownOutcomeError as error:
            self.writer.doubt(operation, self._quarantined(operation, str(error), unknown=True))
            self._fail(operation, f"{error}; the next run looks before it tries again", unknown=True)
        except RejectedError as error:
            failure = self._quarantined(operation, str(error), fields=error.fields)
            self.writer.forget(number, operation, failure)
            self._fail(operation, str(error))

    def _perform(self, number: int, operation: Operation) -> None:
        """Carry out an operation; without the fields that its service refuses, if there are others.

        Raises: as `Writer.perform`.
        """
        whole, refusals = operation, list[RejectedError]()
        waits: Quarantined | None = None
        while True:
            try:
                self.writer.perform(number, operation, waits)
                break
            except RejectedError as error:
                refusals.append(error)
                rest = without_refused(operation, error.fields, self.plan)
                if not error.fields:
                    raise
                reason, fields = _joined(refusals)
                if rest is None or not rest.action.writes:
                    raise RejectedError(reason, fields=fields) from error
                # Nothing was sent: what is left of it is tried as if it had been planned so.
                self.writer.take_back(number, operation)
                waits, operation = self._quarantined(whole, reason, fields=fields), rest
        if waits is not None:
            self._fail(whole, waits.reason, stops=False)

    def _named(self, operation: Operation) -> Operation:
        """The operation with the ids of the records that it names and that this run has made.

        Raises:
            HeldError: they are not there after all, and nothing else is to be written.
        """
        for reference in operation.references:
            try:
                operation = named(operation, reference, self.state)
            except UnlinkedError as error:
                name = reference.attrs[operation.side.opposite]
                why = f"the value of {name!r} waits for {reference.task} to link record {error.record_id}"
                operation = self.calls.hold_field(operation, reference, why)
        return operation

    def _is_left_out(self, operation: Operation) -> bool:
        """Whether it is not even tried: its side rests, or what it belongs under failed."""
        if operation.side in self.resting:
            self._fail(operation, self.resting[operation.side])
            return True
        if parent := parent_in(operation, self.stopped):
            self.stopped |= own_ids(operation)
            reason = f"its parent {parent} failed in this run"
            self.report.held.append(Hold(operation.side, operation.source_id, reason))
            return True
        return False

    def _known(self, operation: Operation) -> Quarantined | None:
        side, record_id = key_of(operation)
        return self.state.quarantine.get(side, {}).get(record_id)

    def _fields_waiting(self, operation: Operation) -> Quarantined | None:
        """What is known of single fields of the record, which the operation goes without."""
        known = self._known(operation)
        return known if known is not None and known.fields else None

    def _quarantined(
        self, operation: Operation, reason: str, *, unknown: bool = False, fields: Sequence[str] = ()
    ) -> Quarantined:
        # Where nothing can be written without a field, it is the record that waits.
        if without_refused(operation, fields, self.plan) is None:
            fields = ()
        known = self._known(operation) if key_of(operation) not in self.plan.healed else None
        return failed(operation, known, reason, self.now(), unknown=unknown, fields=fields)

    def _fail(self, operation: Operation, reason: str, *, unknown: bool = False, stops: bool = True) -> None:
        if stops:
            self.stopped |= own_ids(operation)
        failure = Failure(operation.side, operation.source_id, reason, str(operation.action), unknown)
        self.report.failures.append(failure)
        _log.warning(
            "%s %s on %s failed: %s", operation.action, operation.source_id, operation.side, reason,
            extra={"task": self.task, "run": self.report.run, "action": "fail"},
        )  # fmt: skip


def _joined(refusals: Sequence[RejectedError]) -> tuple[str, tuple[str, ...]]:
    """What several refusals say together, and all the fields that they are about."""
    fields = dict.fromkeys(name for error in refusals for name in error.fields)
    return "; ".join(map(str, refusals)), tuple(fields)
