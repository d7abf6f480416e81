"""From what waits to runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync_workers.errors import RedisUnreachableError
from sync_workers.model import Side
from sync_workers.redis.keys import Keys
from sync_workers.redis.pauses import pause_connection, pause_task, resume_connection, resume_task
from sync_workers.redis.waiting import Waiting
from sync_workers.report import Trigger
from tests.conftest import wait_until
from tests.web.stage import ADA, ELSEWHERE, PAGE, SOURCE, Stage

SCHEMA = {"entity": {"id": SOURCE, "type": "data_source"}}


def test_what_is_due_becomes_a_look_and_one_run_that_only_looks(stage: Stage) -> None:
    stage.tell()
    stage.tell(entity={"id": ELSEWHERE, "type": "page"})

    assert stage.firing.fire(stage.name) is None

    assert set(stage.looks.waiting(Side.NOTION)) == {PAGE, ELSEWHERE}
    (asked,) = stage.asked
    assert (asked.task, asked.full, asked.looks, asked.trigger) == (stage.name, False, True, Trigger.WEBHOOK)
    assert stage.firing.fire(stage.name) is None
    assert len(stage.asked) == 1


@pytest.mark.parametrize(
    ("kind", "full"), [("data_source.schema_updated", True), ("data_source.undeleted", False)]
)
def test_what_happened_to_the_table_becomes_a_whole_run(stage: Stage, kind: str, full: bool) -> None:
    stage.tell(kind, **SCHEMA)

    stage.firing.fire(stage.name)

    assert [(asked.full, asked.looks) for asked in stage.asked] == [(full, False)]


def test_a_run_that_has_not_begun_stands_for_those_after_it(stage: Stage) -> None:
    # given a run that waits for a worker
    stage.tell()
    stage.firing.fire(stage.name)
    # when
    stage.tell(entity={"id": ELSEWHERE, "type": "page"})
    stage.firing.fire(stage.name)
    # then it will use that look as well
    assert len(stage.asked) == 1
    assert set(stage.looks.waiting(Side.NOTION)) == {PAGE, ELSEWHERE}
    # one that has begun may have used its looks already
    stage.client.ask("ZADD", Keys(stage.name).runs, 1, stage.asked[0].run)
    stage.tell(entity={"id": ADA, "type": "page"})
    stage.firing.fire(stage.name)
    assert len(stage.asked) == 2
    # and one that only looks is no whole run
    stage.tell("data_source.schema_updated", **SCHEMA)
    stage.firing.fire(stage.name)
    assert len(stage.asked) == 3


def test_a_paused_task_gets_no_run_and_keeps_what_is_wanted(stage: Stage) -> None:
    now = datetime.now(UTC)
    pause_task(stage.client, stage.name, "", now)
    stage.tell()
    stage.tell("data_source.schema_updated", **SCHEMA)

    stage.firing.fire(stage.name)

    assert stage.asked == []
    assert set(stage.looks.waiting(Side.NOTION)) == {PAGE}
    waiting = Waiting(stage.client, stage.name)
    resume_task(stage.client, stage.name)
    key = Keys(stage.name).webhook("waiting")
    assert stage.client.ask("ZRANGE", key, 0, -1) == [b"full"], "it comes up again by itself"
    assert waiting.claim().names == ()


def test_a_paused_connection_pauses_its_tasks(stage: Stage) -> None:
    pause_connection(stage.client, stage.name, "", datetime.now(UTC))
    try:
        stage.tell()
        stage.firing.fire(stage.name)
    finally:
        resume_connection(stage.client, stage.name)

    assert stage.asked == []
    assert set(stage.looks.waiting(Side.NOTION)) == {PAGE}


def test_a_broker_that_is_away_loses_nothing(stage: Stage) -> None:
    # given
    stage.asking.failure = RedisUnreachableError("the broker is away")
    stage.tell()
    # when
    with pytest.raises(RedisUnreachableError):
        stage.firing.fire(stage.name)
    # then
    assert set(stage.looks.waiting(Side.NOTION)) == {PAGE}
    assert stage.client.ask("ZCARD", Keys(stage.name).webhook("waiting")) == 1
    assert not stage.waiting.is_asked()


def test_the_thread_fires_when_something_is_due_and_ends_when_told(stage: Stage) -> None:
    stage.firing.start()
    try:
        wait_until(stage.firing.is_alive, "it lives")
        stage.tell()
        stage.firing.wake(stage.name, timedelta(0))
        wait_until(lambda: stage.asked, "it fires")
    finally:
        stage.firing.stop()
    assert not stage.firing.is_alive()


def test_the_thread_finds_what_another_receiver_left(stage: Stage) -> None:
    stage.tell()
    stage.firing.start()
    try:
        wait_until(lambda: stage.asked, "it fires")
    finally:
        stage.firing.stop()
