"""`SyncTask`: a sync between Notion and another service as a class with hooks, and the registry of tasks.

The interface is that of the `sync` module people know from a Notion client: change the import and
keep the subclass. What happens underneath is the engine that configured tasks use, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Self

from sync_workers.engine.rules import (
    AmbiguousPolicy,
    DeletePolicy,
    FieldRule,
    Limits,
    OutOfScopePolicy,
    Rules,
)
from sync_workers.errors import ConflictError, GuardError, SettingsError
from sync_workers.model import NOTHING, ConflictMode, Listing, Pair, Side
from sync_workers.naming import task_name
from sync_workers.public_steps import STEPS, PublicSteps, public_step
from sync_workers.report import Outcome, Report
from sync_workers.runs.apply import Application
from sync_workers.runs.diff import decide
from sync_workers.runs.finish import fail, finish
from sync_workers.runs.get import get, spent
from sync_workers.runs.setup import digest
from sync_workers.runs.steps import Steps, complete, copied
from sync_workers.runs.store import Unstored
from sync_workers.scheduling import Scheduled
from sync_workers.services.budget import Budget
from sync_workers.services.hooks import HooksService
from sync_workers.state import State

all_tasks: set[SyncTask] = set()
"""All tasks that were registered by `SyncTask.schedule`."""


class SyncTask(PublicSteps, Scheduled):
    """A two-way sync of objects of Notion and of another service.

    Args:
        name: brought to lower case, blanks replaced by `-`; then `[a-z0-9][a-z0-9_-]{0,63}`.
        attr_map: maps Notion attributes to attributes of the other service.
        conflict_mode: who wins when both sides changed one attribute; also as text.

    Attributes:
        report: what the last run did: counts, `conflicts`, `failures` with record id and reason, calls.
        state_key: the prefix of the task's keys in Redis.
        guard_limits: when a plan looks like an accident; a subclass may set its own.
        accept_guards: carry out a plan that a guard refused; for the one sync that is meant like this.
        tie: who wins in mode `newer` when the times cannot tell.
        delete_policy: `propagate`, `unlink` or `ignore`, since hooks offer no archive; or a `Pair` of them
            by the side that the policy writes.
        out_of_scope_policy: what happens to an object whose counterpart is there, but not for this task.
        ambiguous_policy: what happens to new records whose key is not unique.
        sync_connections: names of connections; while a person has paused one of them, the task does not run.
        sync_tenant: whose share of the workers the task uses; see `sync_workers.naming.tenant_name`.
        loop_limit: so many times the sides may answer each other's writes of one attribute; 0 for any number.

    Raises:
        ValueError: the name or the mode is none, or two attributes map to one.
    """

    guard_limits: Limits = Limits()
    accept_guards: bool = False
    tie: Side = Side.OTHER
    delete_policy: DeletePolicy | Pair[DeletePolicy] = DeletePolicy.PROPAGATE
    out_of_scope_policy: OutOfScopePolicy = OutOfScopePolicy.WAIT
    ambiguous_policy: AmbiguousPolicy = AmbiguousPolicy.REPORT
    sync_connections: tuple[str, ...] = ()
    sync_tenant: str = ""
    loop_limit: int = 10

    def __init__(
        self, name: str, attr_map: dict[str, str], conflict_mode: ConflictMode | str = ConflictMode.NEWER
    ) -> None:
        self.name = task_name(name)
        self.attr_map = dict(attr_map)
        self.conflict_mode = ConflictMode(conflict_mode)
        self.report = Report(self.name)
        if len(set(self.attr_map.values())) < len(self.attr_map):
            msg = f"task {self.name}: two Notion attributes map to one attribute of the other service"
            raise ValueError(msg)
        super().__init__()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    @property
    def state_key(self) -> str:
        return f"sync:{{{self.name}}}"

    @property
    def sync_rules(self) -> Rules:
        return Rules(
            fields=tuple(FieldRule(Pair(notion, other)) for notion, other in self.attr_map.items()),
            mode=ConflictMode(self.conflict_mode),
            tie=self.tie,
            delete=DeletePolicy.each_way(self.delete_policy),
            out_of_scope=self.out_of_scope_policy,
            ambiguous=self.ambiguous_policy,
            limits=self.guard_limits,
            loop_limit=self.loop_limit,
            task_resolves=self.is_overridden("resolve_conflict"),
        )

    @property
    def sync_setup(self) -> str:
        return digest(sorted(self.attr_map.items()))

    @property
    def keeps_to_plan(self) -> bool:
        return not self.is_overridden("sync", *STEPS)

    def schedule(self) -> Self:
        """Register the task, so that workers, beat and `run_all_tasks` know it.

        Raises:
            SettingsError: another task of that name is registered.
        """
        if any(task.name == self.name and task is not self for task in all_tasks):
            msg = f"there are two tasks with the name {self.name!r}: rename one of them"
            raise SettingsError(msg)
        self.sync_ended = False
        all_tasks.add(self)
        return self

    def __await__(self) -> Generator[Any, None, None]:
        return self().__await__()

    async def __call__(self) -> None:
        """Run the task as it is scheduled, in this process, with state and lease in Redis."""
        from sync_workers.local import run_as_scheduled

        await run_as_scheduled(self)

    @public_step
    def sync(self, state: State | None) -> State:
        """Get, diff and apply in this process; needs no Redis. Returns the new state.

        Raises:
            GuardError: the plan looks like an accident; nothing was changed.
            ConflictError: conflicts in mode `error`; all else was applied, go on from `.state`.
            Exception: what a listing hook raised; nothing was changed.
        """
        if self._steps is not None:  # get and diff are done, here or by other workers: this is apply
            return self.all_steps(self._steps, state)
        self.report = report = Report(self.name, started=datetime.now(UTC))
        try:
            result = self._synced(state, report)
        except GuardError as error:
            fail(report, Outcome.REFUSED, str(error))
            raise
        except Exception as error:
            fail(report, Outcome.FAILED, type(error).__name__)
            raise
        if report.held_conflicts:
            raise ConflictError(report.held_conflicts, result)
        return result

    def _synced(self, state: State | None, report: Report) -> State:
        services = self.hooks_services()
        known = copied(state, bases=False) if state is not None else State()
        complete(known, services)
        gathered = get(services, self.sync_rules, report)
        plan = decide(
            self.sync_rules, known, gathered, report, accept_guards=self.accept_guards, now=report.started
        )
        gathered = replace(gathered, snapshot=Pair(Listing({}), Listing({})))  # it is large and done with
        if self.is_overridden(*STEPS):
            known = copied(known)  # they may change bases in place
        store = Unstored()
        application = Application(self.name, services, plan, known, store, report)
        with spent(report, "apply"), self.stepping(Steps(application, services)) as steps:
            self.all_steps(steps, None if state is None else known)
        finish(report, store, application.state, gathered, plan, self.sync_rules)
        return application.state

    @contextmanager
    def sync_services(
        self, _budget: Budget | None = None, _known: Mapping[str, str] = NOTHING, /
    ) -> Iterator[Pair[HooksService]]:
        """Both sides' hooks as services; what they call, and how often, is theirs to know."""
        yield self.hooks_services()


def run_all_tasks(*, debug: bool | None = None) -> None:
    """Run all registered tasks in this process as they are scheduled, until all have ended.

    They run at the same time, each in a thread of its own, with state and lease in Redis. A run that
    fails is logged and stops no other task; a task that has run as often as it should is left out.
    """
    from sync_workers.local import run_all

    asyncio.run(run_all([task for task in all_tasks if not task.sync_ended]), debug=debug)
