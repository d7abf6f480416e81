"""One task as it is scheduled: in this process, with state and lease in a real Redis."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from sync_workers.local import Clock, run_as_scheduled
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease
from sync_workers.redis.state_store import load
from sync_workers.report import Outcome, Trigger
from tests.task_worlds import Todo, World, world

SECRET = "SECRET-VALUE"


class Hand(Clock):
    """A clock that a test turns: waiting takes no time, and runs take as long as the test says."""

    def __init__(self) -> None:
        self.time = 100.0
        self.starts: list[float] = []

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        await asyncio.sleep(0)


class Timed(Todo):
    """Notes when it runs; each run takes the next of `durations` and may fail."""

    hand: Hand
    durations: Iterator[float]
    failing: set[int]

    def get_notion_objects(self) -> list[Any]:
        self.hand.starts.append(self.hand.time - 100)
        self.hand.time += next(self.durations, 0.0)
        if len(self.hand.starts) in self.failing:
            raise OSError(SECRET)
        return super().get_notion_objects()


@pytest.fixture
def here() -> World:
    return world()


def timed(here: World, name: str, *durations: float, failing: set[int] | None = None) -> Timed:
    task = Timed(here.notion, here.other, name=name)
    task.hand, task.durations, task.failing = Hand(), iter(durations), failing or set()
    return task


def run(task: Timed, client: Client) -> list[float]:
    asyncio.run(run_as_scheduled(task, client, clock=task.hand))
    return task.hand.starts


def test_a_task_runs_once_and_its_state_lies_in_redis(
    here: World, redis_client: Client, task_name: str
) -> None:
    here.notion.add(Title="a", Done=False, Note="")
    task = timed(here, task_name)

    assert run(task, redis_client) == [0]

    state = load(redis_client, task_name)
    assert state is not None
    assert state.ids == {"n1": "o1"}
    assert task.sync_ended
    assert task.report.outcome is Outcome.DONE
    assert redis_client.ask("EXISTS", f"{task.state_key}:lease") == 0


def test_the_next_run_goes_on_from_the_stored_state(
    here: World, redis_client: Client, task_name: str
) -> None:
    here.notion.add(Title="a", Done=False, Note="")
    run(timed(here, task_name), redis_client)
    here.other.edit("o1", note="edited")
    here.notion.add(Title="b", Done=False, Note="")
    here.forget()

    run(timed(here, task_name), redis_client)

    assert here.sides_agree()
    assert here.writes() == {"notion": {"update": 1}, "other": {"create": 1}}
    here.forget()
    task = timed(here, task_name)
    run(task, redis_client)
    assert here.writes() == {"notion": {}, "other": {}}
    assert task.report.planned == 0


def test_runs_start_at_a_fixed_rate_however_long_they_take(
    here: World, redis_client: Client, task_name: str
) -> None:
    task = timed(here, task_name, 3, 0, 9.9, 1)
    task.run_every(seconds=10).in_total(5)

    assert run(task, redis_client) == pytest.approx([0, 10, 20, 30, 40])


def test_a_late_run_does_not_make_up_for_missed_ticks(
    here: World, redis_client: Client, task_name: str
) -> None:
    task = timed(here, task_name, 25, 10)
    task.run_every(seconds=10).in_total(4)

    assert run(task, redis_client) == pytest.approx([0, 30, 50, 60])


def test_a_clock_that_wakes_early_starts_no_run_twice(
    here: World, redis_client: Client, task_name: str
) -> None:
    class WakesEarly(Hand):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds - 0.001)

    task = timed(here, task_name)
    task.hand = WakesEarly()
    task.run_every(seconds=10).in_total(4)

    assert run(task, redis_client) == pytest.approx([0, 10, 20, 30], abs=0.01)


def test_in_total_without_an_interval_runs_one_after_the_other(
    here: World, redis_client: Client, task_name: str
) -> None:
    task = timed(here, task_name, 1, 1, 1)
    task.in_total(3)

    assert run(task, redis_client) == pytest.approx([0, 1, 2])
    assert run(task, redis_client) == pytest.approx([0, 1, 2])  # it has run as often as it should


def test_a_failed_run_is_logged_without_values_and_the_next_one_goes_on(
    here: World, redis_client: Client, task_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    task = timed(here, task_name, failing={1, 2})
    task.run_every(seconds=10).in_total(3)
    here.notion.add(Title="a", Done=False, Note="")

    assert run(task, redis_client) == pytest.approx([0, 10, 20])

    assert here.sides_agree()
    assert caplog.text.count(f"task {task_name} failed: OSError at") == 2
    assert "get_notion_objects" in caplog.text
    assert SECRET not in caplog.text


def test_what_the_last_run_raises_is_raised(here: World, redis_client: Client, task_name: str) -> None:
    task = timed(here, task_name, failing={2})
    task.run_every(seconds=10).in_total(2)

    with pytest.raises(OSError, match=SECRET):
        run(task, redis_client)
    assert task.report.outcome is Outcome.FAILED
    assert "SECRET" not in str(task.report.summary())
    assert redis_client.ask("EXISTS", Keys(task_name).lease) == 0


def test_a_tick_is_skipped_while_another_process_has_the_lease(
    here: World, redis_client: Client, task_name: str
) -> None:
    task = timed(here, task_name)
    task.run_every(seconds=10).in_total(2)
    elsewhere = Lease(redis_client, task_name, "elsewhere", working=timedelta(seconds=30))
    elsewhere.take(Trigger.BEAT, first=True)

    class LetsGo(Hand):
        async def sleep(self, seconds: float) -> None:
            if self.time >= 120:
                redis_client.ask("DEL", Keys(task_name).lease)
            await super().sleep(seconds)

    task.hand = LetsGo()

    assert run(task, redis_client) == pytest.approx([30, 40])


def test_a_single_run_is_not_finished_by_a_skipped_tick(
    here: World, redis_client: Client, task_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    task = timed(here, task_name)
    Lease(redis_client, task_name, "elsewhere").take(Trigger.BEAT, first=True)

    assert run(task, redis_client) == []

    assert task.report.outcome is Outcome.DROPPED
    assert not task.sync_ended
    assert "another run works on this task (run elsewhere)" in caplog.text
