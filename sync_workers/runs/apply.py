"""The phase `apply`: carry out a plan, one operation after the other.

Each write is covered (rule R5): its intent is stored before it, and the new bases together with its
end after it, both refused when the lease has gone. So a stop at any instant leaves too much rather
than too little, and a plan can be carried out again from where it stopped.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    Side,
)
from sync_workers.report import Report
from sync_workers.runs.calls import Calls, HeldError
from sync_workers.runs.store import Store
from sync_workers.services.base import Service
from sync_workers.state import Change, Pending, State
from sync_workers.values import same

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
        progress: told after each operation how many of how many are done.
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
    calls: Calls = field(init=False)

    def __post_init__(self) -> None:
        self.calls = Calls(self.services, self.report)
        self.ended.update(self.store.done())

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
            self._carry_out(number, operation)
            self.ended.add(number)
            if self.progress is not None:
                self.progress(len(self.ended), len(self.plan))

    def correct(self, side: Side, bases: Mapping[ID, Fields]) -> None:
        """Set the bases of one side to what its records turned out to show after all."""
        for notion_id, other_id in list(self.state.links()):
            ids = Pair(notion_id, other_id)
            if ids[side] in bases:
                shown = {**self.state.bases(side)[ids[side]], **bases[ids[side]]}
                self._commit(None, self._link(ids, Pair.of(side, shown, {})))

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
            self.resting[side] = str(error)
            self._fail(operation, str(error))
        except UnknownOutcomeError as error:
            self._fail(operation, f"{error}; the next run looks before it tries again", unknown=True)
        except RejectedError as error:
            self._forget(number, operation)
            self._fail(operation, str(error))

    def _perform(self, number: int, operation: Operation) -> None:
        match operation.action:
            case Action.LINK | Action.ADVANCE | Action.UNLINK:
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
        ids = _both(operation.ids)
        if operation.action is not Action.UNLINK:
            self._commit(number, self._link(ids, operation.bases))
            return
        there = operation.records[operation.side]
        if there is not None:
            self.calls.confirm_gone(operation)
        parted = {(operation.side, there.id): True} if there is not None else {}
        self._commit(number, Change(links={ids.notion: None}, unlinked=parted))

    def _create(self, number: int, operation: Operation) -> None:
        side, source = operation.side, operation.records[operation.side.opposite]
        if source is None:
            msg = "a create without a source record: a plan of another version?"
            raise StateError(msg)
        if operation.ids[side] is not None:
            self.calls.confirm_gone(operation)
        begun = Pending(
            source=dict(operation.bases[side.opposite]), sent=dict(operation.fields), key=source.key
        )
        self._begin(number, Change(pending={(side, source.id): begun}))
        made = self.calls.on(side).create(operation.fields, f"{self.task}/{side}/{source.id}")
        ids = Pair.of(side, made.id, source.id)
        shown = {attr: made.fields.get(attr) for attr in operation.fields}
        link = self._link(ids, Pair.of(side, shown, operation.bases[side.opposite]), fresh=True)
        links = dict(link.links)
        if operation.ids.notion is not None and operation.ids.notion != ids.notion:
            links = {operation.ids.notion: None, **links}
        self._commit(number, Change(links=links, pending={(side, source.id): None}))

    def _update(self, number: int, operation: Operation) -> None:
        record = operation.records[operation.side]
        if record is None:
            msg = "an update without a target record: a plan of another version?"
            raise StateError(msg)
        self._begin(number, Change())
        shown = self.calls.write(operation.side, record, operation.fields)
        bases = Pair.of(
            operation.side,
            {**operation.bases[operation.side], **shown},
            operation.bases[operation.side.opposite],
        )
        self._commit(number, self._link(_both(operation.ids), bases))

    def _remove(self, number: int, operation: Operation) -> None:
        record = operation.records[operation.side]
        if record is None:
            msg = "a delete without a target record: a plan of another version?"
            raise StateError(msg)
        self.calls.confirm_gone(operation)
        self._begin(number, Change())
        if operation.action is Action.DELETE:
            self.calls.on(operation.side).delete(record)
        else:
            self.calls.on(operation.side).archive(record)
        self._commit(number, Change(links={_both(operation.ids).notion: None}))

    def _resolve(self, number: int, operation: Operation) -> None:
        """Conflicts that the task decides itself, perhaps by writing: look afterwards what is left."""
        ids = _both(operation.ids)
        self.calls.expect_unmoved(operation)
        self._begin(number, Change())
        decided = [(conflict, self._decide(conflict)) for conflict in operation.conflicts]
        bases = Pair.each(lambda side: dict(operation.bases[side]))
        for side in Side:
            now = self.calls.read(side, ids[side])
            wanted = dict(operation.resolve_fields[side])
            for conflict, value in decided:
                if value is not conflict:
                    wanted[conflict.attrs[side]] = value
            missing = {attr: value for attr, value in wanted.items() if not same(now.fields.get(attr), value)}
            written = self.calls.write(side, now, missing) if missing else {}
            bases[side].update({**{attr: now.fields.get(attr) for attr in wanted}, **written})
        self._commit(number, self._link(ids, bases))

    def _decide(self, conflict: Conflict) -> Any:
        """The value that the task chose; the conflict itself when it is held for a person."""
        value = self.resolve(conflict) if self.resolve is not None else conflict
        winner = next(
            (side for side in Side if value is not conflict and same(value, conflict.values[side])), None
        )
        merged = value is not conflict and winner is None
        settled = Conflict(conflict.ids, conflict.attrs, conflict.values, winner, merged=merged)
        self.report.conflicts.append(settled)
        return value

    def _begin(self, number: int, change: Change) -> None:
        if not self.store.begin(number, change):
            msg = "an earlier attempt was stopped in the middle of this"
            raise UnknownOutcomeError(msg)
        change.apply(self.state)

    def _commit(self, number: int | None, change: Change) -> None:
        self.store.commit(number, change)
        change.apply(self.state)

    def _forget(self, number: int, operation: Operation) -> None:
        """The operation surely did not happen: nothing has to be looked for."""
        source = operation.records[operation.side.opposite]
        pending: dict[tuple[Side, ID], Pending | None] = {}
        if operation.action is Action.CREATE and source is not None:
            pending = {(operation.side, source.id): None}
        self._commit(number, Change(pending=pending))

    def _link(self, ids: Pair[ID], bases: Pair[Fields], *, fresh: bool = False) -> Change:
        """The change that links two records, or moves the bases that are named."""
        old = Pair.each(lambda side: {} if fresh else self.state.bases(side).get(ids[side], {}))
        new = Pair.each(lambda side: {**old[side], **bases[side]})
        found: dict[tuple[Side, ID], Pending | None] = {
            (side, ids[side.opposite]): None
            for side in Side
            if ids[side.opposite] in self.state.pending.get(side, {})
        }
        rejoined = {
            (side, ids[side]): False for side in Side if ids[side] in self.state.unlinked.get(side, set())
        }
        return Change(
            links={ids.notion: (ids.other, new.notion, new.other)}, pending=found, unlinked=rejoined
        )

    def _fail(self, operation: Operation, reason: str, *, unknown: bool = False) -> None:
        failure = Failure(operation.side, operation.source_id, reason, str(operation.action), unknown)
        self.report.failures.append(failure)
        _log.warning(
            "%s %s on %s failed: %s", operation.action, operation.source_id, operation.side, reason,
            extra={"task": self.task, "run": self.report.run, "action": "fail"},
        )  # fmt: skip


def _both(ids: Pair[ID | None]) -> Pair[ID]:
    if ids.notion is None or ids.other is None:
        msg = "an operation on a link without both ids: a plan of another version?"
        raise StateError(msg)
    return Pair(ids.notion, ids.other)
