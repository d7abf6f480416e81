"""`take_turn`: one run of a task in this process, with state and lease in Redis, from lease to report.

Imports Celery only when another process asked for a run meanwhile, which is then handed to the workers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeAlias

from sync_workers.ending import end_paused, end_run, note_failure, turn_away
from sync_workers.errors import (
    ConflictError,
    GuardError,
    LeaseLostError,
    MovedError,
    StateError,
    SyncError,
)
from sync_workers.model import ID, Operation, Plan, Side
from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.connect import Client
from sync_workers.redis.lease import Lease, Taken
from sync_workers.redis.pauses import Watch
from sync_workers.redis.plans_store import PlansStore
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.redis.state_store import RedisStore
from sync_workers.report import Outcome, Report, Trigger
from sync_workers.runs.apply import Application, SliceOverError
from sync_workers.runs.entries import settle_intents
from sync_workers.runs.finish import fail, finish
from sync_workers.runs.get import Gathered, get, spent
from sync_workers.runs.history import Kept
from sync_workers.runs.mirrors import KeptMirrors
from sync_workers.runs.reading import Wish
from sync_workers.runs.refused import RefusedPlan
from sync_workers.runs.task import Task
from sync_workers.settings import load_settings
from sync_workers.state import State

Progress: TypeAlias = Callable[[int, int], None]
"""Told after each operation how many are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A run in this process, which has the lease of its task."""

    task: Task
    client: Client
    lease: Lease
    store: RedisStore
    report: Report
    full: bool
    watch: Watch

    @property
    def budget(self) -> RedisBudget:
        """By which it calls the services; a person waits for it."""
        return RedisBudget(self.client, self.task.name, self.report.trigger, heed=self.lease.check)

    def is_stopped(self) -> bool:
        """Whether to end between two operations, since a person paused the task.

        Raises:
            LeaseLostError: the lease is known to have gone.
        """
        self.lease.check()
        return self.watch.is_paused()

    def keep(self, refused: RefusedPlan, reasons: Sequence[str]) -> ID:
        """Keep a refused plan for a person; gives its name."""
        plans = PlansStore(self.client, self.task.name)
        return plans.keep(self.lease, self.report.trigger, refused, reasons, datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Choice:
    """What a run carries out.

    Attributes:
        setup: the set-up that the state knows afterwards.
        beside: operations that were decided as well and are left for another run.
    """

    plan: Plan
    setup: Mapping[str, str]
    beside: tuple[Operation, ...] = ()


Choose: TypeAlias = Callable[[Turn, State | None, Gathered], Choice]


def take_turn(
    task: Task,
    client: Client,
    trigger: Trigger,
    work: Callable[[Turn], State],
    *,
    full: bool = False,
    asked: bool = True,
) -> Report:
    """Take the lease in this process, work, and store how that ended.

    `asked`: a person wants this run; a task that a service's failure has paused is tried then only.

    Raises:
        ConflictError: conflicts wait for a person; all else was done and stored.
        Exception: what the work raised.
    """
    run = new_run_id()
    task.report = report = Report(task.name, run, trigger, started=datetime.now(UTC))
    kept = Kept.by(load_settings())
    lease = Lease(client, task.name, run, connections=task.sync_connections, kept=kept)
    taken = lease.take(trigger, first=True, full=full, asked=asked)
    if not isinstance(taken, Taken):
        turn_away(report, taken)
        return report
    store = RedisStore(client, task.name, run, taken.fence, kept)
    try:
        with lease:
            watch = Watch(client, task.name, task.sync_connections)
            state = work(Turn(task, client, lease, store, report, taken.full, watch))
    except Exception as error:
        note_failure(task, report, error)
        _end_failed(task, lease, report, error)
        raise
    _end(task, lease, report)
    if report.held_conflicts and report.outcome is not Outcome.PAUSED:
        raise ConflictError(report.held_conflicts, state)
    return report


def carry(turn: Turn, choose: Choose, progress: Progress | None = None) -> State:
    """Read both sides, and carry out what is chosen."""
    task, store, report = turn.task, turn.store, turn.report
    runs = RunsStore(turn.client, task.name)
    runs.expect_rested()
    mirrors = KeptMirrors(runs, turn.lease.run, turn.lease.fence)
    known, wish = store.setup(), Wish(full=turn.full, now=datetime.now(UTC))
    with task.sync_services(turn.budget, known) as services:
        gathered = get(services, task.sync_rules, report, mirrors=mirrors, wish=wish, known=known)
        state = store.load()
        settle_intents(store, turn.lease.run, task.sync_rules, state, gathered.snapshot, gathered.fields)
        choice = choose(turn, state, gathered)
        with spent(report, "apply"):
            application = Application(
                task.name, services, choice.plan, state or State(), store, report,
                stop=turn.is_stopped, progress=progress, check=turn.lease.check,
            )  # fmt: skip
            for side in Side:
                application.writer.there[side].update(operation.ids[side] for operation in choice.beside)
            with suppress(SliceOverError):  # paused
                task.carry_out(application)
            if turn.watch.found is not None:
                end_paused(report, turn.watch.found)
            else:
                gathered = replace(gathered, setup=choice.setup)
                finish(report, store, application.state, gathered, choice.plan, task.sync_rules)
        return application.state


def _end_failed(task: Task, lease: Lease, report: Report, error: Exception) -> None:
    refused = isinstance(error, GuardError | MovedError)
    reason = str(error) if isinstance(error, SyncError) else type(error).__name__
    fail(report, Outcome.REFUSED if refused else Outcome.FAILED, reason)
    with suppress(StateError):  # what went wrong first is what the caller has to know
        _end(task, lease, report)


def _end(task: Task, lease: Lease, report: Report) -> None:
    try:
        following = end_run(lease, report)
    except LeaseLostError:
        return  # whoever has it now writes its own report
    if following is not None:
        from sync_workers.worker.enqueue import start

        start(
            task.name, following.run,
            full=following.full, looks=following.looks, tenant=task.sync_tenant,
        )  # fmt: skip
