"""`RedisScheduler`: ticks of Celery beat that start runs, remembered in Redis.

There is no schedule file: when a task ticked last stands in Redis, so beat may start anywhere. Of several
beats one ticks, and another takes over when it ends. Each tick is claimed in Redis as well, so that a beat
that was frozen and wakes up makes none twice.
"""

from __future__ import annotations

import heapq
import logging
import os
import socket
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from celery.beat import Scheduler, event_t
from kombu.exceptions import OperationalError

from beat_schedule.entries import apart, entries, spacing
from sync_workers.errors import StateError
from sync_workers.health.proof import Proof
from sync_workers.model import ID
from sync_workers.redis.beat import Lead, claim_tick, count_skipped, last_sent, last_tick
from sync_workers.redis.connect import connect
from sync_workers.redis.queues import still_waits
from sync_workers.redis.runs_store import new_run_id
from sync_workers.report import Trigger
from sync_workers.runs.task import Task
from sync_workers.settings import load_settings
from sync_workers.worker.app import app
from sync_workers.worker.delivery import Delivery
from sync_workers.worker.health import serving
from sync_workers.worker.presence import Noting
from sync_workers.worker.process import this_process
from sync_workers.worker.queues import GET, queue_name
from sync_workers.worker.start import or_end, prepared
from sync_workers.worker.tasks import CLOSED, run_chain

_log = logging.getLogger(__name__)

LONGEST_SLEEP = timedelta(seconds=2)
"""How long beat sleeps at most: a clock that was set, and a beat that died, are noticed within it."""

RENEW_AFTER = 500
"""So many questions to Redis are short beside how long the right to tick lasts."""

SET_BACK = timedelta(seconds=1)
"""A clock that shows so much less than a moment ago was set; by less it is only kept in step."""


