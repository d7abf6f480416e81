"""Paused tasks in the caller's own process: single runs, and tasks as they are scheduled."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sync_workers.config.read import read
from sync_workers.errors import AccessError, SettingsError
from sync_workers.local import run_as_scheduled, run_here
from sync_workers.model import Pair, Side
from sync_workers.pausing import pause_record, resume_record
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.pauses import By, pause_of_task, pause_task, resume_task
from sync_workers.redis.runs_store import RunsStore
from sync_workers.redis.state_store import load
from sync_workers.report import Outcome
from sync_workers.service_task import ServiceTask
from tests.task_worlds import Todo, World, world
from tests.test_local_schedule import Hand

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Tricky(Todo):
    """Does something of the test's own at each listing of the other side."""

    trick: Callable[[], object] = staticmethod(lambda: None)

    def get_other_objects(self) -> list[Any]:
        self.trick()
        return super().get_other_objects()


@pytest.fixture
def here() -> World:
    made = world()
    made.notion.add(Title="a", Done=False, Note="")
    return made


@pytest.fixture
def task(here: World, task_name: str) -> Tricky:
    return Tricky(here.notion, here.other, name=task_name)


def refuse() -> None:
    msg = "the service refuses the token"
    raise AccessError(msg)


def alerts(caplog: pytest.LogCaptureFixture) -> int:
    return sum(getattr(record, "action", "") == "alert" for record in caplog.records)


def test_a_run_of_a_task_that_a_person_paused_ends_at_once(
    here: World, task: Tricky, redis_client: Client
) -> None:
    pause_task(redis_client, task.name, "", NOON)
    report = run_here(task, redis_client)
    assert report.outcome is Outcome.PAUSED
    assert f"`sync-workers resume {task.name}`" in report.reason
    assert here.notion.listings == 0
    assert redis_client.ask("EXISTS", Keys(task.name).lease) == 0


def test_a_refused_credential_pauses_the_task_and_the_next_run_of_a_person_tries_it(
    here: World, task: Tricky, redis_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    task.trick = refuse
    for _ in range(2):
        with pytest.raises(AccessError):
            run_here(task, redis_client)
    paused = pause_of_task(redis_client, task.name)
    assert paused is not None
    assert (paused.by, paused.reason) == (By.SERVICE, "the service refuses the token")
    assert alerts(caplog) == 1

    task.trick = lambda: None
    report = run_here(task, redis_client)
    assert report.resumed
    assert here.sides_agree()
    assert pause_of_task(redis_client, task.name) is None


def test_a_run_that_is_paused_before_it_writes_stops_there_and_goes_on_later(
    here: World, task: Tricky, redis_client: Client
) -> None:
    task.trick = lambda: pause_task(redis_client, task.name, "", NOON)

    report = run_here(task, redis_client)

    assert report.outcome is Outcome.PAUSED
    assert here.other.counts() == {}
    assert redis_client.ask("EXISTS", Keys(task.name).lease) == 0
    assert RunsStore(redis_client, task.name).recent()[0]["outcome"] == "paused"
    task.trick = lambda: None
    resume_task(redis_client, task.name)
    assert run_here(task, redis_client).counts == {"other.create": 1}
    state = load(redis_client, task.name)
    assert state is not None
    assert state.ids == {"n1": "o1"}


def test_ticks_of_a_paused_task_ask_nobody_and_say_nothing_until_it_is_resumed(
    here: World, task: Tricky, redis_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    listings: list[int] = []

    class Resumes(Hand):
        async def sleep(self, seconds: float) -> None:
            listings.append(here.other.listings)
            if len(listings) == 4:
                task.trick = lambda: None
                resume_task(redis_client, task.name)
            await super().sleep(seconds)

    task.trick = refuse
    task.run_every(seconds=10).in_total(2)
    asyncio.run(run_as_scheduled(task, redis_client, clock=Resumes()))

    assert listings == [0, 0, 0, 0]
    assert here.sides_agree()
    assert alerts(caplog) == 1
    assert [r.levelname for r in caplog.records if "paused" in r.getMessage()] == ["ERROR"]
    assert RunsStore(redis_client, task.name).counters() == {"failed": 1, "paused": 3, "done": 1}


def test_who_starts_a_paused_task_is_told_once(
    task: Tricky, redis_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    pause_task(redis_client, task.name, "", NOON)
    asyncio.run(run_as_scheduled(task, redis_client, clock=Hand()))
    assert not task.sync_ended
    assert f"`sync-workers resume {task.name}`" in caplog.text


def test_a_record_of_hooks_that_has_no_link_is_looked_for_in_their_listings(
    here: World, task: Tricky, redis_client: Client
) -> None:
    run_here(task, redis_client)
    new = here.other.add(title="b", done=False, note="")

    assert pause_record(task, redis_client, new.id) == Pair(None, new.id)

    assert [hold.record_id for hold in run_here(task, redis_client).held] == [new.id]
    assert here.notion.counts() == {}
    resume_record(task, redis_client, new.id)
    assert run_here(task, redis_client).counts == {"notion.create": 1}


def test_a_side_that_cannot_be_asked_for_a_record_is_told_with_the_remedy(
    task: Tricky, redis_client: Client
) -> None:
    run_here(task, redis_client)
    task.trick = refuse
    with pytest.raises(SettingsError, match=r"other could not be asked .* --side other"):
        pause_record(task, redis_client, "new")
    assert pause_record(task, redis_client, "new", Side.OTHER) == Pair(None, "new")


# --- a task of the task file ---


@pytest.fixture
def configured(task_name: str, tmp_path: Path) -> ServiceTask:
    """Between a memory container and a table that is not there yet."""
    text = f"""
        [connections.scratch]
        kind = "memory"
        [connections.tables]
        kind = "sql"
        url = "sqlite:///{tmp_path}/tables.db"
        [tasks.{task_name}]
        notion = {{ connection = "scratch", container = "{task_name}" }}
        other = {{ connection = "tables", table = "todos" }}
        match = ["title"]
        fields = {{ title = "title" }}
    """
    return ServiceTask(read(text, tmp_path / "sync.toml").tasks[task_name])


def test_a_task_of_the_task_file_names_its_connections(configured: ServiceTask) -> None:
    assert configured.sync_connections == ("scratch", "tables")


def test_a_container_that_is_not_there_pauses_the_task_until_it_is(
    configured: ServiceTask, redis_client: Client, tmp_path: Path
) -> None:
    database = sqlite3.connect(tmp_path / "tables.db")
    for _ in range(2):
        with pytest.raises(SettingsError, match="todos") as caught:
            run_here(configured, redis_client)
    paused = pause_of_task(redis_client, configured.name)
    assert paused is not None
    assert paused.reason == " ".join(str(caught.value).split())
    assert run_here(configured, redis_client, asked=False).outcome is Outcome.PAUSED

    database.execute("CREATE TABLE todos (id INTEGER PRIMARY KEY, title TEXT)")
    database.close()

    assert run_here(configured, redis_client).resumed
    assert pause_of_task(redis_client, configured.name) is None
