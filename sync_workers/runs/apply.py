"""The phase `apply`: carry out a plan, one operation after the other.

Each write is covered (rule R5): its intent is stored before it, and the new bases together with its
end after it, both refused when the lease has gone. So a stop at any instant leaves too much rather
than too little, and a plan can be carried out again from where it stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sync_workers.errors import (
    AccessError,
    LaterError,
    MovedError,
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
    Record,
    Side,
)
from sync_workers.report import Report
from sync_workers.runs.calls import Calls, HeldError
from sync_workers.runs.changes import both, link, unlink
from sync_workers.runs.resolving import decide, settle
from sync_workers.runs.setup import forget
from sync_workers.runs.store import Store
from sync_workers.services.base import Service
from sync_workers.state import Change, Pending, State
from sync_workers.values import is_unset, same

_log = logging.getLogger(__name__)


class SliceOverError(SyncError):
    """The slice's time is up or the worker stops: the rest of the plan goes on as a new message."""


def never() -> bool:
    return False


@dataclass(slots=True)
class Application:
    """One plan being carried out.

    Attributes:
        task: the task's name; part of what makes a repeated create the same one.
        state: what was stored before; changed in step with the store.
        stop: asked before each operation whether to end here.
        resolve: decides a conflict for the task itself (`SyncTask.resolve_conflict`).
        progress: told after each operation how many are done, and of how many.
        resting: per side why it is not called any more.
        ended: numbers of the operations that came to an end, good or bad.
        there: per side the ids that the plan knows: a create that gives one of them back made nothing.
        earlier: the creates whose end was not known when this began.
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
    resting: dict[Side, str] = field(default_factory=dict)
    ended: set[int] = field(default_factory=set)
    there: Pair[set[ID | None]] = field(init=False)
    calls: Calls = field(init=False)
    earlier: dict[Side, dict[ID, Pending]] = field(init=False)

    def __post_init__(self) -> None:
        self.there = Pair.each(self._shown_alone)
        self.calls = Calls(self.services, self.report, self.resting)
        self.ended.update(self.store.done())
        self.earlier = {side: dict(self.state.pending.get(side, {})) for side in Side}

    def run(self, part: Part, admit: Callable[[Operation], bool] | None = None) -> None:
        """Carry out one part of the plan, or of it what `admit` lets through.

        Raises:
            SliceOverError: stopped between two operations; run it again to go on.
            StateError: the store cannot be written, or the lease has gone; nothing more is written.
        """
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
        for notion_id, other_id in list(self.state.links()):
            ids = Pair(notion_id, other_id)
            if ids[side] in bases:
                self._commit(None, link(self.state, ids, Pair.of(side, bases[ids[side]], {})))

    def _bind(self) -> None:
        """Remember what the links are made with before the first one is (see `Plan.setup`, `.stale`)."""
        if not self.ended:  # later, also in a later slice, there are new bases among them
            forget(self.state, self.plan.stale, self.store)
        if self.plan.setup is not None and self.state.setup != self.plan.setup:
            self._commit(None, Change(setup=self.plan.setup))

    def _carry_out(self, number: int, operation: Operation) -> None:
        side, record_id = operation.side, operation.source_id
        try:
            if operation.action.writes and side in self.resting:
                self._fail(operation, self.resting[side])
                return
            self._perform(number, operation)
            self.report.count(side, operation.action)
            _log.info(
                "%s %s on %s: %s", operation.action, record_id, side, operation.reason,
                extra={"task": self.task, "run": self.report.run, "action": str(operation.action)},
            )  # fmt: skip
        except StateError:
            raise
        except (MovedError, HeldError) as error:
            # Someone was faster, or a deletion is not proven: the next run decides it again.
            self._forget(number, operation)
            self.report.held.append(Hold(side, record_id, str(error)))
        except (LaterError, AccessError) as error:
            # Nothing was sent, and the rest of this side would meet the same.
            self._forget(number, operation)
            self.resting.setdefault(self.calls.asked, str(error))
            if isinstance(error, LaterError):
                self.report.wait = max(self.report.wait, error.wait)
            self._fail(operation, str(error))
        except UnknownOutcomeError as error:
            self._fail(operation, f"{error}; the next run looks before it tries again", unknown=True)
        except RejectedError as error:
            self._forget(number, operation)
            self._fail(operation, str(error))

    def _perform(self, number: int, operation: Operation) -> None:
        match operation.action:
            case Action.LINK | Action.ADVANCE | Action.UNLINK | Action.DROP:
                self._keep(number, operation)
            case Action.CREATE:
                self._create(number, operation)
            case Action.UPDATE:
                self._update(number, operation)
            case Action.DELETE | Action.ARCHIVE:
                self._remove(number, operation)
            case Action.RESOLVE:
                self._resolve(number, operation)

    def _keep(self, number: int, operation: Operation) -> None:
        """An operation on the state alone."""
        ids, side = both(operation.ids), operation.side
        if operation.action is Action.UNLINK and operation.records[side] is not None:
            self.calls.confirm_gone(side.opposite, ids[side.opposite])
        elif operation.action is Action.UNLINK:
            self.calls.confirm_one_gone(ids)
        if operation.action in {Action.UNLINK, Action.DROP}:
            self._commit(number, unlink(operation))
        else:
            self._commit(number, link(self.state, ids, operation.bases))

    def _create(self, number: int, operation: Operation) -> None:
        side, source = operation.side, _there(operation, operation.side.opposite)
        gone_id = operation.ids[side]
        # A create that was tried again in this run gave back the very record this one is made from.
        if source.id in self.state.bases(side.opposite) and not self._is_linked(operation.ids):
            msg = f"record {source.id} was linked since the plan was made"
            raise HeldError(msg)
        if gone_id is not None:
            self.calls.confirm_gone(side, gone_id)
        begun = Pending.model_construct(  # the values are no JSON yet, so they must not be read as such
            source=dict(operation.bases[side.opposite]), sent=dict(operation.fields), key=source.key
        )
        was_linked = gone_id is not None and self._is_linked(operation.ids)
        self._begin(number, Change(pending={(side, source.id): begun}))
        made = self.calls.on(side).create(operation.fields, f"{self.task}/{side}/{source.id}")
        ids = Pair.of(side, made.id, source.id)
        bases = self._made(operation, source.id, made)
        change = link(self.state, ids, bases, leaves=operation.ids.notion)
        # The record that is gone may itself have been the source of a create whose reply was lost.
        orphaned = {(side.opposite, gone_id): None} if gone_id is not None else {}
        self._commit(number, replace(change, pending={**change.pending, **orphaned}))
        if was_linked:
            self.report.remade.append(source.id)

    def _made(self, operation: Operation, source_id: ID, made: Record) -> Pair[Fields]:
        """The bases of a record that was just created and of the one it was made from."""
        side = operation.side
        shown = {attr: made.fields.get(attr) for attr in operation.fields}
        # It may be what an earlier attempt or a forgotten run made, edited by a person since then: nobody
        # knows its base.
        old = source_id in self.earlier[side] or made.id in self.there[side]
        if old and any(not same(shown[attr], value) for attr, value in operation.fields.items()):
            return Pair({}, {})
        unset = {a: None for a in operation.bases[side] if is_unset(made.fields.get(a))}
        return Pair.of(side, {**unset, **shown}, operation.bases[side.opposite])

    def _shown_alone(self, side: Side) -> set[ID | None]:
        """What the plan knows of a side: a safe create that gives one of these back made nothing."""
        alone = {record_id for group in self.plan.ambiguous for record_id in group.ids[side]}
        return {op.ids[side] for op in self.plan} | alone | self.state.unlinked.get(side, set())

    def _is_linked(self, ids: Pair[ID | None]) -> bool:
        return ids.notion is not None and self.state.ids.get(ids.notion) == ids.other

    def _update(self, number: int, operation: Operation) -> None:
        side, ids = operation.side, both(operation.ids)
        record = _there(operation, side)
        self._begin(number, Change())
        shown = self.calls.write(side, record, operation.fields)
        bases = Pair.of(side, {**operation.bases[side], **shown}, operation.bases[side.opposite])
        self._commit(number, link(self.state, ids, bases))

    def _remove(self, number: int, operation: Operation) -> None:
        side, ids = operation.side, both(operation.ids)
        record = _there(operation, side)
        self.calls.confirm_gone(side.opposite, ids[side.opposite])
        service = self.calls.on(side)
        if operation.action is Action.ARCHIVE and not service.capabilities.archives:
            msg = f"the service of {side} has no archive: choose another delete policy for the task"
            raise RejectedError(msg)
        self._begin(number, Change())
        if operation.action is Action.DELETE:
            service.delete(record)
        else:
            service.archive(record)
        self._commit(number, Change(links={ids.notion: None}))

    def _resolve(self, number: int, operation: Operation) -> None:
        """Conflicts that the task decides itself, perhaps by writing."""
        ids = both(operation.ids)
        self.calls.expect_unmoved(operation)
        self._begin(number, Change())
        bases = settle(self.calls, operation, decide(operation, self.resolve, self.report))
        self._commit(number, link(self.state, ids, bases))

    def _begin(self, number: int, change: Change) -> None:
        if not self.store.begin(number, change):
            msg = "an earlier attempt was stopped in the middle of this"
            raise UnknownOutcomeError(msg)
        change.apply(self.state)

    def _commit(self, number: int | None, change: Change) -> None:
        self.store.commit(number, change)
        change.apply(self.state)

    def _forget(self, number: int, operation: Operation) -> None:
        """The operation surely did not happen; what an earlier run began stays to be looked for."""
        side, source = operation.side, operation.records[operation.side.opposite]
        pending: dict[tuple[Side, ID], Pending | None] = {}
        if operation.action is Action.CREATE and source is not None:
            pending = {(side, source.id): self.earlier[side].get(source.id)}
        self._commit(number, Change(pending=pending))

    def _fail(self, operation: Operation, reason: str, *, unknown: bool = False) -> None:
        failure = Failure(operation.side, operation.source_id, reason, str(operation.action), unknown)
        self.report.failures.append(failure)
        _log.warning(
            "%s %s on %s failed: %s", operation.action, operation.source_id, operation.side, reason,
            extra={"task": self.task, "run": self.report.run, "action": "fail"},
        )  # fmt: skip


def _there(operation: Operation, side: Side) -> Record:
    """The record that the operation cannot be without."""
    if (record := operation.records[side]) is None:
        msg = f"a {operation.action} without its record of {side}: a plan of another version?"
        raise StateError(msg)
    return record
