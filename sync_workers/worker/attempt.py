"""One attempt of one phase of a run: it takes the lease, works, and says what becomes of the run.

Knows Redis, but nothing of Celery. Every error ends here: in the run's report, or in another attempt.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sync_workers import tracing
from sync_workers.ending import end_paused, end_run, note_failure
from sync_workers.errors import (
    GuardError,
    LaterError,
    LeaseLostError,
    NotYetError,
    OtherVersionError,
    RedisUnreachableError,
    StateError,
    SyncError,
)
from sync_workers.model import ID
from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.lease import BLOBS, Following, Lease, Taken
from sync_workers.redis.pauses import By, Watch
from sync_workers.redis.plans_store import PlansStore
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.redis.state_store import RedisStore
from sync_workers.registry import pick
from sync_workers.report import Outcome, Report
from sync_workers.runs.codec import from_bytes, to_bytes
from sync_workers.runs.finish import fail
from sync_workers.runs.refused import RefusedPlan
from sync_workers.runs.task import Task
from sync_workers.worker.delivery import LEFT_ALONE, Delivery, Done, OtherWorkerError, Send, Tell
from sync_workers.worker.leaseless import overtaken, stopped
from sync_workers.worker.patience import may_stand_still, may_wait, may_wait_for_version
from sync_workers.worker.process import Process

_log = logging.getLogger(__name__)

WAIT_FOR_REDIS = timedelta(seconds=10)
"""After a phase ran out of patience with a Redis that is away, it is tried again so much later."""
WAIT_FOR_LEASE = timedelta(seconds=1)

SHUTDOWN = timedelta(seconds=1)
"""After this another worker goes on with what one that ends was only waiting for."""


@dataclass(slots=True)
class Attempt:
    """One attempt of one phase that has the lease."""

    task: Task
    lease: Lease
    runs: RunsStore
    store: RedisStore
    report: Report
    full: bool
    only_looks: bool
    tell: Tell
    process: Process
    stopping: Callable[[], bool]
    send: Send
    begun: float = field(default_factory=time.monotonic)
    anew: Following | None = None
    watch: Watch = field(init=False)
    budget: RedisBudget = field(init=False)

    def __post_init__(self) -> None:
        self.budget = RedisBudget(
            self.process.client, self.task.name, self.report.trigger,
            patience=self.process.patience, heed=self._heed,
        )  # fmt: skip
        self.watch = Watch(self.process.client, self.task.name, self.task.sync_connections)

    def _heed(self) -> None:
        """While a call waits for its turn; raises where the run has to end here."""
        self.lease.check()
        if self.stopping():
            raise NotYetError("the worker is about to end", wait=SHUTDOWN)

    def put(self, name: str, *things: object) -> None:
        """Hand things on, all of them at once."""
        self.runs.put(self.lease.run, self.lease.fence, name, to_bytes(things))

    def fetch(self, name: str, *kinds: type) -> tuple[Any, ...]:
        """What an earlier phase or attempt handed on under that name.

        Raises:
            OtherVersionError: another version wrote it.
            StateError: it is gone.
        """
        body = self.runs.get(self.lease.run, name)
        if body is None:
            raise StateError(
                f"task {self.task.name}: the {name} of run {self.lease.run} is gone; run it again"
            )
        try:
            return self._read(name, body, kinds)
        except OtherVersionError:
            # Where no worker of that version is left, this run ends, and one that follows makes its own.
            self.anew = Following(new_run_id(), self.full, self.only_looks)
            raise

    def _read(self, name: str, body: bytes, kinds: Sequence[type]) -> tuple[Any, ...]:
        things: tuple[Any, ...] = from_bytes(body, tuple)
        if [type(thing) for thing in things] != list(kinds):
            raise OtherVersionError(
                f"task {self.task.name}: the {name} of run {self.lease.run} is of another version"
            )
        return things

    def keep(self, refused: RefusedPlan, reasons: Sequence[str]) -> ID:
        """Keep a refused plan for a person; gives its name."""
        plans = PlansStore(self.lease.client, self.task.name)
        return plans.keep(self.lease, self.report.trigger, refused, reasons, datetime.now(UTC))

    def has(self, name: str) -> bool:
        return self.runs.has(self.lease.run, name)

    def hand_on(self, shown: dict[str, Any], *, again: bool = False) -> Done:
        """The run goes on; the lease outlives the wait in the queue.

        The message is sent first: who dies before that leaves a lease that ends soon.
        """
        self.lease.renew()
        self.runs.note_progress()
        self.send(again)
        with suppress(LeaseLostError):  # the next phase may have begun
            self.lease.leave()
        named = {"task": self.task.name, "run": self.lease.run, "trigger": self.report.trigger.value}
        return Done(shown | named, goes_on=not again, again=again)

    def end(self, failure: str = "") -> Done:
        """The run is over."""
        self.runs.rest(self.report.wait)
        following = end_run(self.lease, self.report) or self.anew
        self._trace()
        _log.log(
            logging.ERROR if failure else logging.INFO,
            "task %s: run %s ended: %s, %d operation(s)%s",
            self.task.name, self.lease.run, self.report.outcome, sum(self.report.counts.values()),
            f"; {self.report.reason}" if self.report.reason else "",
            extra={"task": self.task.name, "run": self.lease.run, "action": "end"},
        )  # fmt: skip
        return Done(self.report.summary(), following=following, failure=failure)

    def _trace(self) -> None:
        """Tell the root of the run's trace."""
        report = self.report
        named = {"sync.task": report.task, "sync.run": report.run, "sync.trigger": report.trigger.value}
        numbers = {"sync.operations": sum(report.counts.values()), "sync.failures": len(report.failures)}
        told = named | numbers | {"sync.outcome": report.outcome.value}
        tracing.ended(report.run, report.task, report.started, told)


