from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beat_schedule.entries import apart, entries, spacing
from beat_schedule.slots import next_slot, offset
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


def test_an_interval_ticks_in_the_slots_of_its_task() -> None:
    made = entry(every=timedelta(seconds=90))
    assert made["task"] == "sync.get"
    assert made["kwargs"] == {"task": "todo", "trigger": "beat"}
    timing, slot = made["schedule"], next_slot("todo", 90, 1_000_000)

    def due_at(now: float, last: float) -> tuple[bool, Any]:
        timing.nowfun = lambda: datetime.fromtimestamp(now, UTC)
        is_due, wait = timing.is_due(datetime.fromtimestamp(last, UTC))
        return is_due, wait

    assert due_at(slot - 1, last=slot - 90) == (False, pytest.approx(1))
    assert due_at(slot + 0.5, last=slot - 90) == (True, pytest.approx(89.5))
    assert due_at(slot + 20, last=0)[0], "one that never ticked is due at once"


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


NAMES = st.text("abcdefghijklmnopqrstuvwxyz-_", min_size=1, max_size=20)


@given(NAMES, st.floats(0.01, 1e6), st.floats(0, 2e9))
def test_two_ticks_lie_between_half_an_interval_and_one_and_a_half_apart(
    name: str, every: float, last: float
) -> None:
    slot = next_slot(name, every, last)
    assert 0.499 * every < slot - last <= 1.501 * every
    assert next_slot(name, every, slot) == pytest.approx(slot + every)
    assert next_slot(name, every, slot + 0.4 * every) == pytest.approx(slot + every), "a tick that was late"


def test_a_thousand_tasks_of_one_interval_are_spread_over_it() -> None:
    tenths = Counter(int(offset(f"task-{number}", 300) // 30) for number in range(1000))
    assert set(tenths) == set(range(10))
    assert 70 < min(tenths.values()) <= max(tenths.values()) < 130


def test_ticks_keep_a_distance_that_leaves_room_for_all_of_them() -> None:
    crontabs, slow = [Schedule(crontab="0 8 * * *")] * 1000, [Schedule(every=timedelta(minutes=5))] * 1000
    fast = [Schedule(every=timedelta(seconds=10))] * 1000
    assert spacing([]) == spacing(crontabs) == spacing(slow) == timedelta(seconds=0.05)
    assert spacing(fast) == timedelta(seconds=0.005), "a hundred ticks a second are sent in half of each"


def test_a_copy_of_a_tick_comes_sooner_than_the_next_one_can() -> None:
    assert apart(Schedule(every=timedelta(seconds=10))) == timedelta(seconds=4.5)
    assert apart(Schedule(crontab="0 8 * * *")) == timedelta(seconds=54)
