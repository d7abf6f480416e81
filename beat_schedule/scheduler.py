"""`RedisScheduler`: ticks of Celery beat that start runs, remembered in Redis.

There is no schedule file: when a task ticked last stands in Redis, so beat may start anywhere, and a second
one beside it is harmless, since each tick is claimed there and only one of them gets it.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from celery.beat import Scheduler

from beat_schedule.entries import entries
from sync_workers.redis.runs_store import claim_tick, last_tick, new_run_id
from sync_workers.report import Trigger
from sync_workers.worker.delivery import Delivery
from sync_workers.worker.start import prepared
from sync_workers.worker.tasks import run_chain

_log = logging.getLogger(__name__)

LONGEST_SLEEP = timedelta(seconds=5)
"""How long beat sleeps at most; a clock that was set is noticed within it."""

EARLY = 0.9
"""A tick that comes earlier than this share of its interval after the last one is another beat's copy."""


class RedisScheduler(Scheduler):  # type: ignore[misc] # Celery has no types
    """The tasks of this deployment at their intervals and crontabs."""

    max_interval = LONGEST_SLEEP.total_seconds()

    def setup_schedule(self) -> None:
        """Load the tasks; an interval that passed while no beat ran ticks at once, a new task too."""
        self.process = prepared()
        found = entries(self.process.tasks)
        for name, entry in found.items():
            entry["last_run_at"] = self._last_run(name)
        self.update_from_dict(found)
        for name in found:
            _log.info("task %s: %s", name, self.process.tasks[name].sync_timing)

    def apply_async(self, entry: Any, producer: Any = None, advance: bool = True, **_options: Any) -> Any:
        """One tick: start a run, unless another beat did."""
        due = self.reserve(entry) if advance else entry
        run, expires = new_run_id(), timedelta(seconds=due.options["expires"])
        # It cannot be known here whether a run works now; the run's first phase finds out and drops the tick.
        if not claim_tick(self.process.client, due.name, run, expires * EARLY):
            _log.debug("task %s: another beat ticked", due.name, extra={"task": due.name, "action": "tick"})
            return None
        delivery = Delivery(due.name, run, Trigger.BEAT, tenant=self.process.tasks[due.name].sync_tenant)
        return run_chain(delivery, expires=expires).apply_async(producer=producer)

    def _last_run(self, name: str) -> datetime | None:
        last = last_tick(self.process.client, name)
        if last is None and self.process.tasks[name].sync_timing.every is not None:
            return datetime.fromtimestamp(0, UTC)
        return last