class RedisScheduler(Scheduler):  # type: ignore[misc] # Celery has no types
    """The tasks of this deployment at their intervals and crontabs."""

    max_interval = LONGEST_SLEEP.total_seconds()
    schedule: dict[str, Any]
    _heap: list[Any]
    tasks: dict[str, Task]

    def setup_schedule(self) -> None:
        """Load the tasks; which of them are due is asked when this beat is the one that ticks."""
        settings = load_settings()
        self.process = prepared()
        self.broker = connect(settings.broker)
        self.noting = Noting("beat", f"{socket.gethostname()}:{os.getpid()}")
        self.noting.start()
        self.proof = Proof()
        self.pages = serving(settings, self.proof)
        with or_end():
            self.pages.__enter__()
        self.lead = Lead(self.process.client, f"{socket.gethostname()}:{os.getpid()}")
        self.leads: bool | None = None  # not known yet
        self.looked = 0.0
        self.begun: dict[str, tuple[ID, float]] = {}
        self.late: Any = None
        self.sent = False
        self.take_up(self.process.tasks)
        for task in self.tasks.values():
            _log.info("task %s: %s", task.name, task.sync_timing)

    def take_up(self, tasks: Mapping[str, Task]) -> None:
        """These are the tasks from now on; who was there keeps its time. Needs no Redis."""
        before: dict[str, Any] = self.schedule or {}
        self.tasks = {name: task for name, task in tasks.items() if task.sync_timing.by_itself}
        self.spacing = spacing(task.sync_timing for task in self.tasks.values()).total_seconds()
        found = entries(self.tasks)
        for name in found.keys() & before.keys():
            found[name]["last_run_at"] = before[name].last_run_at
        self.schedule = {}
        self.update_from_dict(found)
        self.changed = True
        self.caught_up = False

    def schedules_equal(self, *_schedules: Any) -> bool:
        """Whether the entries are those of the last tick; comparing all of them each time takes long."""
        changed, self.changed = self.changed, False
        return not changed

    def tick(self, **options: Any) -> float:
        """Send the next tick if it is due, and tell how long to sleep; only where this beat is the one."""
        self.proof.turn()
        process = this_process()
        if process is not self.process:
            self.process = process
            self.take_up(process.tasks)
        if not self._is_leading():
            return self.max_interval
        self.sent, self.late = False, None
        wait: float = super().tick(**options)
        if self.late is not None:
            wait = self._put_back(self.late)
        return max(wait, self.spacing) if self.sent or self.late else wait

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **_options: Any) -> Any:
        """One tick: start a run, unless another beat did, or the last one still waits to begin."""
        due = self.reserve(entry) if advance else entry
        task = self.tasks[due.name]
        try:
            return self._send(task, producer)
        except (StateError, OperationalError, *CLOSED) as error:
            _log.warning("task %s: its tick is sent later: %s", task.name, error, extra={"task": task.name})
            self.late = due
            return None

    def _send(self, task: Task, producer: Any) -> Any:
        client, again = self.process.client, task.name in self.begun
        if not again:
            before = last_sent(client, task.name)
            if before is not None and still_waits(self.broker, _queue(task), before):
                count_skipped(client, task.name)
                _log.debug("task %s: its last tick still waits for a worker", task.name)
                return None
            self.begun[task.name] = new_run_id(), time.time()
        run, sent = self.begun[task.name]
        # It cannot be known here whether a run works now; the run's first phase finds out and drops the tick.
        if not claim_tick(client, task.name, run, apart(task.sync_timing), sent):
            _log.debug("task %s: another beat ticked", task.name, extra={"task": task.name, "action": "tick"})
            del self.begun[task.name]
            return None
        message = run_chain(Delivery(task.name, run, Trigger.BEAT, tenant=task.sync_tenant), sent=sent)
        if again:  # the connection that failed may be of no use any more
            with app.connection_for_write() as connection:
                result = message.apply_async(connection=connection)
        else:
            result = message.apply_async(producer=producer)
        del self.begun[task.name]
        self.sent = True
        return result

    def _put_back(self, late: Any) -> float:
        """Let a tick that could not be sent be due again soon; those of the other tasks go on."""
        self.schedule[late.name] = late
        heap: list[Any] = [event for event in self._heap if event.entry.name != late.name]
        heap.append(event_t(self._when(late, self.max_interval), 5, late))
        heapq.heapify(heap)
        self._heap = heap
        wait: float = heap[0].time - self._when(late, 0)
        return wait

    def close(self) -> None:
        """Another beat may tick at once."""
        try:
            self.lead.leave()
        except StateError:
            _log.debug("Redis is away: another beat takes over when this one's time is up")
        self.noting.stop()
        self.pages.__exit__(None, None, None)
        super().close()

    def _is_leading(self) -> bool:
        try:
            leads = self.lead.keep()
            now = time.time()
            set_back, self.looked = now < self.looked - SET_BACK.total_seconds(), now
            if leads and (set_back or not self.leads or not self.caught_up):
                self._catch_up()
        except StateError as error:
            if self.leads:
                _log.warning("no ticks for now: %s", error)
            leads = False
        if leads is not self.leads:
            _log.info("this beat ticks now" if leads else "this beat stands by", extra={"action": "lead"})
        self.leads = leads
        return leads

    def _catch_up(self) -> None:
        """Ask when each task ticked last: whoever ticked until now knew more than we do."""
        self.begun.clear()
        for number, (name, entry) in enumerate(self.schedule.items(), 1):
            # One that lies ahead, by Redis' clock or by ours before it was set, would be waited for.
            entry.last_run_at = min(self._last_run(name) or entry.last_run_at, entry.default_now())
            if number % RENEW_AFTER == 0:
                self.lead.keep()
        self.changed = self.caught_up = True

    def _last_run(self, name: str) -> datetime | None:
        """None for a crontab that never ticked, which waits for its time; an interval begins at once."""
        last = last_tick(self.process.client, name)
        if last is None and self.tasks[name].sync_timing.every is not None:
            return datetime.fromtimestamp(0, UTC)
        return last


def _queue(task: Task) -> str:
    return queue_name(GET, Trigger.BEAT, task.sync_tenant)
