from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sync_workers.redis.beat import (
    Lead,
    claim_tick,
    count_skipped,
    last_sent,
    last_tick,
    leader,
)
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.runs_store import RunsStore
from tests.conftest import wait_until


def test_of_two_beats_one_has_the_right_to_tick(alone: Client) -> None:
    one, another = Lead(alone, "one"), Lead(alone, "another")
    assert leader(alone) is None

    assert one.keep()
    assert not another.keep()
    assert one.keep()

    found = leader(alone)
    assert found is not None
    assert found.name == "one"
    assert abs(datetime.now(UTC) - found.since) < timedelta(minutes=1)


def test_who_ends_leaves_the_right_to_the_next_and_takes_it_from_nobody(alone: Client) -> None:
    one, another = Lead(alone, "one"), Lead(alone, "another")
    one.keep()
    another.leave()
    assert one.keep()

    one.leave()

    assert another.keep()
    one.leave()
    assert not one.keep()


def test_the_right_of_a_beat_that_died_ends(alone: Client) -> None:
    dead, another = Lead(alone, "dead", timedelta(milliseconds=50)), Lead(alone, "another")
    assert dead.keep()

    wait_until(another.keep, "another beat takes over")

    assert not dead.keep(), "it wakes up and stands by"


def test_of_two_beats_that_tick_together_one_counts(redis_client: Client, task_name: str) -> None:
    apart = timedelta(minutes=1)
    assert last_tick(redis_client, task_name) is None
    assert last_sent(redis_client, task_name) is None
    assert claim_tick(redis_client, task_name, "a", apart, 12.25)
    assert not claim_tick(redis_client, task_name, "b", apart, 13)
    assert claim_tick(redis_client, task_name, "a", apart, 12.25), "asked again after a lost answer"

    at = last_tick(redis_client, task_name)
    assert at is not None
    assert abs(datetime.now(UTC) - at) < timedelta(minutes=1)
    assert last_sent(redis_client, task_name) == 12.25
    assert claim_tick(redis_client, task_name, "c", timedelta(0), 14)


def test_a_tick_in_the_future_is_no_reason_to_wait_for_it(redis_client: Client, task_name: str) -> None:
    assert claim_tick(redis_client, task_name, "a", timedelta(minutes=1), 1)
    redis_client.ask("HINCRBY", Keys(task_name).tick, "at", 3_600_000)  # the clock was set back since

    assert claim_tick(redis_client, task_name, "b", timedelta(minutes=1), 2)

    assert not claim_tick(redis_client, task_name, "c", timedelta(minutes=1), 3)


def test_ticks_that_are_left_out_are_counted(redis_client: Client, task_name: str) -> None:
    count_skipped(redis_client, task_name)
    count_skipped(redis_client, task_name)
    assert RunsStore(redis_client, task_name).counters() == {"skipped": 2}
