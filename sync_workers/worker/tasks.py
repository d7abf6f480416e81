"""The three Celery tasks and their chain; each body is a delivery, a phase, and what becomes of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from celery import chain, signature
from celery.exceptions import Reject
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from sync_workers.errors import LaterError, StateError, SyncError
from sync_workers.logs import about
from sync_workers.redis.connect import place
from sync_workers.redis.lease import Following
from sync_workers.redis.queues import SENT
from sync_workers.redis.runs_store import new_run_id
from sync_workers.registry import pick
from sync_workers.report import Trigger
from sync_workers.settings import load_settings
from sync_workers.worker import phases
from sync_workers.worker.app import app
from sync_workers.worker.delivery import LEFT_ALONE, Delivery, Done, OtherWorkerError
from sync_workers.worker.process import this_process
from sync_workers.worker.queues import APPLY, DIFF, ENQUEUE, GET, queue_name
from sync_workers.worker.settings import OUTAGE
from sync_workers.worker.shutdown import is_shutting_down

_log = logging.getLogger(__name__)

TELL_EVERY = timedelta(seconds=1)
"""How often a phase tells its progress at most: an event costs about as much as an empty phase."""


TRY_EVERY = timedelta(seconds=1)
"""A broker that is full refuses at once, and has to be asked again."""

UNKNOWN_AGAIN, MOST_TRIES = 5, 40
"""After so many seconds a message of a task that is not known here is tried again every second time, and so
many times in all; in between it is left to others."""

T = TypeVar("T")


class RunFailedError(SyncError):
    """The run ended with a failure; its report says more. This is what Celery and Flower show."""


def _get(self: Any, **names: Any) -> dict[str, Any]:
    delivery = _delivery(names)
    done = _carried_out(self, phases.get, delivery)
    return _conclude(self, delivery, done)


def _diff(self: Any, **names: Any) -> dict[str, Any]:
    delivery = _delivery(names)
    done = _carried_out(self, phases.diff, delivery)
    return _conclude(self, delivery, done)


def _apply(self: Any, **names: Any) -> dict[str, Any]:
    delivery = _delivery(names)
    done = _carried_out(self, phases.apply, delivery)
    return _conclude(self, delivery, done)


# Whoever sends a task whose result is kept subscribes to it, and hangs there while the broker is away.
get = app.task(_get, bind=True, name=GET, max_retries=None, ignore_result=True)
diff = app.task(_diff, bind=True, name=DIFF, max_retries=None)
apply = app.task(_apply, bind=True, name=APPLY, max_retries=None)


@app.task(name=ENQUEUE)  # type: ignore[untyped-decorator] # Celery has no types
def enqueue(task: str, *, full: bool = False) -> dict[str, str]:
    """Ask for a run as `sync_workers.enqueue` does; for Flower's API.

    Raises:
        SettingsError: there is no such task; names the nearest.
        StateError: the broker does not take it.
    """
    found, run = pick(this_process().tasks, task), new_run_id()
    wanted = Delivery(found.name, run, Trigger.AD_HOC, bool(full), tenant=found.sync_tenant)
    patiently(run_chain(wanted).apply_async)
    return {"task": found.name, "run": run}


def run_chain(delivery: Delivery, *, sent: float | None = None) -> Any:
    """The chain of a run's three phases, to be sent; its first message says `sent` instead of when it was."""
    first, *others = (_message(phase, delivery) for phase in (get, diff, apply))
    if sent is not None:
        first.set(headers={SENT: sent})
    return chain(first, *others, app=app)


def _message(phase: Any, delivery: Delivery) -> Any:
    named = {"task": delivery.task, "trigger": delivery.trigger.value, "run": delivery.run}
    # Flower's list cuts what is long, so that this says it in few words.
    shown = " ".join(f"{name}={text}" for name, text in named.items())
    queue = queue_name(phase.name, delivery.trigger, delivery.tenant)
    message = phase.si(**named, full=delivery.full, looks=delivery.looks, tenant=delivery.tenant)
    return message.set(kwargsrepr=shown, queue=queue)


def send_following(delivery: Delivery, following: Following) -> None:
    """Start the run that was asked for while that one worked."""
    wanted = replace(
        delivery, run=following.run, trigger=following.trigger, full=following.full, looks=following.looks
    )
    patiently(run_chain(wanted).apply_async)


def _delivery(names: dict[str, Any]) -> Delivery:
    try:
        return _read(names)
    except (KeyError, ValueError) as error:
        raise RunFailedError(
            f'this is no message of a run: start one by {ENQUEUE} with {{"task": NAME}}'
        ) from error


