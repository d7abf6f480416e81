"""Runs in the caller's own process, with state and lease in Redis, beside any workers that may run.

Imports Celery only when another process asked for a run meanwhile, which is then handed to the workers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from sync_workers.errors import ConflictError, GuardError, LeaseLostError, SyncError
from sync_workers.model import Plan
from sync_workers.redis.connect import Client, check, connect
from sync_workers.redis.lease import Held, Lease, Taken
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.redis.state_store import RedisStore, load
from sync_workers.report import Outcome, Report, Trigger
from sync_workers.runs.apply import Application
from sync_workers.runs.diff import decide
from sync_workers.runs.finish import fail, finish
from sync_workers.runs.get import get
from sync_workers.runs.mirrors import KeptMirrors
from sync_workers.runs.task import Task
from sync_workers.settings import load_settings
from sync_workers.state import State
from sync_workers.task import SyncTask

_log = logging.getLogger(__name__)


def plan_of(task: Task, client: Client, *, full: bool = False) -> tuple[Plan, Report, tuple[str, ...]]:
    """What a run would do now, and why a guard would refuse it; reads both sides and changes nothing."""
    report = Report(task.name, started=datetime.now(UTC))
    with task.services() as services:
        gathered = get(services, task.rules, report, full=full)
    try:
        return decide(task.rules, load(client, task.name), gathered, report), report, ()
    except GuardError as refused:
        return refused.plan, report, refused.reasons


def run_here(
    task: Task,
    client: Client,
    *,
    full: bool = False,
    accept_guards: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Run a task once in this process; the report says how it ended.

    Raises:
        GuardError: the plan looks like an accident; nothing was changed.
        ConflictError: conflicts wait for a person; all else was applied and stored.
        SyncError: the set-up, the store or a service as a whole failed.
        Exception: what a listing hook raised; nothing was changed.
    """
    run = new_run_id()
    task.report = report = Report(task.name, run, started=datetime.now(UTC))
    lease = Lease(client, task.name, run)
    taken = lease.take(Trigger.LOCAL, first=True, full=full)
    if not isinstance(taken, Taken):
        by = f" (run {taken.by})" if isinstance(taken, Held) else ""
        fail(report, Outcome.DROPPED, f"another run works on this task{by}: try again when it has ended")
        return report
    store = RedisStore(client, task.name, run, taken.fence)
    try:
        with lease:
            _run(
                task,
                lease,
                store,
                report,
                client,
                full=taken.full,
                accept_guards=accept_guards,
                progress=progress,
            )
    except GuardError as error:
        fail(report, Outcome.REFUSED, str(error))
        raise
    except Exception as error:
        fail(report, Outcome.FAILED, str(error) if isinstance(error, SyncError) else type(error).__name__)
        raise
    finally:
        _end(lease, report)
    if report.held_conflicts:
        raise ConflictError(report.held_conflicts, store.load())
    return report


def _run(
    task: Task,
    lease: Lease,
    store: RedisStore,
    report: Report,
    client: Client,
    *,
    full: bool,
    accept_guards: bool,
    progress: Callable[[int, int], None] | None,
) -> None:
    mirrors = KeptMirrors(RunsStore(client, task.name), lease.run, lease.fence)
    with task.services() as services:
        gathered = get(services, task.rules, report, mirrors=mirrors, full=full)
        state = store.load()
        plan = decide(task.rules, state, gathered, report, accept_guards=accept_guards)
        known = state or State()
        application = Application(task.name, services, plan, known, store, report, progress=progress)
        application.stop = lambda: (
            lease.check() is not None
        )  # raises as soon as the lease is known to be lost
        task.carry_out(application)
        finish(report, store, application.state, gathered)


def _lost(lease: Lease) -> bool:
    """Never stops a run, but raises as soon as the lease is known to have gone."""
    lease.check()
    return False


def _end(lease: Lease, report: Report) -> None:
    try:
        following = lease.end(report.summary())
    except LeaseLostError:
        return  # whoever has it now writes its own report
    if following is not None:
        from sync_workers.worker.enqueue import start

        start(report.task, following.run, full=following.full)


async def run_as_scheduled(task: SyncTask, client: Client | None = None) -> None:
    """Run a task at its interval, from start to start without drift, until it has run often enough.

    A run that is late does not make up for the ticks it missed. A failed run is logged and the next
    one goes on; what the last run raised is raised.
    """
    own = client or _connected()
    timing = task.timing
    runs, begun = 0, time.monotonic()
    try:
        while True:
            runs += 1
            last = runs == timing.in_total if timing.in_total is not None else timing.every is None
            try:
                await asyncio.to_thread(run_here, task, own)
            except Exception:
                if last:
                    raise
                _log.exception("task %s failed; its next run goes on", task.name, extra={"task": task.name})
            if last:
                return
            if timing.every is not None:
                period = timing.every.total_seconds()
                missed = (time.monotonic() - begun) // period
                await asyncio.sleep(begun + (missed + 1) * period - time.monotonic())
    finally:
        task.finished = True
        if client is None:
            own.close()


async def run_all(tasks: Iterable[SyncTask]) -> None:
    """Run tasks as they are scheduled, at the same time; one that fails is logged and stops no other."""
    waiting = list(tasks)
    if not waiting:
        _log.warning("no task is registered, or all have run as often as they should: call .schedule()")
        return
    client = _connected()
    try:
        ended = await asyncio.gather(
            *(run_as_scheduled(task, client) for task in waiting), return_exceptions=True
        )
    finally:
        client.close()
    for task, error in zip(waiting, ended, strict=True):
        if isinstance(error, Exception):
            _log.error("task %s failed", task.name, exc_info=error, extra={"task": task.name})


def _connected() -> Client:
    client = connect(load_settings().redis_url)
    check(client)
    return client
