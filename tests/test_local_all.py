"""`await task` and `run_all_tasks`: several tasks at once, on the Redis of the environment."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sync_workers import all_tasks, run_all_tasks
from sync_workers.errors import RedisUnreachableError
from sync_workers.redis.connect import Client
from sync_workers.report import Outcome
from tests.conftest import remove_task
from tests.task_worlds import Todo, World, world

SECRET = "SECRET-VALUE"


@pytest.fixture
def here() -> World:
    return world()


@pytest.fixture
def clean_registry() -> Iterator[None]:
    before = set(all_tasks)
    all_tasks.clear()
    yield
    all_tasks.clear()
    all_tasks.update(before)


@pytest.fixture
def at_redis(redis_url: str, monkeypatch: pytest.MonkeyPatch, clean_registry: None) -> None:
    del clean_registry
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", redis_url)


@pytest.mark.usefixtures("at_redis")
def test_a_task_can_be_awaited_with_and_without_a_call(here: World, task_name: str) -> None:
    task = Todo(here.notion, here.other, name=task_name)
    here.notion.add(Title="a", Done=False, Note="")

    async def both() -> None:
        await task
        here.other.edit("o1", note="x")
        await task()
        await asyncio.gather(task)

    asyncio.run(both())

    assert here.notion.rows("Note") == [("x",)]


@pytest.fixture
def names(redis_client: Client, task_name: str) -> Iterator[list[str]]:
    found = [f"{task_name}-{number}" for number in range(12)]
    yield found
    for name in found:
        remove_task(redis_client, name)


@pytest.mark.usefixtures("at_redis")
def test_all_tasks_run_at_the_same_time_even_when_their_hooks_block(names: list[str]) -> None:
    together = threading.Barrier(len(names), timeout=20)

    class Blocks(Todo):
        def get_other_objects(self) -> list[Any]:
            together.wait()
            return super().get_other_objects()

    tasks = [Blocks(*_servers(), name=name).schedule() for name in names]

    run_all_tasks()

    assert all(task.sync_ended for task in tasks)
    assert all(task.report.outcome is Outcome.DONE for task in tasks)


def _servers() -> tuple[Any, Any]:
    here = world()
    return here.notion, here.other


@pytest.mark.usefixtures("at_redis")
def test_one_failing_task_stops_no_other_and_finished_ones_are_left_out(
    names: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    good, bad, *_ = (Todo(*_servers(), name=name) for name in names)
    bad.other_server.faults["list", None] = OSError(SECRET)
    good.run_every(seconds=0.01).in_total(3).schedule()
    bad.schedule()

    run_all_tasks()

    assert good.notion_server.listings == 3
    assert "failed: OSError at" in caplog.text
    assert "SECRET" not in caplog.text
    caplog.clear()
    run_all_tasks()
    assert good.notion_server.listings == 3
    assert bad.notion_server.listings == 1
    assert "no task is registered, or all have run as often as they should" in caplog.text
    good.in_total(1)
    run_all_tasks(debug=True)
    assert good.notion_server.listings == 4


@pytest.mark.usefixtures("at_redis")
def test_hooks_see_the_context_of_whoever_runs_them(here: World, task_name: str) -> None:
    session = contextvars.ContextVar("session", default="none")
    seen: list[str] = []

    class Looks(Todo):
        def get_notion_objects(self) -> list[Any]:
            seen.append(session.get())
            return []

    Looks(here.notion, here.other, name=task_name).schedule()
    session.set("mine")

    run_all_tasks()

    assert seen == ["mine"]


@pytest.mark.usefixtures("clean_registry")
def test_an_unreachable_redis_is_one_clear_error(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", "redis://:SECRET-VALUE@127.0.0.1:1/0")
    task = Todo(here.notion, here.other).schedule()

    async def awaited() -> None:
        await task

    def await_it() -> None:
        asyncio.run(awaited())

    starts: tuple[Callable[[], None], ...] = (run_all_tasks, await_it)
    for start in starts:
        with pytest.raises(RedisUnreachableError, match="SYNC_WORKERS_REDIS_URL") as raised:
            start()
        assert "SECRET" not in str(raised.value)
        assert "\n" not in str(raised.value)
    assert here.notion.listings == 0