def attempt(
    work: Callable[[Attempt], Done],
    delivery: Delivery,
    process: Process,
    tell: Tell,
    stopping: Callable[[], bool],
    send: Send,
    *,
    first: bool = False,
) -> Done:
    """Make one attempt of a phase whose work is given.

    Raises:
        LaterError: nothing could be done; another attempt is to be made after `.wait`.
        SettingsError: there is no such task here.
    """
    try:
        return _with_lease(work, delivery, process, tell, stopping, send, first=first)
    except RedisUnreachableError as error:
        # Nothing can be stored now. The lease ends by itself; the next attempt takes it anew.
        raise LaterError(str(error), wait=WAIT_FOR_REDIS) from error


def _with_lease(
    work: Callable[[Attempt], Done],
    delivery: Delivery,
    process: Process,
    tell: Tell,
    stopping: Callable[[], bool],
    send: Send,
    *,
    first: bool,
) -> Done:
    task = pick(process.tasks, delivery.task)
    lease = Lease(
        process.client, task.name, delivery.run,
        connections=task.sync_connections, working=process.lease, between=process.queued, kept=process.kept,
    )  # fmt: skip
    runs = RunsStore(process.client, task.name)
    try:
        taking = lease.take(
            delivery.trigger, first=first, full=delivery.full, looks=delivery.looks,
            total=task.sync_timing.in_total,
        )  # fmt: skip
        if not isinstance(taking, Taken):
            return stopped(delivery, runs, taking)
        store = RedisStore(process.client, task.name, delivery.run, taking.fence, process.kept)
        report = Report(task.name, delivery.run, delivery.trigger)
        made = Attempt(
            task, lease, runs, store, report, taking.full, taking.looks, tell, process, stopping, send
        )
        with lease, _traced(work, made):
            return _guarded(_end_paused if _is_to_end(taking) else work, made)
    except LeaseLostError:
        # A newer attempt of this run goes on, or a newer run has begun. If it is neither, this worker was cut
        # off for too long and nobody has taken over: the phase is tried again.
        if lease.is_free_for_run():
            raise LaterError(f"task {task.name}: nobody has the lease", wait=WAIT_FOR_LEASE) from None
        return overtaken(delivery, lease)


def _traced(work: Callable[[Attempt], Done], made: Attempt) -> AbstractContextManager[None]:
    """The span of this attempt, in the trace of its run."""
    named: dict[str, str | int] = {"sync.task": made.task.name, "sync.run": made.lease.run}
    return tracing.phase(made.lease.run, work.__name__.strip("_"), named | {"sync.attempt": made.lease.fence})


def _guarded(work: Callable[[Attempt], Done], attempt: Attempt) -> Done:
    """The work, with every error turned into the end of the run and its report."""
    try:
        return _of_known_version(work, attempt)
    except (LeaseLostError, RedisUnreachableError):
        raise  # the run's end cannot be stored
    except NotYetError as error:
        if may_stand_still(attempt.runs, attempt.budget.made):
            attempt.lease.leave()
            # A longer wait is taken in parts: the message would be delivered twice.
            raise NotYetError(str(error), wait=min(error.wait, attempt.process.longest_wait)) from error
        fail(attempt.report, Outcome.FAILED, str(error))
    except LaterError as error:
        if may_wait(attempt.runs, error.wait, attempt.process.longest_wait):
            attempt.lease.leave()
            raise
        attempt.report.wait = error.wait
        fail(attempt.report, Outcome.FAILED, str(error))
    except GuardError as error:
        fail(attempt.report, Outcome.REFUSED, str(error))
    except SyncError as error:
        note_failure(attempt.task, attempt.report, error)
        fail(attempt.report, Outcome.FAILED, str(error))
    except Exception as error:  # noqa: BLE001 - a hook may raise anything, and one bad task stops no other
        # Its text may quote values (rule R11): only where it happened is told.
        where = "".join(traceback.format_tb(error.__traceback__))
        named = {"task": attempt.task.name, "run": attempt.lease.run, "action": "fail"}
        _log.error("task %s: %s at\n%s", attempt.task.name, type(error).__name__, where, extra=named)
        fail(attempt.report, Outcome.FAILED, f"{type(error).__name__}: see the worker's log for where")
    return attempt.end(failure=attempt.report.reason)


def _of_known_version(work: Callable[[Attempt], Done], attempt: Attempt) -> Done:
    """The work, where this worker can read what stands there; in an upgrade another one can."""
    try:
        return work(attempt)
    except OtherVersionError as error:
        if may_wait_for_version(attempt.runs):
            raise OtherWorkerError(str(error), wait=LEFT_ALONE) from error
        raise


def _is_to_end(taken: Taken) -> bool:
    """Whether the task was paused since the run began. One that a service's failure paused is tried now."""
    return taken.pause is not None and (taken.pause.by is By.PERSON)


def _end_paused(attempt: Attempt) -> Done:
    """What is left of the run is decided anew by the first one after the pause."""
    for name in reversed(BLOBS):  # the last one that there is knows what was done
        body = attempt.runs.get(attempt.lease.run, name)
        if body is None:
            continue
        with suppress(StateError):  # of another version; then the counts are lost, and nothing else
            things: tuple[Any, ...] = from_bytes(body, tuple)
            attempt.report = next(thing for thing in things if isinstance(thing, Report))
        break
    if attempt.lease.pause is not None:
        end_paused(attempt.report, attempt.lease.pause)
    return attempt.end()
