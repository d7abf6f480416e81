"""`PublicSteps`: the steps of a `SyncTask` that subclasses override or call, and a plan's way through them.

    carry_out ─> sync ─> initial_sync                                    on the first run
                      └> sync_notion_deleted, sync_other_deleted,
                         sync_state_changes                              on every other
                      └> sync_notion_created, sync_other_created
    resolve_conflict decides one attribute, from within any of them

Within a run each step carries out its part of that run's plan. A step that is called by itself makes a plan
of its own from the objects it is given.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from sync_workers.engine.resolve import verdict
from sync_workers.engine.rules import Rules
from sync_workers.errors import ConflictError, RejectedError
from sync_workers.hooks import Hooks
from sync_workers.model import Conflict, ConflictMode, Pair, Part, Record, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.steps import Objects, Steps, by_text, copied
from sync_workers.services.base import Service
from sync_workers.services.hooks import HooksService
from sync_workers.state import State
from sync_workers.values import is_unset, same

_Step = TypeVar("_Step", bound=Callable[..., Any])

STEPS = (
    "initial_sync",
    "sync_notion_deleted",
    "sync_other_deleted",
    "sync_state_changes",
    "sync_notion_created",
    "sync_other_created",
)
"""The steps that change the state, in their order."""

_OURS: set[object] = set()


def public_step(function: _Step) -> _Step:
    """Mark a method of ours that subclasses may override, so that an overridden one is noticed."""
    _OURS.add(function)
    return function


class PublicSteps(Hooks):
    """The public steps. What they need of the task they take from it when they are called."""

    name: str
    attr_map: dict[str, str]
    conflict_mode: ConflictMode
    report: Report

    def __init__(self) -> None:
        self._steps: Steps | None = None
        self._deciding = False
        super().__init__()

    @property
    @abstractmethod
    def sync_rules(self) -> Rules:
        """The task as the engine sees it."""

    @abstractmethod
    def sync(self, state: State | None) -> State:
        """Get, diff and apply."""

    # --- to override or to call ---

    @public_step
    def initial_sync(self, notion_objs: Objects, other_objs: Objects) -> State:
        """Link the objects of both sides that belong together, and settle how they differ."""
        state = self._steps.application.state if self._steps is not None else State()
        return self._part(Part.MATCHED, state, notion_objs, other_objs)

    @public_step
    def sync_notion_deleted(self, state: State, notion_objs: Objects, other_objs: Objects) -> State:
        """Carry over what was deleted in Notion."""
        return self._part(Part.NOTION_DELETED, state, notion_objs, other_objs)

    @public_step
    def sync_other_deleted(self, state: State, notion_objs: Objects, other_objs: Objects) -> State:
        """Carry over what was deleted in the other service."""
        return self._part(Part.OTHER_DELETED, state, notion_objs, other_objs)

    @public_step
    def sync_state_changes(self, state: State, notion_objs: Objects, other_objs: Objects) -> State:
        """Carry over what was edited on either side since its base."""
        return self._part(Part.CHANGED, state, notion_objs, other_objs)

    @public_step
    def sync_notion_created(self, state: State, notion_objs: Objects) -> State:
        """Make the other object of each Notion object that has none."""
        return self._part(Part.NOTION_CREATED, state, notion_objs, None)

    @public_step
    def sync_other_created(self, state: State, other_objs: Objects) -> State:
        """Make the Notion object of each other object that has none."""
        return self._part(Part.OTHER_CREATED, state, None, other_objs)

    @public_step
    def resolve_conflict(self, notion_obj: Any, other_obj: Any, notion_attr: str, other_attr: str) -> Any:
        """Decide one attribute that both sides changed: write it where it lost and return what won.

        A subclass may write, or only return a value: what differs afterwards is written, in one call
        together with what else changed. All attributes of one record have one winner in a run.

        Raises:
            ConflictError: the mode is `error`; the attribute stays as it is on both sides.
        """
        services = self._steps.services if self._steps is not None else self.hooks_services()
        objs, attrs = Pair(notion_obj, other_obj), Pair(notion_attr, other_attr)
        records = Pair.each(lambda side: services[side].record(objs[side]))
        values = Pair.each(lambda side: records[side].fields[attrs[side]])
        winner = self._winner(records)
        if winner is None:
            ids = Pair(records.notion.id, records.other.id)
            raise ConflictError([Conflict(ids, attrs, values)])
        if not self._deciding:  # nobody writes what differs afterwards
            loser = winner.opposite
            services[loser].write(objs[loser], {attrs[loser]: values[winner]})
        return values[winner]

    # --- how a plan goes through them ---

    def carry_out(self, application: Application) -> None:
        """Carry out a plan through `sync` and the other public steps, so that overridden ones are used."""
        services = Pair.each(lambda side: _hooks_of(application.services[side]))
        for side in Side:
            if not services[side].listed:  # another process made the plan: the live objects are needed
                application.report.count_call(side)
                services[side].fetch()
        known = application.state
        with self.stepping(Steps(application, services)) as steps:
            self._step(steps, "sync", known if known.ids else None)

    @contextmanager
    def stepping(self, steps: Steps) -> Iterator[Steps]:
        """Let the public steps work on this plan."""
        self._steps = steps
        steps.application.resolve = partial(self._resolved, steps)
        try:
            yield steps
            steps.reread()
        finally:
            self._steps = None

    def all_steps(self, steps: Steps, state: State | None) -> State:
        """All parts of a plan in their order; without a state as a first run."""
        if not steps.application.plan.operations and not self.is_overridden(*STEPS):
            return steps.absorb(steps.application.state if state is None else state)
        objs = Pair.each(lambda side: dict(steps.services[side].objects))
        if state is None:
            state = self._step(steps, "initial_sync", objs.notion, objs.other)
        else:
            for name in STEPS[1:4]:
                state = self._step(steps, name, state, objs.notion, objs.other)
            state = steps.run(Part.MATCHED, state, objs)
        state = self._step(steps, "sync_notion_created", state, objs.notion)
        return self._step(steps, "sync_other_created", state, objs.other)

    def _step(self, steps: Steps, name: str, *args: Any) -> State:
        """Call a public step; an overridden one may change the state as it likes, which is stored, too."""
        step: Callable[..., State | None] = getattr(self, name)
        if not self.is_overridden(name):
            return step(*args) or steps.application.state
        before, result = copied(steps.application.state), None
        try:
            result = step(*args)
        finally:  # what was done before it raised is done all the same
            steps.absorb(result or steps.application.state, before)
        return steps.application.state

    def is_overridden(self, *names: str) -> bool:
        """Whether any of these public steps is not ours any more."""
        return any(getattr(getattr(self, name), "__func__", None) not in _OURS for name in names)

    def hooks_services(self) -> Pair[HooksService]:
        """Both sides' hooks as services."""
        mode = ConflictMode(self.conflict_mode)
        attrs = Pair(list(self.attr_map), list(self.attr_map.values()))
        services = Pair.each(lambda side: HooksService(self, side, attrs[side], mode))
        for side in Side:
            services[side].opposite = services[side.opposite]
        return services

    def _part(
        self, part: Part, state: State, notion_objs: Objects | None, other_objs: Objects | None
    ) -> State:
        """One part of the plan of this run, or, for a step that is called by itself, of its own plan."""
        objs = Pair(by_text(notion_objs), by_text(other_objs))
        if self._steps is not None:
            return self._steps.run(part, state, objs)
        steps = Steps.over(self.name, self.sync_rules, self.hooks_services(), part, state, objs)
        self.report = steps.application.report
        with self.stepping(steps):
            result = steps.run(part, state, objs)
        steps.finish()
        return result

    def _winner(self, records: Pair[Record]) -> Side | None:
        """Who wins the conflicts of this record, in a run decided once for all its attributes."""
        known = self._steps.winners if self._steps is not None else {}
        ids = Pair(records.notion.id, records.other.id)
        if ids not in known:
            known[ids] = verdict(ConflictMode(self.conflict_mode), records, self.sync_rules).winner
        return known[ids]

    def _resolved(self, steps: Steps, conflict: Conflict) -> Any:
        """What an overridden `resolve_conflict` says; the conflict itself when a person has to decide.

        Raises:
            RejectedError: it says nothing, or something that cannot be kept.
            UnknownOutcomeError: it raised, and may have written before.
        """
        services, attrs = steps.services, conflict.attrs
        objs = Pair.each(lambda side: services[side].objects[conflict.ids[side]])
        self._deciding = True
        try:
            said = services.notion.call("resolve_conflict", self._ask, conflict, objs)
        finally:
            self._deciding = False
        if said is conflict:
            return conflict
        shown = Pair.each(lambda side: services[side].record(objs[side]).fields[attrs[side]])
        if same(shown.notion, shown.other):  # it wrote them equal, whatever it returned
            return shown.notion
        if said is None and not any(is_unset(conflict.values[side]) for side in Side):
            msg = f"resolve_conflict returned nothing for {attrs.notion!r}: return the value that wins"
            raise RejectedError(msg)
        return services.notion.values.stored(attrs.notion, said)

    def _ask(self, conflict: Conflict, objs: Pair[Any]) -> Any:
        attrs = conflict.attrs
        try:
            return self.resolve_conflict(objs.notion, objs.other, attrs.notion, attrs.other)
        except ConflictError:
            return conflict


def _hooks_of(service: Service) -> HooksService:
    if not isinstance(service, HooksService):
        msg = f"a SyncTask runs on its hooks, not on {type(service).__name__}"
        raise TypeError(msg)
    return service
