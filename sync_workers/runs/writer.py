"""`Writer`: carries out single operations, each covered by the journal (rule R5).

    intent with what was before ─> look at the target ─> write ─> read back ─> bases, end and history at once

The intent is stored before the write, and the new bases together with its end after it, both refused when
the lease has gone. An operation that an earlier attempt of the run began is looked at before it is tried
again: an update is done, not done, or someone else's edit by now; a delete is confirmed; a create is made
again only where the service makes no second one, else the next run looks for it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sync_workers.errors import MovedError, UnknownOutcomeError
from sync_workers.model import (
    ID,
    Action,
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
from sync_workers.remarks import Quarantined
from sync_workers.report import Report
from sync_workers.runs.calls import Calls, HeldError, shown_of
from sync_workers.runs.changes import (
    both,
    idempotent,
    link,
    parted,
    pending_before,
    remembering,
    there,
    unlink,
)
from sync_workers.runs.entries import done, intent
from sync_workers.runs.history import Entry
from sync_workers.runs.looking import looks
from sync_workers.runs.quarantine import ended, remembered
from sync_workers.runs.resolving import decide, settle
from sync_workers.runs.store import Store
from sync_workers.services.base import mark_of
from sync_workers.state import Change, Pending, State
from sync_workers.values import is_unset, same

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Writer:
    """Both services and the store of one task, for one plan.

    Attributes:
        task: the task's name; part of what makes a repeated create the same one.
        state: what was stored before; changed in step with the store.
        resolve: decides a conflict for the task itself (`SyncTask.resolve_conflict`).
        there: per side the ids that the plan knows: a create that gives one of them back made nothing.
        earlier: the creates whose end was not known when this began.
        began: numbers of the operations whose intent this attempt wrote.
    """

    task: str
    calls: Calls
    plan: Plan
    state: State
    store: Store
    report: Report
    resolve: Callable[[Conflict], Any] | None
    there: Pair[set[ID | None]] = field(init=False)
    earlier: Mapping[Side, Mapping[ID, Pending]] = field(init=False)
    began: set[int] = field(default_factory=set)
    refused: Quarantined | None = None

    def __post_init__(self) -> None:
        self.there = Pair.each(self._shown_alone)
        self.earlier = {side: dict(self.state.pending.get(side, {})) for side in Side}

    def perform(self, number: int, operation: Operation, refused: Quarantined | None = None) -> None:
        """Carry out one operation to its end, after what it takes for gone was asked for (`Calls.settled`).

        `refused` is what is to be remembered of the fields that it goes without.

        Raises:
            HeldError, MovedError, RejectedError, LaterError, AccessError: it did not happen.
            UnknownOutcomeError: nobody knows whether it happened.
            StateError: the store cannot be written, or the lease has gone.
        """
        self.refused = refused
        match operation.action:
            case Action.LINK | Action.ADVANCE | Action.UNLINK | Action.DROP:
                self._keep(number, operation)
            case Action.CREATE:
                self._create(number, operation)
            case Action.UPDATE:
                self._update(number, operation)
            case Action.DELETE | Action.ARCHIVE:
                self._remove(number, operation)
            case Action.RESTORE:
                self._restore(number, operation)
            case Action.RESOLVE:
                self._resolve(number, operation)
            case Action.ANNOTATE:
                self._annotate(number, operation)

    def forget(
        self, number: int, operation: Operation, failure: Quarantined | None = None, *, moved: bool = False
    ) -> None:
        """It surely did not happen; what an earlier run began is looked for, and what has `moved`."""
        pending = pending_before(operation, self.earlier)
        failures, looked = remembered(operation, failure), looks(self.calls.services, operation, wanted=moved)
        self.commit(number, Change(pending=pending, quarantine=failures, looks=looked))

    def take_back(self, number: int, operation: Operation) -> None:
        """Nothing was sent yet: the operation is as if it had not begun, to be tried as a new one.

        What an earlier attempt began may have happened, and stays to be looked for.
        """
        if number in self.began:
            change = Change(pending=pending_before(operation, self.earlier))
            self.store.take_back(number, change)
            change.apply(self.state)
            self.began.discard(number)

    def doubt(self, operation: Operation, failure: Quarantined) -> None:
        """Nobody knows whether the operation happened; its intent stays open."""
        self.commit(None, Change(quarantine=remembered(operation, failure)))

    def commit(self, number: int | None, change: Change, entry: Entry | None = None) -> None:
        """Store a change, an operation's end, its entry in the history and what was seen, all at once."""
        self.store.commit(number, replace(change, shown=self.calls.glimpses.taken()), entry)
        change.apply(self.state)

    def _end(self, number: int, operation: Operation, change: Change, entry: Entry) -> None:
        """The operation is done: its record waits no more, but for fields that are refused."""
        kept = ended(self.state, operation, self.refused)
        found = looks(self.calls.services, operation, wanted=False)
        self.commit(number, replace(change, quarantine=kept, looks=found), entry)

    def _intent(self, number: int, operation: Operation) -> Entry:
        return intent(self.report.run, number, operation, self.state)

    def _begin(self, number: int, operation: Operation, change: Change, entry: Entry) -> bool:
        """Store the intent; False when an earlier attempt of this run did and nobody saw its end."""
        change = replace(change, looks=looks(self.calls.services, operation, wanted=True))
        if not self.store.begin(number, change, entry):
            return False
        change.apply(self.state)
        self.began.add(number)
        return True

    def _keep(self, number: int, operation: Operation) -> None:
        """An operation on the state alone."""
        ids, entry = both(operation.ids), self._intent(number, operation)
        undone = operation.part is Part.UNDONE
        if undone and operation.action is Action.UNLINK:
            self._end(number, operation, parted(self.state, ids, *Side), entry)
            return
        if operation.action in {Action.UNLINK, Action.DROP}:
            self._end(number, operation, unlink(self.state, operation), entry)
        else:
            change = link(self.state, ids, operation.bases)
            memory = {**change.memory, **remembering(self.state, operation)}
            self._end(number, operation, replace(change, memory=memory), entry)

    def _create(self, number: int, operation: Operation) -> None:
        side, source = operation.side, there(operation, operation.side.opposite)
        gone_id = operation.ids[side]
        # A create that was tried again in this run gave back the very record this one is made from.
        if source.id in self.state.bases(side.opposite) and not self._is_linked(operation.ids):
            msg = f"record {source.id} was linked since the plan was made"
            raise HeldError(msg)
        was_linked = gone_id is not None and self._is_linked(operation.ids)
        idempotency, entry = idempotent(self.task, side, source.id), self._intent(number, operation)
        self._begin_create(number, operation, source, idempotency, entry)
        made = self.calls.create(side, operation.fields, idempotency, self.state.bases(side))
        ids = Pair.of(side, made.id, source.id)
        bases = self._made(operation, source.id, made)
        if not bases.notion and not bases.other:
            why = "it was there already, made by a run that is forgotten: compared in the next run"
            self.report.held.append(Hold(side, made.id, why))
        change = link(self.state, ids, bases, leaves=operation.ids.notion)
        # The record that is gone may itself have been the source of a create whose reply was lost.
        orphaned = {(side.opposite, gone_id): None} if gone_id is not None else {}
        change = replace(change, pending={**change.pending, **orphaned})
        self._end(number, operation, change, done(entry, ids=ids, shown=Pair.of(side, made.fields, None)))
        if was_linked:
            self.report.remade.append(source.id)

    def _begin_create(
        self, number: int, operation: Operation, source: Record, idempotency: str, entry: Entry
    ) -> None:
        side, can = operation.side, self.calls.services[operation.side].capabilities
        begun = Pending.model_construct(  # the values are no JSON yet, so they must not be read as such
            source=dict(operation.bases[side.opposite]),
            sent=dict(operation.fields),
            key=source.key,
            mark=mark_of(idempotency) if can.marks else "",
            alike=operation.alike,
        )
        change = Change(pending={(side, source.id): begun}, memory=remembering(self.state, operation))
        is_first = self._begin(number, operation, change, entry)
        if not is_first and not can.safe_create:
            msg = "an earlier attempt was stopped in the middle of this"
            raise UnknownOutcomeError(msg)

    def _made(self, operation: Operation, source_id: ID, made: Record) -> Pair[Fields]:
        """The bases of a record that was just created and of the one it was made from."""
        side = operation.side
        shown = shown_of(made, operation.fields)
        # It may be what an earlier attempt or a forgotten run made, edited by a person since then: nobody
        # knows its base.
        old = source_id in self.earlier[side] or made.id in self.there[side]
        if old and any(not same(shown[attr], value) for attr, value in operation.fields.items()):
            return Pair({}, {})
        unset = {a: None for a in operation.bases[side] if is_unset(made.fields.get(a))}
        unsent = {a: made.fields.get(a) for a in operation.unsent if a not in made.about.unread}
        return Pair.of(side, {**unset, **unsent, **shown}, operation.bases[side.opposite])

    def _shown_alone(self, side: Side) -> set[ID | None]:
        """What the plan knows of a side: a safe create that gives one of these back made nothing."""
        known = {op.ids[side] for op in self.plan} | self.state.unlinked.get(side, set())
        waiting = (hold.record_id for hold in (*self.plan.held, *self.plan.quarantined))
        return known.union(waiting, *(group.ids[side] for group in self.plan.ambiguous))

    def _is_linked(self, ids: Pair[ID | None]) -> bool:
        return ids.notion is not None and self.state.ids.get(ids.notion) == ids.other

    def _update(self, number: int, operation: Operation) -> None:
        side, ids, record = operation.side, both(operation.ids), there(operation, operation.side)
        entry = self._intent(number, operation)
        is_first = self._begin(number, operation, Change(memory=remembering(self.state, operation)), entry)
        shown = None if is_first else self.calls.written_before(side, record, operation.fields)
        if shown is None:
            shown = self.calls.write(side, record, operation.fields)
        bases = Pair.of(side, {**operation.bases[side], **shown}, operation.bases[side.opposite])
        change = link(self.state, ids, bases)
        self._end(number, operation, change, done(entry, shown=Pair.of(side, shown, None)))

    def _remove(self, number: int, operation: Operation) -> None:
        """Repeating it is harmless: what is gone or changed since is told by the service."""
        side, ids, record = operation.side, operation.ids, there(operation, operation.side)
        undone = operation.part is Part.UNDONE
        self.calls.expect_archive(operation)
        entry = self._intent(number, operation)
        self._begin(number, operation, Change(), entry)
        self.calls.remove(side, record, operation.action)
        change = parted(self.state, ids, side.opposite) if undone else Change(links={both(ids).notion: None})
        self._end(number, operation, change, entry)

    def _restore(self, number: int, operation: Operation) -> None:
        """Bring back what was deleted or archived; its link, too, where its counterpart is there."""
        side, entry = operation.side, self._intent(number, operation)
        self._begin(number, operation, Change(), entry)
        back = self._brought_back(operation)
        ids = Pair.of(side, back.id, operation.ids[side.opposite])
        change = parted(self.state, ids, side)
        if operation.records[side.opposite] is not None:
            shown = {attr: back.fields.get(attr) for attr in operation.bases[side]}
            change = link(self.state, both(ids), Pair.of(side, shown, operation.bases[side.opposite]))
        entry = replace(done(entry, shown=Pair.of(side, back.fields, None)), ids=ids)
        self._end(number, operation, change, entry)

    def _brought_back(self, operation: Operation) -> Record:
        side, record_id = operation.side, operation.ids[operation.side]
        if record_id is not None and self.calls.services[side].capabilities.restores:
            try:
                return self.calls.restore(side, record_id)
            except MovedError:
                _log.debug("record %s of %s is gone for good: made anew", record_id, side)
        return self.calls.create(side, operation.fields, f"{self.task}/{side}/restored/{operation.note}", ())

    def _resolve(self, number: int, operation: Operation) -> None:
        """Conflicts that the task decides itself, perhaps by writing."""
        ids, entry = both(operation.ids), self._intent(number, operation)
        self.calls.expect_unmoved(operation)
        self._begin(number, operation, Change(), entry)
        known = len(self.report.conflicts)
        bases = settle(self.calls, operation, decide(operation, self.resolve, self.report))
        asked = [conflict for conflict in self.report.conflicts[known:] if not conflict.held]
        decided = [*(conflict for conflict in operation.conflicts if not conflict.held), *asked]
        change = link(self.state, ids, bases)
        self._end(
            number, operation, change, done(entry, shown=Pair.each(lambda s: bases[s]), conflicts=decided)
        )

    def _annotate(self, number: int, operation: Operation) -> None:
        """A text beside a record; it may be written twice."""
        record, entry = there(operation, operation.side), self._intent(number, operation)
        self._begin(number, operation, Change(), entry)
        self.calls.on(operation.side).annotate(record.id, operation.note)
        self._end(number, operation, Change(), entry)
