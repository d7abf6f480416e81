"""From tasks with a schedule to the entries of Celery beat."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from celery.schedules import crontab, schedule

from sync_workers.report import Trigger
from sync_workers.runs.task import Task
from sync_workers.schedule import Schedule
from sync_workers.worker.queues import GET

CRON_STEP = timedelta(minutes=1)
"""A crontab never ticks more often."""


def entries(tasks: Mapping[str, Task]) -> dict[str, dict[str, Any]]:
    """Beat's entry of each task that runs by itself, by the task's name.

    A tick that nobody took within one interval is worthless: the next one is there already.
    """
    return {
        name: {
            "task": GET,
            "schedule": _schedule(task.sync_timing),
            "kwargs": {"task": name, "trigger": Trigger.BEAT.value},
            "options": {"expires": shortest_interval(task.sync_timing).total_seconds()},
        }
        for name, task in tasks.items()
        if task.sync_timing.by_itself
    }


def shortest_interval(timing: Schedule) -> timedelta:
    """How far apart two ticks are at least."""
    return timing.every if timing.every is not None else CRON_STEP


def _schedule(timing: Schedule) -> Any:
    if timing.every is not None:
        return schedule(run_every=timing.every)
    minute, hour, day, month, weekday = str(timing.crontab).split()
    numbered = _MONTH.sub(lambda name: str(_MONTHS.index(name[0].lower()) + 1), month)
    return ZonedCrontab(ZoneInfo(timing.timezone), minute, hour, weekday, day, numbered)


class ZonedCrontab(crontab):  # type: ignore[misc] # Celery has no types
    """A crontab in a time zone of its own; Celery reads all of them in one."""

    def __init__(self, zone: ZoneInfo, *fields: str) -> None:
        self.zone = zone
        super().__init__(*fields)

    def maybe_make_aware(self, moment: datetime, naive_as_utc: bool = True) -> datetime:
        """All of its reckoning goes through here."""
        aware: datetime = super().maybe_make_aware(moment, naive_as_utc)
        return aware.astimezone(self.zone)


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile("|".join(_MONTHS), re.IGNORECASE)
