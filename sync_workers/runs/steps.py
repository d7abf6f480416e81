"""`Steps`: the public steps of a `SyncTask` around one plan, so that subclasses can override or call each.

A step carries out its part of the plan, restricted to the objects it was given and to what the state
still asks for. What an overridden step did to the state itself is found by comparing, and stored like
everything else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sync_workers.engine.diff import diff
from sync_workers.engine.guard import refusals
from sync_workers.engine.paused import leave_alone, unpaused
from sync_workers.engine.rules import Rules
from sync_workers.errors import ConflictError, GuardError
from sync_workers.model import (
    ID,
    NOTHING,
    Action,
    Failure,
    Fields,
    Hold,
    Listing,
    Operation,
    Pair,
    Part,
    Side,
)
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.store import Unstored
from sync_workers.services.hooks import HooksService
from sync_workers.state import Change, State

Objects: TypeAlias = dict[ID, Any]


@dataclass(slots=True)
class Steps:
    """One plan of a `SyncTask` being carried out step by step.

    Attributes:
        winners: who wins the conflicts of a record, decided once for all its attributes.
        touched: ids that overridden steps linked or parted; what was planned for them is not asked for.
    """

    application: Application
    services: Pair[HooksService]
    winners: dict[Pair[ID], Side | None] = field(default_factory=dict)
    touched: Pair[set[ID]] = field(default_factory=lambda: Pair(set(), set()))

    @classmethod
    def over(
        cls,
        task: str,
        rules: Rules,
        services: Pair[HooksService],
        part: Part,
        state: State,
        objs: Pair[Objects | None],
    ) -> Steps:
        """For a step that is called by itself: a plan made from what it was given.

        Objects of a side that were not given are unknown, not gone. Only where a create of ours lost its
        reply there, the side is listed, to look for what it made.

        Raises:
            GuardError: the plan looks like an accident; nothing was changed.
        """
        complete(state, services)
        report = Report(task, started=datetime.now(UTC))
        listings = Pair.each(lambda side: _given(services[side], objs[side], state, report))
        plan = leave_alone(diff(rules, state, listings), state, task)
        if reasons := refusals(rules.limits, unpaused(state), listings, plan):
            raise GuardError(plan, reasons)
        # Of the whole plan only one part is carried out: that of linked records, or of new ones.
        mine = [c for c in plan.conflicts if (c.ids.notion in state.ids) == (part is Part.CHANGED)]
        if part in {Part.CHANGED, Part.MATCHED}:
            report.conflicts.extend(c for c in mine if not rules.asks(c))
        report.ignored.extend(hold for hold in plan.ignored if part is Part.deleted(hold.side.opposite))
        return cls(Application(task, services, plan, state, Unstored(), report), services)

    def run(self, part: Part, state: State, objs: Pair[Objects | None]) -> State:
        """Carry out one part for the given objects and go on from `state`."""
        self.absorb(state)
        if not self.application.plan.operations:
            return state
        self.application.run(
            part, lambda operation: _concerns(operation, objs) and self._is_asked_for(operation)
        )
        for operation in self.application.plan:
            if operation.part is part and operation.action is Action.DELETE:
                self._drop_deleted(operation, objs)
        return self.application.state

    def finish(self) -> None:
        """End a step that was called by itself.

        Raises:
            ConflictError: conflicts in mode `error`; the rest of the step was done.
        """
        self.reread()
        report = self.application.report
        report.settle()
        report.finished = datetime.now(UTC)
        if report.held_conflicts:
            raise ConflictError(report.held_conflicts, self.application.state)

    def reread(self) -> None:
        """Look once more at records that did not show what was written, and take what they show as base."""
        for side in Side:
            if self.services[side].doubtful:
                self.application.report.count_call(side)
                self.application.correct(side, self.services[side].reread())

    def absorb(self, state: State, before: State | None = None) -> State:
        """Take over a state that a subclass changed or made itself, and store the difference."""
        known = before or self.application.state
        if state is known:
            return state
        _ids_as_text(state)
        if state is not self.application.state:
            # A state that the subclass made anew knows nothing of these.
            for part in _BESIDE_LINKS:
                setattr(state, part, getattr(state, part) or getattr(known, part))
        complete(state, self.services, known)
        parted = {notion_id for notion_id in known.ids if notion_id not in state.ids}
        left = known.linked(Side.OTHER) - state.linked(Side.OTHER)
        for side, ids in ((Side.NOTION, parted), (Side.OTHER, left)):
            self.touched[side].update(ids)
            for record_id in ids:
                state.bases(side).pop(record_id, None)
        links: dict[ID, tuple[ID, Fields, Fields] | None] = dict.fromkeys(parted)
        for notion_id, other_id in state.links():
            link = _link(state, notion_id, other_id)
            if known.ids.get(notion_id) != other_id:
                self.touched.notion.add(notion_id)
                self.touched.other.add(other_id)
            elif link == _link(known, notion_id, other_id):
                continue
            links[notion_id] = link
        if links:
            self.application.store.commit(None, Change(links=links))
        self.application.state = state
        return state

    def _is_asked_for(self, operation: Operation) -> bool:
        """Whether the plan still fits what overridden steps did before."""
        if any(operation.ids[side] in self.touched[side] for side in Side):
            return False
        return operation.action is not Action.CREATE or not self._may_be_there(operation)

    def _may_be_there(self, operation: Operation) -> bool:
        """Whether an object that cannot be read now may be what is to be created (rule R3)."""
        side, source = operation.side, operation.records[operation.side.opposite]
        if source is None:
            return False
        # What an earlier run began and nobody saw the end of may be any of them.
        is_begun = source.id in self.application.earlier[side]
        keys = self.services[side].unreadable_keys
        linked = self.application.state.linked(side) if keys else set()
        for record_id, key in keys.items():
            if record_id not in linked and (is_begun or (key is not None and key == source.key)):
                why = f"it may belong to {record_id} of {side}, which cannot be read"
                self.application.report.held.append(Hold(side.opposite, source.id, why))
                return True
        return False

    def _drop_deleted(self, operation: Operation, objs: Pair[Objects | None]) -> None:
        """Later steps shall not meet an object that is deleted by now."""
        gone, mine = operation.ids[operation.side], objs[operation.side]
        if gone is not None and mine is not None and gone not in self.services[operation.side].objects:
            mine.pop(gone, None)


def complete(state: State, services: Pair[HooksService], known: State | None = None) -> None:
    """Give a state of the older form, with `ids` and `objs` only, the bases of the other side.

    There both sides had the same values when a base was made. With `known`, the state of a moment ago,
    the same goes for a Notion base that has moved while the other one has not.
    """
    attrs = tuple(zip(services.notion.attrs, services.other.attrs, strict=True))
    for notion_id, other_id in state.ids.items():
        there = state.other_objs.get(other_id)
        if there is not None and known is None:
            continue
        base, old, old_other = state.objs.get(notion_id, NOTHING), NOTHING, None
        if known is not None and known.ids.get(notion_id) == other_id:
            old, old_other = known.objs.get(notion_id, NOTHING), known.other_objs.get(other_id)
        if there is not None and (there != old_other or base == old):
            continue
        moved = {o: base[n] for n, o in attrs if n in base and (n not in old or base[n] != old[n])}
        state.other_objs[other_id] = {**(there or {}), **moved}


def by_text(objs: Objects | None) -> Objects | None:
    """The objects by ids as text: clients with numbers for ids give them as they come."""
    if objs is None or all(isinstance(record_id, str) for record_id in objs):
        return objs
    return {str(record_id): obj for record_id, obj in objs.items()}


def _ids_as_text(state: State) -> None:
    """Likewise the ids that an overridden step put into a state."""
    if all(isinstance(i, str) for link in state.links() for i in link):
        return
    state.ids = {str(notion_id): str(other_id) for notion_id, other_id in state.links()}
    state.objs = {str(record_id): base for record_id, base in state.objs.items()}
    state.other_objs = {str(record_id): base for record_id, base in state.other_objs.items()}


def copied(state: State, *, bases: bool = True) -> State:
    """A copy that can be changed without touching the original.

    Without `bases` it shares them, which is enough for us: we replace bases and never change them.
    """
    objs, other_objs = dict(state.objs), dict(state.other_objs)
    if bases:
        objs = {record_id: dict(base) for record_id, base in objs.items()}
        other_objs = {record_id: dict(base) for record_id, base in other_objs.items()}
    return state.model_copy(
        update={
            "ids": dict(state.ids),
            "objs": objs,
            "other_objs": other_objs,
            "setup": dict(state.setup),
            **{part: _copied(getattr(state, part)) for part in _BESIDE_LINKS},
        }
    )


_BESIDE_LINKS = ("pending", "unlinked", "held", "decisions", "trails", "quarantine", "paused")


def _copied(known: dict[Any, Any]) -> dict[Any, Any]:
    """A copy down to single records; what is known of one is replaced, never changed."""
    return {name: one.copy() if isinstance(one, dict | set) else one for name, one in known.items()}


def _given(service: HooksService, objs: Objects | None, state: State, report: Report) -> Listing:
    if objs is None:
        if not state.pending.get(service.side):
            return Listing({}, complete=False)
        report.count_call(service.side)
        fetched = service.fetch()
    else:
        fetched = service.take(objs.items())
    failures = tuple(Failure(service.side, i, reason) for i, reason in fetched.unreadable.items())
    report.failures.extend(failures)
    return Listing({r.id: r for r in fetched.records}, fetched.complete, failures)


def _link(state: State, notion_id: ID, other_id: ID) -> tuple[ID, Fields, Fields]:
    return other_id, state.objs.get(notion_id, NOTHING), state.other_objs.get(other_id, NOTHING)


def _concerns(operation: Operation, objs: Pair[Objects | None]) -> bool:
    for side in Side:
        record, given = operation.records[side], objs[side]
        if record is not None and given is not None and record.id not in given:
            return False
    return True