def _read(names: dict[str, Any]) -> Delivery:
    return Delivery(
        task=names["task"], run=names["run"], trigger=Trigger(names["trigger"]), full=bool(names["full"]),
        looks=bool(names.get("looks")), tenant=str(names.get("tenant") or ""),
    )  # fmt: skip


def _carried_out(task: Any, phase: Callable[..., Done], delivery: Delivery) -> Done:
    process = this_process()
    if delivery.task not in process.tasks and task.request.retries < MOST_TRIES:
        # A task file reaches the machines one after the other: another worker may know it, or this one soon.
        if task.request.retries % 2 == 0:
            raise _left_to_others(task)
        raise patiently(partial(task.retry, countdown=UNKNOWN_AGAIN, throw=False, headers=_sent_now()))
    try:
        send = partial(_send_next, task, delivery)
        named = {"task": delivery.task, "run": delivery.run, "trigger": delivery.trigger.value}
        with about(**named, phase=task.name.removeprefix("sync.")):
            return phase(delivery, process, _Progress(task).tell, is_shutting_down, send)
    except OtherWorkerError as error:
        raise _left_to_others(task, exc=error) from None
    except LaterError as error:
        # The same message with the same chain comes again.
        wait = error.wait.total_seconds()
        again = partial(task.retry, exc=error, countdown=wait, throw=False, headers=_sent_now())
        raise patiently(again) from None


def _left_to_others(task: Any, **options: Any) -> Exception:
    """Send the same message with the same chain at once, and take nothing in its place for a moment.

    With a countdown it would wait in a worker, as a rule in the one that has just sent it, since that one is
    the next to ask the broker.
    """
    again: Exception = patiently(
        partial(task.retry, countdown=0, throw=False, headers=_sent_now(), **options)
    )
    until = time.monotonic() + LEFT_ALONE.total_seconds()
    while time.monotonic() < until and not is_shutting_down():
        time.sleep(0.1)
    return again


def _sent_now() -> dict[str, float]:
    return {SENT: time.time()}


def _send_next(task: Any, delivery: Delivery, again: bool) -> None:
    """Send what follows while the run still has its lease.

    Celery would do it after the task's body, where a broker that is full loses the run and leaves its lease.

    Raises:
        StateError: the broker does not take it.
    """
    chain_left = task.request.chain
    if again:
        patiently(partial(_message(task, delivery).apply_async, chain=chain_left))
    elif chain_left:
        # As in `celery.app.trace`; the last one is the next.
        patiently(partial(signature(chain_left[-1], app=app).apply_async, chain=chain_left[:-1]))


CLOSED = (AttributeError,)
"""What kombu 5.6 raises where a full broker has made it close the channel that it tries again with."""


def patiently(send: Callable[..., T]) -> T:
    """Try to send for about a minute.

    Raises:
        StateError: the broker does not take it.
    """
    deadline = time.monotonic() + OUTAGE.total_seconds()
    options: dict[str, Any] = {}
    while True:
        try:
            return send(**options)
        except (OperationalError, Reject, *CLOSED) as error:  # what `retry` makes of the first is the second
            if time.monotonic() > deadline:
                where = place(load_settings().broker)
                raise StateError(
                    f"the broker at {where} takes no messages: see whether it runs and has memory left"
                ) from error
        time.sleep(TRY_EVERY.total_seconds())
        # The pool would give back the producer that failed; a connection of its own is a fresh one.
        options = {"connection": app.connection_for_write()}


def _conclude(task: Any, delivery: Delivery, done: Done) -> dict[str, Any]:
    task.request.chain = None  # what follows was sent
    if done.following is not None:
        send_following(delivery, done.following)
    if done.failure:
        raise RunFailedError(f"task {delivery.task}: run {delivery.run} failed: {done.failure}") from None
    return done.shown


UNTOLD = (OperationalError, RedisError, OSError)
"""Without retries of its own kombu lets through what the broker's client raises about a dead connection."""


class _Progress:
    """Tells Flower how far a phase is: the state PROGRESS and the counts as its result so far."""

    def __init__(self, task: Any) -> None:
        self._task = task
        self._told = 0.0

    def tell(self, progress: dict[str, Any]) -> None:
        if time.monotonic() - self._told < TELL_EVERY.total_seconds():
            return
        self._told = time.monotonic()
        try:
            self._task.send_event("task-progress", retry=False, result=repr(progress))
        except UNTOLD:
            _log.debug("progress could not be told: the broker is away")
