"""What webhook events want of a task waits until nothing more was heard of it for a while."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from sync_workers.model import Pair
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.runs_store import new_run_id
from sync_workers.redis.waiting import ASKED, EVENTS_KEPT, Claimed, Waiting, Wanted
from tests.conftest import wait_until

NOW, LONG, DAY = timedelta(0), timedelta(hours=1), timedelta(days=1)
TWO = Wanted(Pair(("a", "b"), ()))
A, B = (Wanted(Pair((name,), ())) for name in "ab")


@pytest.fixture
def waiting(redis_client: Client, task_name: str) -> Waiting:
    return Waiting(redis_client, task_name)


def test_what_is_wanted_survives_its_way_through_redis(waiting: Waiting) -> None:
    wanted = Wanted(Pair(("a", "b:c"), ("b:c",)), run=True, full=True)

    waiting.hear("event", wanted, NOW, NOW)

    assert waiting.claim().wanted == wanted


def test_nothing_is_due_before_it_was_quiet(waiting: Waiting) -> None:
    heard = waiting.hear("event", A, LONG, DAY)

    claimed = waiting.claim()

    assert claimed.wanted == Wanted()
    for told in (heard.next_in, claimed.next_in):
        assert told is not None
        assert LONG - timedelta(minutes=10) < told <= LONG


def test_each_event_makes_its_record_wait_anew_and_no_other(waiting: Waiting) -> None:
    # given
    waiting.hear("first", TWO, NOW, DAY)
    # when
    heard = waiting.hear("second", A, LONG, DAY)
    # then
    assert heard.joined
    assert waiting.claim().wanted == B


def test_the_quiet_time_begins_with_the_last_event(
    waiting: Waiting, redis_client: Client, task_name: str
) -> None:
    # given a record whose first event came three hours ago
    waiting.hear("first", A, NOW, DAY)
    seconds, _ = redis_client.ask("TIME")
    redis_client.ask(
        "HSET", Keys(task_name).webhook("since"), "notion:a", int(seconds) * 1000 - 3 * 3_600_000
    )
    # when
    heard = waiting.hear("second", A, LONG, DAY)
    # then
    assert heard.next_in is not None
    assert heard.next_in > LONG - timedelta(minutes=10)


def test_a_record_that_never_rests_does_not_wait_for_ever(waiting: Waiting) -> None:
    def is_due() -> bool:
        waiting.hear(new_run_id(), A, LONG, timedelta(milliseconds=50))
        return waiting.claim().wanted == A

    wait_until(is_due, "it is due although it never rests")


def test_an_event_that_comes_twice_is_heard_once(waiting: Waiting) -> None:
    # given
    assert waiting.hear("event", A, NOW, NOW).new
    waiting.settle(waiting.claim())
    # when
    again = waiting.hear("event", A, NOW, NOW)
    # then
    assert not again.new
    assert waiting.claim().wanted == Wanted()


def test_the_ids_of_events_are_kept_for_longer_than_notion_sends_them_again(
    waiting: Waiting, redis_client: Client, task_name: str
) -> None:
    waiting.hear("event", A, NOW, NOW)
    key = Keys(task_name).webhook("events")
    assert timedelta(hours=24) < timedelta(milliseconds=redis_client.ask("PTTL", key)) <= EVENTS_KEPT
    # one from the day before yesterday makes room
    redis_client.ask("ZADD", key, 1, "old")
    waiting.hear("another", A, NOW, NOW)
    assert set(redis_client.ask("ZRANGE", key, 0, -1)) == {b"event", b"another"}


def test_of_many_receivers_one_gets_what_is_due(waiting: Waiting) -> None:
    waiting.hear("event", TWO, NOW, NOW)

    with ThreadPoolExecutor(16) as pool:
        claims = list(pool.map(lambda _: waiting.claim().names, range(64)))

    assert [claim for claim in claims if claim] == [("notion:a", "notion:b")]


def test_what_a_killed_receiver_had_claimed_comes_up_again(waiting: Waiting) -> None:
    waiting.hear("event", A, NOW, NOW)
    assert waiting.claim(hold=timedelta(milliseconds=30)).wanted == A
    assert wait_until(lambda: waiting.claim(hold=LONG).names, "it comes up again")


def test_an_event_that_comes_while_its_record_is_fired_makes_it_wait_anew(waiting: Waiting) -> None:
    # given
    waiting.hear("first", TWO, NOW, NOW)
    claimed = waiting.claim()
    # when
    heard = waiting.hear("second", A, NOW, NOW)
    waiting.settle(claimed)
    # then
    assert not heard.joined
    assert waiting.claim().wanted == A


def test_a_receiver_that_wakes_up_late_settles_nothing_that_another_claimed(waiting: Waiting) -> None:
    # given
    waiting.hear("event", A, NOW, NOW)
    late = waiting.claim(hold=timedelta(milliseconds=1))

    def claim() -> Claimed | None:
        claimed = waiting.claim(hold=timedelta(milliseconds=1))
        return claimed if claimed.names else None

    other = wait_until(claim, "another one claims it")
    # when
    waiting.settle(late)
    # then
    assert wait_until(claim, "it still waits").wanted == A
    assert other.by != late.by


def test_what_is_not_to_be_settled_stays(waiting: Waiting) -> None:
    waiting.hear("event", Wanted(A.looks, run=True), NOW, NOW)

    waiting.settle(waiting.claim(hold=timedelta(milliseconds=1)), but=["run"])

    assert wait_until(lambda: waiting.claim().names, "the rest comes up again") == ("run",)


BEGINS: list[Callable[[Client, str, str], object]] = [
    lambda client, task, run: client.ask("ZADD", Keys(task).runs, 1, run),
    lambda client, task, _run: client.ask("DEL", Keys(task).webhook("asked")),
]


@pytest.mark.parametrize("ends", BEGINS, ids=["it begins", "its message is lost"])
def test_a_run_that_was_asked_for_stands_for_others_until(
    waiting: Waiting, redis_client: Client, task_name: str, ends: Callable[[Client, str, str], object]
) -> None:
    run = new_run_id()
    assert not waiting.is_asked()
    waiting.ask(run)
    assert waiting.is_asked()
    left = timedelta(milliseconds=redis_client.ask("PTTL", Keys(task_name).webhook("asked")))
    assert timedelta(0) < left <= ASKED

    ends(redis_client, task_name, run)

    assert not waiting.is_asked()


def test_a_link_is_known_by_its_notion_id(waiting: Waiting, redis_client: Client, task_name: str) -> None:
    redis_client.ask("HSET", Keys(task_name).part("links"), "a", "[]")

    assert waiting.is_linked("a")
    assert not waiting.is_linked("b")
