"""`SyncTask`: a sync between Notion and another service as a class with hooks, and the registry of tasks.

The interface is that of the `sync` module people know from a Notion client: change the import and
keep the subclass. What happens underneath is the engine that configured tasks use, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Self

from sync_workers.engine.resolve import verdict
from sync_workers.engine.rules import AmbiguousPolicy, DeletePolicy, FieldRule, Limits, Rules
from sync_workers.errors import ConflictError, SettingsError
from sync_workers.hooks import Hooks
from sync_workers.model import Conflict, ConflictMode, Pair, Part, Side
from sync_workers.naming import task_name
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.diff import decide
from sync_workers.runs.get import get
from sync_workers.runs.steps import Objects, Steps, copied
from sync_workers.runs.store import Unstored
from sync_workers.scheduling import Scheduled
from sync_workers.services.base import Service
from sync_workers.services.hooks import HooksService
from sync_workers.state import State

all_tasks: set[SyncTask] = set()
"""All tasks that were registered by `SyncTask.schedule`."""


class SyncTask(Hooks, Scheduled):
    """A two-way sync of objects of Notion and of another service.

    Args:
        name: brought to lower case, blanks replaced by `-`; then `[a-z0-9][a-z0-9_-]{0,63}`.
        attr_map: maps Notion attributes to attributes of the other service.
        conflict_mode: who wins when both sides changed one attribute; also as text.

    Attributes:
        report: what the last run did: counts, `conflicts`, `failures` with record id and reason, calls.
        state_key: the prefix of the task's keys in Redis.
        limits: when a plan looks like an accident; a subclass may set its own.
        tie: who wins in mode `newer` when the times cannot tell.
        delete_policy: `propagate` or `unlink`; hooks offer no archive.
        ambiguous_policy: what happens to new records whose key is not unique.

    Raises:
        ValueError: the name or the mode is none, or two attributes map to one.
    """

    limits: Limits = Limits()
    tie: Side = Side.OTHER
    delete_policy: DeletePolicy = DeletePolicy.PROPAGATE
    ambiguous_policy: AmbiguousPolicy = AmbiguousPolicy.REPORT

    def __init__(
        self, name: str, attr_map: dict[str, str], conflict_mode: ConflictMode | str = ConflictMode.NEWER
    ) -> None:
        self.name = task_name(name)
        self.attr_map = dict(attr_map)
        self.conflict_mode = ConflictMode(conflict_mode)
        self.report = Report(self.name)
        self.finished = False
        self._steps: Steps | None = None
        if len(set(self.attr_map.values())) < len(self.attr_map):
            msg = f"task {self.name}: two Notion attributes map to one attribute of the other service"
            raise ValueError(msg)
        super().__init__()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def state_key(self) -> str:
        return f"sync:{{{self.name}}}"

    def schedule(self) -> Self:
        """Register the task, so that workers, beat and `run_all_tasks` know it.

        Raises:
            SettingsError: another task of that name is registered.
        """
        if any(task.name == self.name and task is not self for task in all_tasks):
            msg = f"there are two tasks with the name {self.name!r}: rename one of them"
            raise SettingsError(msg)
        self.finished = False
        all_tasks.add(self)
        return self

    def __await__(self) -> Generator[Any, None, None]:
        return self().__await__()

    async def __call__(self) -> None:
        """Run the task as it is scheduled, in this process, with state and lease in Redis."""
        from sync_workers.local import run_as_scheduled

        await run_as_scheduled(self)

    # --- one sync ---

    def sync(self, state: State | None = None) -> State:
        """Get, diff and apply in this process; needs no Redis. Returns the new state.

        Raises:
            GuardError: the plan looks like an accident; nothing was changed.
            ConflictError: conflicts in mode `error`; all else was applied, go on from `.state`.
            Exception: what a listing hook raised; nothing was changed.
        """
        self.report = Report(self.name, started=datetime.now(UTC))
        with self.services() as services:
            gathered = get(services, self.rules, self.report)
            plan = decide(self.rules, state, gathered, self.report)
            known = copied(state) if state is not None else State()
            application = Application(self.name, services, plan, known, Unstored(), self.report)
            self.carry_out(application, first=state is None)
        result = application.state
        result.setup = dict(gathered.setup)
        self.report.settle()
        self.report.finished = datetime.now(UTC)
        if self.report.held_conflicts:
            raise ConflictError(self.report.held_conflicts, result)
        return result

    @property
    def rules(self) -> Rules:
        """The task as the engine sees it."""
        return Rules(
            fields=tuple(FieldRule(Pair(notion, other)) for notion, other in self.attr_map.items()),
            mode=self.conflict_mode,
            tie=self.tie,
            delete=self.delete_policy,
            ambiguous=self.ambiguous_policy,
            limits=self.limits,
            task_resolves=type(self).resolve_conflict is not SyncTask.resolve_conflict,
        )

    @contextmanager
    def services(self) -> Iterator[Pair[HooksService]]:
        """Both sides' hooks as services."""
        yield self._services()

    def carry_out(self, application: Application, *, first: bool | None = None) -> None:
        """Carry out a plan through the public steps, so that overridden ones are used."""
        services = Pair.each(lambda side: _hooks_of(application.services[side]))
        for side in Side:
            if not services[side].listed:  # another process made the plan: the live objects are needed
                application.report.count_call(side)
                services[side].fetch()
        self._steps = steps = Steps(application, services)
        application.resolve = self._resolved
        try:
            self._all_steps(steps, first=not application.state.ids if first is None else first)
            for side in Side:
                application.correct(side, services[side].reread())
        finally:
            self._steps = None

    def _all_steps(self, steps: Steps, *, first: bool) -> None:
        objs = Pair.each(lambda side: dict(steps.services[side].objects))
        state = steps.application.state
        if first:
            state = self._step(steps, "initial_sync", state, objs.notion, objs.other)
        else:
            for name in ("sync_notion_deleted", "sync_other_deleted", "sync_state_changes"):
                state = self._step(steps, name, state, state, objs.notion, objs.other)
            state = steps.run(Part.MATCHED, state, objs)
        state = self._step(steps, "sync_notion_created", state, state, objs.notion)
        self._step(steps, "sync_other_created", state, state, objs.other)

    def _step(self, steps: Steps, name: str, state: State, *args: Any) -> State:
        """Call a public step; an overridden one may change the state as it likes, which is stored, too."""
        step = getattr(self, name)
        if getattr(type(self), name) is getattr(SyncTask, name):
            result: State = step(*args)
            return result
        before = copied(state)
        result = step(*args)
        steps.absorb(result, before)
        return result

    def _part(
        self, part: Part, state: State, notion_objs: Objects | None, other_objs: Objects | None
    ) -> State:
        """One part of the plan of this run, or, for a step that is called by itself, of its own plan."""
        objs = Pair(notion_objs, other_objs)
        if self._steps is not None:
            return self._steps.run(part, state, objs)
        steps = Steps.over(self.name, self.rules, self._services(), state, objs)
        self._steps, self.report = steps, steps.application.report
        steps.application.resolve = self._resolved
        try:
            return steps.run(part, state, objs)
        finally:
            self._steps = None

    def _services(self) -> Pair[HooksService]:
        timed = self.conflict_mode is ConflictMode.NEWER
        attrs = Pair(list(self.attr_map), list(self.attr_map.values()))
        return Pair.each(lambda side: HooksService(self, side, attrs[side], timed=timed))

    def _resolved(self, conflict: Conflict) -> Any:
        """What `resolve_conflict` says; the conflict itself when a person has to decide."""
        services = self._steps.services if self._steps is not None else self._services()
        objs = Pair.each(lambda side: services[side].objects[conflict.ids[side]])
        try:
            return services.notion.call(
                "resolve_conflict", self.resolve_conflict, *_flat(objs, conflict.attrs)
            )
        except ConflictError:
            return conflict

    # --- the public steps ---

    def initial_sync(self, notion_objs: Objects, other_objs: Objects) -> State:
        """Link the objects of both sides that belong together, and settle how they differ."""
        state = self._steps.application.state if self._steps is not None else State()
        return self._part(Part.MATCHED, state, notion_objs, other_objs)

    def sync_notion_deleted(self, state: State, notion_objs: Objects, other_objs: Objects) -> State:
        """Carry over what was deleted in Notion."""
        return self._part(Part.NOTION_DELETED, state, notion_objs, other_objs)

    def sync_other_deleted(self, state: State, notion_objs: Objects, other_objs: Objects) -> State:
        """Carry over what was deleted in the other service."""
        return self._part(Part.OTHER_DELETED, state, notion_objs, other_objs)

    def sync_state_changes(self, state: State, notion_objs: Objects, other_objs: Objects) -> State:
        """Carry over what was edited on either side since its base."""
        return self._part(Part.CHANGED, state, notion_objs, other_objs)

    def sync_notion_created(self, state: State, notion_objs: Objects) -> State:
        """Make the other object of each Notion object that has none."""
        return self._part(Part.NOTION_CREATED, state, notion_objs, None)

    def sync_other_created(self, state: State, other_objs: Objects) -> State:
        """Make the Notion object of each other object that has none."""
        return self._part(Part.OTHER_CREATED, state, None, other_objs)

    def resolve_conflict(self, notion_obj: Any, other_obj: Any, notion_attr: str, other_attr: str) -> Any:
        """Decide one attribute that both sides changed: write it where it lost and return what won.

        A subclass may write, or only return a value: what differs afterwards is written.

        Raises:
            ConflictError: the mode is `error`; the attribute stays as it is on both sides.
        """
        services = self._steps.services if self._steps is not None else self._services()
        objs, attrs = Pair(notion_obj, other_obj), Pair(notion_attr, other_attr)
        records = Pair.each(lambda side: services[side].record(objs[side]))
        values = Pair.each(lambda side: records[side].fields[attrs[side]])
        winner = verdict(self.conflict_mode, records, self.rules).winner
        if winner is None:
            ids = Pair(records.notion.id, records.other.id)
            raise ConflictError([Conflict(ids, attrs, values)])
        loser = winner.opposite
        services[loser].hook("update_attrs")(objs[loser], {attrs[loser]: values[winner]})
        return values[winner]


def _hooks_of(service: Service) -> HooksService:
    if not isinstance(service, HooksService):
        msg = f"a SyncTask runs on its hooks, not on {type(service).__name__}"
        raise TypeError(msg)
    return service


def _flat(objs: Pair[Any], attrs: Pair[str]) -> tuple[Any, Any, str, str]:
    return objs.notion, objs.other, attrs.notion, attrs.other


def run_all_tasks(*, debug: bool | None = None) -> None:
    """Run all registered tasks in this process as they are scheduled, until all have ended.

    They run at the same time, each in a thread of its own, with state and lease in Redis. A run that
    fails is logged and stops no other task; a task that has run as often as it should is left out.
    """
    from sync_workers.local import run_all

    asyncio.run(run_all([task for task in all_tasks if not task.finished]), debug=debug)
