"""`Steps`: the public steps of a `SyncTask` around one plan, so that subclasses can override or call each.

A step carries out its part of the plan, restricted to the objects it was given. What an overridden
step did to the state itself is found by comparing, and stored like everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from sync_workers.engine.diff import diff
from sync_workers.engine.rules import Rules
from sync_workers.model import ID, Action, Listing, Operation, Pair, Part, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.store import Unstored
from sync_workers.services.hooks import HooksService
from sync_workers.state import Change, State

Objects = Mapping[ID, Any]


@dataclass(slots=True)
class Steps:
    """One plan of a `SyncTask` being carried out step by step."""

    application: Application
    services: Pair[HooksService]

    @classmethod
    def over(
        cls, task: str, rules: Rules, services: Pair[HooksService], state: State, objs: Pair[Objects | None]
    ) -> Steps:
        """For a step that is called by itself: a plan made from what it was given; None is unknown."""
        fetched = Pair.each(lambda side: services[side].take(enumerate((objs[side] or {}).values())))
        snapshot = Pair.each(
            lambda side: Listing({r.id: r for r in fetched[side].records}, complete=objs[side] is not None)
        )
        plan = diff(rules, state, snapshot)
        report = Report(task, conflicts=[c for c in plan.conflicts if not c.held])
        application = Application(task, services, plan, state, Unstored(), report)
        return cls(application, services)

    def run(self, part: Part, state: State, objs: Pair[Objects | None]) -> State:
        """Carry out one part for the given objects and go on from `state`."""
        self.absorb(state)
        self.application.run(part, lambda operation: _concerns(operation, objs))
        for operation in self.application.plan:
            if operation.part is part and operation.action is Action.DELETE:
                self._drop_deleted(operation, objs)
        return self.application.state

    def absorb(self, state: State, before: State | None = None) -> None:
        """Take over a state that a subclass changed or made itself, and store the difference."""
        known = before or self.application.state
        if state is known:
            return
        links: dict[ID, tuple[ID, Mapping[str, Any], Mapping[str, Any]] | None] = {
            notion_id: None for notion_id in known.ids if notion_id not in state.ids
        }
        for notion_id, other_id in state.links():
            link = (other_id, state.objs.get(notion_id, {}), state.other_objs.get(other_id, {}))
            old_id = known.ids.get(notion_id)
            if link != (old_id, known.objs.get(notion_id, {}), known.other_objs.get(old_id or "", {})):
                links[notion_id] = link
        if links:
            self.application.store.commit(None, Change(links=links))
        self.application.state = state

    def _drop_deleted(self, operation: Operation, objs: Pair[Objects | None]) -> None:
        """Later steps shall not meet an object that is deleted by now."""
        gone, mine = operation.ids[operation.side], objs[operation.side]
        if gone not in self.services[operation.side].objects and isinstance(mine, MutableMapping):
            mine.pop(gone, None)


def copied(state: State) -> State:
    """A copy whose dicts can be changed without touching the original; bases are replaced, never changed."""
    return state.model_copy(
        update={
            "ids": dict(state.ids),
            "objs": dict(state.objs),
            "other_objs": dict(state.other_objs),
            "pending": {side: dict(waiting) for side, waiting in state.pending.items()},
            "unlinked": {side: set(ids) for side, ids in state.unlinked.items()},
            "setup": dict(state.setup),
        }
    )


def _concerns(operation: Operation, objs: Pair[Objects | None]) -> bool:
    for side in Side:
        record, given = operation.records[side], objs[side]
        if record is not None and given is not None and record.id not in given:
            return False
    return True
