"""Runs in the caller's own process, with state and lease in Redis, beside any workers that may run."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import math
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sync_workers.errors import GuardError, SyncError
from sync_workers.model import Plan
from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.connect import Client, check, connect
from sync_workers.redis.links import related
from sync_workers.redis.state_store import load, load_setup
from sync_workers.report import Outcome, Report, Trigger
from sync_workers.runs.calls import Calls, confirmed
from sync_workers.runs.diff import decide
from sync_workers.runs.get import Gathered, get
from sync_workers.runs.reading import Wish
from sync_workers.runs.refused import keeping_refused
from sync_workers.runs.task import Task
from sync_workers.settings import load_settings
from sync_workers.state import State
from sync_workers.task import SyncTask
from sync_workers.turn import Choice, Progress, Turn, carry, take_turn

_log = logging.getLogger(__name__)


def plan_of(task: Task, client: Client, *, full: bool = False) -> tuple[Plan, Report, tuple[str, ...]]:
    """What a run would do now, and why a guard would refuse it; reads both sides and changes nothing."""
    report = Report(task.name, started=datetime.now(UTC))
    known = load_setup(client, task.name)
    with task.sync_services(RedisBudget(client, task.name, Trigger.LOCAL), known) as services:
        gathered = get(services, task.sync_rules, report, wish=Wish(full=full), known=known)
        reasons: tuple[str, ...] = ()
        try:
            state = load(client, task.name)
            links = related(client, task.sync_rules, task.name)
            plan = decide(task.sync_rules, state, gathered, report, now=report.started, links=links)
        except GuardError as refused:
            plan, reasons = refused.plan, refused.reasons
        return confirmed(plan, Calls(services, report, {})), report, reasons


def run_here(
    task: Task,
    client: Client,
    *,
    full: bool = False,
    accept_guards: bool = False,
    asked: bool = True,
    progress: Progress | None = None,
) -> Report:
    """Run a task once in this process; the report says how it ended.

    `asked`: a person wants this run; a task that a service's failure has paused is tried then only.

    Raises:
        GuardError: the plan looks like an accident; nothing was changed, and it is kept.
        ConflictError: conflicts wait for a person; all else was applied and stored.
        SyncError: the set-up, the store or a service as a whole failed.
        Exception: what a listing hook raised; nothing was changed.
    """

    def choose(turn: Turn, state: State | None, gathered: Gathered) -> Choice:
        rules, report, now = task.sync_rules, turn.report, datetime.now(UTC)
        with keeping_refused(state, gathered, turn.keep):
            links = related(turn.client, rules, task.name)
            plan = decide(rules, state, gathered, report, accept_guards=accept_guards, now=now, links=links)
        return Choice(plan, gathered.setup)

    return take_turn(
        task, client, Trigger.LOCAL, lambda turn: carry(turn, choose, progress), full=full, asked=asked
    )


class Clock:
    """The time that the waiting between two runs goes by."""

    def now(self) -> float:
        """Seconds that only ever grow."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def run_as_scheduled(
    task: SyncTask, client: Client | None = None, *, clock: Clock | None = None, pool: Executor | None = None
) -> None:
    """Run a task at its interval, from start to start without drift, until it has run often enough.

    A run that is late does not make up for the ticks it missed, and a tick at which another process
    runs the task, or at which it is paused, is skipped and does not count. A run that fails is logged and
    the next one goes on; what the last one raises is raised. A run that has begun comes to its end even
    when this is cancelled.
    """
    if task.sync_ended and task.sync_timing.in_total is not None:
        return
    with ExitStack() as stack:
        if client is None:
            client = stack.enter_context(closing(_connected()))
        if pool is None:
            pool = stack.enter_context(ThreadPoolExecutor(1, f"task {task.name}"))
        await _ticks(task, partial(_in_thread, pool, run_here, task, client), clock or Clock())


async def _ticks(task: SyncTask, run: Callable[..., Awaitable[Report]], clock: Clock) -> None:
    timing, runs, tick, begun, asked = task.sync_timing, 0, 0, clock.now(), True
    while True:
        is_last = timing.every is None if timing.in_total is None else runs + 1 >= timing.in_total
        try:
            has_run = (await run(asked=asked)).outcome not in {Outcome.DROPPED, Outcome.PAUSED}
        except Exception as error:
            has_run = True
            if is_last:
                task.sync_ended = True
                raise
            tell_failure(task, error)
        if not has_run:
            # Of a pause a person was told once, when it began or when they asked.
            is_known = task.report.outcome is Outcome.PAUSED and not asked
            level = logging.DEBUG if is_known else logging.WARNING
            _log.log(level, "task %s: %s", task.name, task.report.reason, extra=_named(task))
        runs, asked = runs + has_run, False
        if is_last and has_run:
            task.sync_ended = True
            return
        if timing.every is None:
            if not has_run:
                return
            continue
        period = timing.every.total_seconds()
        tick = max(tick + 1, math.floor((clock.now() - begun) / period) + 1)
        await clock.sleep(max(0.0, begun + tick * period - clock.now()))


async def _in_thread(pool: Executor, work: Callable[..., Report], *args: Any, **how: Any) -> Report:
    context = contextvars.copy_context()  # a client's session may live there
    return await asyncio.get_running_loop().run_in_executor(pool, partial(context.run, work, *args, **how))


async def run_all(tasks: Iterable[SyncTask], *, clock: Clock | None = None) -> None:
    """Run tasks as they are scheduled, at the same time; one that fails is logged and stops no other.

    Raises:
        StateError: Redis cannot be used; nothing was run.
    """
    waiting = list(tasks)
    if not waiting:
        _log.warning("no task is registered, or all have run as often as they should: call .schedule()")
        return
    with closing(_connected()) as client, ThreadPoolExecutor(len(waiting), "task") as pool:
        ended = await asyncio.gather(
            *(run_as_scheduled(task, client, clock=clock, pool=pool) for task in waiting),
            return_exceptions=True,
        )
    for task, error in zip(waiting, ended, strict=True):
        if isinstance(error, Exception):
            tell_failure(task, error)


def tell_failure(task: SyncTask, error: Exception) -> None:
    """Log why a run failed. An exception of a hook may quote field values: only its place is told."""
    if isinstance(error, SyncError):
        _log.error("task %s: %s", task.name, error, extra=_named(task))
        return
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error("task %s failed: %s at\n%s", task.name, type(error).__name__, where, extra=_named(task))


def _named(task: SyncTask) -> dict[str, str]:
    return {"task": task.name, "run": task.report.run, "action": "run"}


def _connected() -> Client:
    client = connect(load_settings().redis_url)
    check(client)
    return client
