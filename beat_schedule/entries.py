"""From tasks with a schedule to the entries of Celery beat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from celery.schedules import crontab, schedstate, schedule

from beat_schedule.slots import EARLIEST, next_slot
from sync_workers.report import Trigger
from sync_workers.runs.task import Task
from sync_workers.schedule import Schedule
from sync_workers.worker.queues import GET

CRON_STEP = timedelta(minutes=1)
"""A crontab never ticks more often."""


def entries(tasks: Mapping[str, Task]) -> dict[str, dict[str, Any]]:
    """Beat's entry of each task that runs by itself, by the task's name."""
    return {
        name: {
            "task": GET,
            "schedule": _schedule(name, task.sync_timing),
            "kwargs": {"task": name, "trigger": Trigger.BEAT.value},
        }
        for name, task in tasks.items()
        if task.sync_timing.by_itself
    }


CLEARLY = 0.9
"""Two claims of one tick lie closer together than this share of what lies between two ticks at least."""


def apart(timing: Schedule) -> timedelta:
    """A tick that comes sooner after the last one is another beat's copy of it."""
    least = CRON_STEP if timing.every is None else timing.every * EARLIEST
    return least * CLEARLY


SPACING = timedelta(seconds=0.05)
"""Between two ticks: a thousand tasks that are due at once begin within a minute, not in one second."""


def spacing(timings: Iterable[Schedule]) -> timedelta:
    """What lies between two ticks of different tasks at least; at most half of what lies there on average."""
    a_second = sum(1 / timing.every.total_seconds() for timing in timings if timing.every is not None)
    return min(SPACING, timedelta(seconds=0.5 / a_second)) if a_second else SPACING


def _schedule(name: str, timing: Schedule) -> Any:
    if timing.every is not None:
        return Slotted(name, timing.every)
    minute, hour, day, month, weekday = str(timing.crontab).split()
    numbered = _MONTH.sub(lambda name: str(_MONTHS.index(name[0].lower()) + 1), month)
    return ZonedCrontab(ZoneInfo(timing.timezone), minute, hour, weekday, day, numbered)


class Slotted(schedule):  # type: ignore[misc] # Celery has no types
    """An interval that ticks in the slots of a task."""

    def __init__(self, name: str, every: timedelta) -> None:
        self.name = name
        super().__init__(run_every=every)

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether it is, and how long until the next time."""
        now, every = self.now().timestamp(), self.run_every.total_seconds()
        due = next_slot(self.name, every, last_run_at.timestamp())
        if due > now:
            return schedstate(is_due=False, next=due - now)
        return schedstate(is_due=True, next=next_slot(self.name, every, now) - now)


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
