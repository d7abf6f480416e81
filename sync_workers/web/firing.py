"""`Firing`: from what waits to runs, once nothing more was heard of it for a while.

Every receiver does it for all tasks. Each looks when something is due that it took itself, and now and then
for what another one, which may be dead, has left; a claim in Redis makes one run of it all the same.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Protocol

from sync_workers.errors import SyncError
from sync_workers.model import ID, Side
from sync_workers.redis.connect import Client
from sync_workers.redis.looks import Looks
from sync_workers.redis.pauses import pause_of_connections, pause_of_task
from sync_workers.redis.runs_store import new_run_id
from sync_workers.redis.waiting import FULL, RUN, Claimed, Waiting
from sync_workers.report import Trigger
from sync_workers.web.bots import Bots
from sync_workers.web.connections import Concerned

_log = logging.getLogger(__name__)

SWEEP = timedelta(seconds=5)
"""How often what others left is looked for."""

AGAIN = timedelta(seconds=1)
"""After Redis or the broker did not answer."""

LEARN = timedelta(seconds=60)
"""How often bots that are not known are asked for."""


class Start(Protocol):
    """Asks the workers for a run, as `sync_workers.worker.enqueue.start`."""

    def __call__(
        self, name: str, run: ID, *, full: bool, looks: bool, trigger: Trigger, tenant: str
    ) -> None: ...


class Firing:
    """The thread that fires; `start` and `stop` it."""

    def __init__(self, client: Client, tasks: Iterable[Concerned], bots: Bots, start: Start) -> None:
        self._client = client
        self._tasks = {task.name: task for task in tasks}
        self._bots = bots
        self._start = start
        self._due = dict.fromkeys(self._tasks, 0.0)
        self._learn_at = 0.0
        self._failing = False
        self._stopped = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="firing", daemon=True)

    def take_up(self, tasks: Iterable[Concerned]) -> None:
        """These are the tasks from now on, and bots that are not known yet are asked for soon."""
        with self._changed:
            self._tasks = {task.name: task for task in tasks}
            self._due = {name: self._due.get(name, 0.0) for name in self._tasks}
            self._learn_at = 0.0
            self._changed.notify()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End it; what is not fired waits in Redis for another receiver, or for the next start."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def is_alive(self) -> bool:
        """Whether it fires; else something that nobody thought of has ended it, and the log says what."""
        return self._thread.is_alive()

    def wake(self, task: str, due_in: timedelta) -> None:
        """Something of the task is due in so long."""
        at = time.monotonic() + due_in.total_seconds()
        with self._changed:
            if at < self._due.get(task, 0.0):  # a task may have left the task file meanwhile
                self._due[task] = at
                self._changed.notify_all()

    def fire(self, name: str) -> timedelta | None:
        """Start a run of what is due of a task; gives when the next is due.

        Raises:
            SyncError: Redis or the broker does not answer; what was claimed comes up again.
        """
        waiting = Waiting(self._client, name)
        claimed = waiting.claim()
        task = self._tasks.get(name)
        if claimed.names and task is not None:
            self._carry_out(task, waiting, claimed)
        return claimed.next_in

    def _carry_out(self, task: Concerned, waiting: Waiting, claimed: Claimed) -> None:
        wanted = claimed.wanted
        for side in Side:
            Looks(self._client, task.name).add(side, wanted.looks[side])
        paused = self._is_paused(task)
        if paused:
            outcome = "paused, so they wait"
        elif not (wanted.run or wanted.full) and waiting.is_asked():
            outcome = "left to the run that was asked for before"
        else:
            run = new_run_id()
            looks = not (wanted.run or wanted.full)
            self._start(
                task.name, run,
                full=wanted.full, looks=looks, trigger=Trigger.WEBHOOK, tenant=task.tenant,
            )  # fmt: skip
            waiting.ask(run)
            outcome = f"asked for run {run}"
        waiting.settle(claimed, but=(RUN, FULL) if paused else ())
        _log.log(
            logging.INFO if wanted.records or not paused else logging.DEBUG,  # a paused run comes up for long
            "task %s: %d record(s) changed in Notion: %s", task.name, wanted.records, outcome,
            extra={"task": task.name, "action": "fire"},
        )  # fmt: skip

    def _is_paused(self, task: Concerned) -> bool:
        own = pause_of_task(self._client, task.name)
        return own is not None or pause_of_connections(self._client, task.connections) is not None

    def _run(self) -> None:
        while (name := self._next()) is not None:
            self._learn()
            try:
                left = self.fire(name)
            except SyncError as error:
                left = AGAIN
                if not self._failing:
                    _log.error("what webhook events ask for waits: %s", error)
                self._failing = True
            else:
                self._failing = False
            later = SWEEP if left is None else min(left, SWEEP)
            self.wake(name, later)

    def _next(self) -> str | None:
        """The next task that may have something due, waited for; None at the end."""
        with self._changed:
            while not self._stopped:
                name = min(self._due, key=lambda task: self._due[task], default=None)
                left = None if name is None else self._due[name] - time.monotonic()
                if name is not None and left is not None and left <= 0:
                    self._due[name] = float("inf")
                    return name
                self._changed.wait(left)
            return None

    def _learn(self) -> None:
        if time.monotonic() >= self._learn_at:
            known = self._bots.learn()
            self._learn_at = float("inf") if known else time.monotonic() + LEARN.total_seconds()
