from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from beat_schedule.entries import entries, shortest_interval
from sync_workers.runs.task import Task
from sync_workers.schedule import Schedule
from tests.worker.json_task import JsonTask


class TimedTask(JsonTask):
    def __init__(self, timing: Schedule) -> None:
        self._timing = timing
        super().__init__("todo", Path())

    @property
    def sync_timing(self) -> Schedule:
        return self._timing


def entry(**timing: Any) -> dict[str, Any]:
    tasks: dict[str, Task] = {"todo": TimedTask(Schedule(**timing))}
    return entries(tasks)["todo"]


def test_only_tasks_that_run_by_themselves_have_an_entry() -> None:
    tasks: dict[str, Task] = {
        "asked": TimedTask(Schedule()),
        "timed": TimedTask(Schedule(every=timedelta(seconds=5))),
    }
    assert set(entries(tasks)) == {"timed"}


def test_an_interval_ticks_at_its_distance_and_expires_after_it() -> None:
    made = entry(every=timedelta(seconds=90))
    assert made["task"] == "sync.get"
    assert made["kwargs"] == {"task": "todo", "trigger": "beat"}
    assert made["options"] == {"expires": 90}
    assert made["schedule"].run_every == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("crontab", "zone", "last", "due"),
    [
        (
            "*/5 * * * *",
            "UTC",
            datetime(2026, 3, 1, 12, 1, tzinfo=UTC),
            datetime(2026, 3, 1, 12, 5, tzinfo=UTC),
        ),
        (
            "30 7 * * mon",
            "UTC",
            datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
            datetime(2026, 3, 2, 7, 30, tzinfo=UTC),
        ),
        ("0 0 1 JAN,jul *", "UTC", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC)),
        (
            "0 8 * * *",
            "Europe/Berlin",
            datetime(2026, 7, 1, 12, 0, tzinfo=UTC),
            datetime(2026, 7, 2, 8, 0, tzinfo=ZoneInfo("Europe/Berlin")),
        ),
        (
            "0 8 * * *",  # the clocks went forward in the night
            "Europe/Berlin",
            datetime(2026, 3, 28, 12, 0, tzinfo=UTC),
            datetime(2026, 3, 29, 6, 0, tzinfo=UTC),
        ),
    ],
)
def test_a_crontab_ticks_when_it_says_in_its_own_time_zone(
    crontab: str, zone: str, last: datetime, due: datetime
) -> None:
    cron = entry(crontab=crontab, timezone=zone)["schedule"]
    cron.nowfun = lambda: due - timedelta(seconds=1)
    assert not cron.is_due(last)[0]
    assert cron.is_due(last)[1] == pytest.approx(1)
    cron.nowfun = lambda: due
    assert cron.is_due(last)[0]


def test_a_crontab_expires_before_it_could_tick_again() -> None:
    assert entry(crontab="0 8 * * *")["options"] == {"expires": 60}
    assert shortest_interval(Schedule(crontab="0 8 * * *")) == timedelta(minutes=1)
