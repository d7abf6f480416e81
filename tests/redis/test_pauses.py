"""Pauses in Redis: who may begin a run while one stands, and what the end of a run makes of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from redis.crc import key_slot

from sync_workers.model import Pair, Side
from sync_workers.redis.keys import Keys, paused_connection
from sync_workers.redis.lease import Held, Lease, Paused, Superseded, Taken
from sync_workers.redis.pauses import (
    By,
    Pause,
    Watch,
    count_paused_records,
    pause_connection,
    pause_of_connections,
    pause_of_task,
    pause_records,
    pause_task,
    resume_connection,
    resume_task,
)
from sync_workers.redis.state_store import load
from sync_workers.report import Trigger
from tests.redis.task import Task
from tests.worker.stage import PLANTED

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BY_PERSON = Pause(By.PERSON, NOON, "moving house")
NUMBERS = itertools.count(1)


@pytest.fixture
def connection(task: Task) -> Iterator[str]:
    name = f"{task.name}-{next(NUMBERS)}"
    yield name
    resume_connection(task.client, name)


def blocked(task: Task, reason: str = "no access", run: str = "") -> Lease:
    """A run that ended with a failure which only a person can mend."""
    run = run or f"run-{next(NUMBERS)}"
    lease = task.lease(run)
    assert isinstance(lease.take(Trigger.AD_HOC, first=True), Taken)
    lease.end(task.summary(run), blocked=reason)
    return lease


def pause_of(task: Task) -> Pause:
    found = pause_of_task(task.client, task.name)
    assert found is not None
    return found


# --- of a task ---


def test_a_pause_is_there_until_it_is_ended(task: Task) -> None:
    assert pause_of_task(task.client, task.name) is None
    pause_task(task.client, task.name, "moving house", NOON)
    assert pause_of(task) == BY_PERSON
    assert resume_task(task.client, task.name) == BY_PERSON
    assert resume_task(task.client, task.name) is None
    assert pause_of_task(task.client, task.name) is None


@pytest.mark.parametrize("trigger", list(Trigger))
def test_no_run_begins_while_a_person_has_paused_the_task(task: Task, trigger: Trigger) -> None:
    pause_task(task.client, task.name, "moving house", NOON)
    assert task.begin("one", trigger) == Paused(BY_PERSON)
    assert task.runs.lease() is None

    resume_task(task.client, task.name)
    assert isinstance(task.begin("one", trigger), Taken)


@pytest.mark.parametrize(
    ("trigger", "is_tried"),
    [
        (Trigger.AD_HOC, True),
        (Trigger.LOCAL, True),
        (Trigger.BEAT, False),
        (Trigger.WEBHOOK, False),
        (Trigger.RETRY, False),
    ],
)
def test_after_a_failure_of_a_service_only_a_person_may_try(
    task: Task, trigger: Trigger, *, is_tried: bool
) -> None:
    blocked(task)
    taking = task.begin("one", trigger)
    assert isinstance(taking, Taken if is_tried else Paused)
    assert isinstance(taking, Taken | Paused)
    assert taking.pause == pause_of(task)


def test_a_tick_of_a_schedule_in_this_process_is_no_request(task: Task) -> None:
    blocked(task)
    assert isinstance(task.begin("one", Trigger.LOCAL, asked=False), Paused)
    assert isinstance(task.begin("two", Trigger.LOCAL), Taken)


def test_ticks_are_counted_as_paused_and_use_up_none_of_the_total(task: Task) -> None:
    pause_task(task.client, task.name, "", NOON)
    for number in range(3):
        assert isinstance(task.begin(f"tick-{number}", Trigger.BEAT, total=2), Paused)
    assert task.runs.counters() == {"paused": 3}


def test_a_request_that_is_turned_away_has_a_report_and_does_not_begin_later(task: Task) -> None:
    pause_task(task.client, task.name, "", NOON)
    task.begin("one", Trigger.AD_HOC)
    for _ in range(2):  # its message may come twice
        task.runs.turn_away("one", {**task.summary("one"), "outcome": "paused"})
    resume_task(task.client, task.name)

    assert task.begin("one", Trigger.AD_HOC) == Superseded()
    report = task.runs.report("one")
    assert report is not None
    assert report["outcome"] == "paused"
    assert task.runs.counters() == {"paused": 1}


def test_requests_that_waited_for_a_following_run_are_answered_when_it_meets_the_pause(task: Task) -> None:
    working = task.working("one")
    for run in ("two", "three"):
        assert task.begin(run, Trigger.AD_HOC) == Held(by="one", following="two")
    pause_task(task.client, task.name, "", NOON)
    following = working.end(task.summary("one"))
    assert following is not None

    assert isinstance(task.begin(following.run, Trigger.AD_HOC), Paused)
    task.runs.turn_away("two", {**task.summary("two"), "outcome": "paused"})

    assert task.runs.following() is None
    for run in ("two", "three"):
        assert (task.runs.report(run) or {})["run"] == "two"


def test_a_run_that_has_begun_is_told_at_its_next_attempt(task: Task) -> None:
    task.working("one")
    pause_task(task.client, task.name, "moving house", NOON)
    assert task.lease("one").take(Trigger.BEAT, first=False) == Taken(2, full=False, pause=BY_PERSON)


# --- by a service ---


def test_a_run_that_only_a_person_can_mend_pauses_its_task(task: Task) -> None:
    before = datetime.now(UTC) - timedelta(minutes=1)
    assert blocked(task, "the token is refused").began_pause
    found = pause_of(task)
    assert (found.by, found.reason) == (By.SERVICE, "the token is refused")
    assert before < found.since < datetime.now(UTC) + timedelta(minutes=1)


def test_a_second_failure_tells_the_newest_reason_and_is_no_new_pause(task: Task) -> None:
    blocked(task, "the token is refused")
    first = pause_of(task)
    assert not blocked(task, "the database is not shared").began_pause
    assert pause_of(task) == Pause(By.SERVICE, first.since, "the database is not shared")


def test_an_end_that_is_sent_twice_still_tells_that_it_began_the_pause(task: Task) -> None:
    lease = blocked(task, run="one")
    lease.began_pause = False
    lease.end(task.summary("one"), blocked="no access")
    assert lease.began_pause


def test_a_failure_does_not_take_the_place_of_a_persons_pause(task: Task) -> None:
    lease = task.working("one")
    pause_task(task.client, task.name, "moving house", NOON)
    lease.end(task.summary("one"), blocked="no access")
    assert not lease.began_pause
    assert pause_of(task) == BY_PERSON


def test_a_person_may_pause_what_a_service_paused(task: Task) -> None:
    one = blocked(task, run="one")
    pause_task(task.client, task.name, "moving house", NOON)
    assert pause_of(task) == BY_PERSON
    one.end(task.summary("one"))  # sent once more
    assert not one.began_pause


@pytest.mark.parametrize("works", [True, False])
def test_a_run_that_works_ends_the_pause_of_a_service(task: Task, *, works: bool) -> None:
    blocked(task)
    task.lease("x").take(Trigger.AD_HOC, first=True)
    lease = task.lease("x")
    lease.take(Trigger.AD_HOC, first=False)
    lease.end(task.summary("x"), works=works)
    assert (pause_of_task(task.client, task.name) is None) is works


def test_a_run_that_works_does_not_end_a_persons_pause(task: Task) -> None:
    lease = task.working("one")
    pause_task(task.client, task.name, "moving house", NOON)
    lease.end(task.summary("one"), works=True)
    assert pause_of(task) == BY_PERSON


def test_a_run_whose_lease_has_gone_pauses_nothing(task: Task) -> None:
    stale = task.working("one")
    task.client.ask("DEL", Keys(task.name).lease, Keys(task.name).current)
    task.working("two")
    with pytest.raises(Exception, match="does not have the lease"):
        stale.end(task.summary("one"), blocked="no access")
    assert pause_of_task(task.client, task.name) is None


# --- of a connection ---


def test_no_run_that_uses_a_paused_connection_begins(task: Task, connection: str) -> None:
    pause_connection(task.client, connection, "moving house", NOON)
    paused = Pause(By.PERSON, NOON, "moving house", connection)
    lease = task.lease("one", connections=("free", connection))
    assert lease.take(Trigger.AD_HOC, first=True) == Paused(paused)
    assert isinstance(task.begin("two"), Taken)  # another task's run

    assert pause_of_connections(task.client, [connection]) == paused
    assert resume_connection(task.client, connection) is not None
    assert pause_of_connections(task.client, ["free", connection]) is None


def test_a_tick_that_meets_a_paused_connection_is_counted(task: Task, connection: str) -> None:
    pause_connection(task.client, connection, "", NOON)
    task.lease("one", connections=(connection,)).take(Trigger.BEAT, first=True)
    assert task.runs.counters() == {"paused": 1}


def test_a_connection_has_a_slot_of_its_own() -> None:
    assert paused_connection("work") == "sync:connection:{work}:paused"
    assert key_slot(paused_connection("work").encode()) == key_slot(b"work")


# --- while a run works ---


def test_a_run_that_works_sees_a_persons_pause(task: Task, connection: str) -> None:
    watch = Watch(task.client, task.name, [connection], every=timedelta(0))
    assert not watch.is_paused()
    pause_task(task.client, task.name, "moving house", NOON)
    assert watch.is_paused()
    assert watch.found == BY_PERSON


def test_a_run_that_works_sees_the_pause_of_its_connection(task: Task, connection: str) -> None:
    watch = Watch(task.client, task.name, [connection], every=timedelta(0))
    assert not watch.is_paused()
    pause_connection(task.client, connection, "", NOON)
    assert watch.is_paused()


def test_a_run_that_tries_a_paused_task_is_not_stopped_by_that_pause(task: Task) -> None:
    blocked(task)
    assert not Watch(task.client, task.name, [], every=timedelta(0)).is_paused()


def test_a_run_that_works_does_not_ask_before_every_write(task: Task) -> None:
    watch = Watch(task.client, task.name, [], every=timedelta(hours=1))
    assert not watch.is_paused()
    pause_task(task.client, task.name, "", NOON)
    assert not watch.is_paused()


# --- of a record ---


def test_a_record_is_paused_in_the_state_without_a_lease(task: Task) -> None:
    task.client.ask("HSET", Keys(task.name).meta, "version", "1")
    task.client.ask("HSET", Keys(task.name).part("links"), "n1", b'["o1",{},{}]')
    pause_records(task.client, task.name, Pair("n1", "o1"), paused=True)
    pause_records(task.client, task.name, Pair(None, "o:2"), paused=True)
    pause_records(task.client, task.name, Pair("n3", None), paused=True)

    state = load(task.client, task.name)
    assert state is not None
    assert state.paused == {Side.NOTION: {"n1", "n3"}, Side.OTHER: {"o1", "o:2"}}
    assert count_paused_records(task.client, task.name) == 3

    pause_records(task.client, task.name, Pair("n1", "o1"), paused=False)
    assert count_paused_records(task.client, task.name) == 2


# --- what is told ---


@pytest.mark.parametrize(
    ("pause", "command"),
    [
        (Pause(By.PERSON, NOON, PLANTED), "`sync-workers resume todo`"),
        (
            Pause(By.SERVICE, NOON, PLANTED),
            "`sync-workers resume todo`, or try it with `sync-workers run todo`",
        ),
        (Pause(By.PERSON, NOON, PLANTED, "work"), "`sync-workers resume --connection work`"),
    ],
)
def test_a_pause_is_told_with_the_next_step_and_without_what_a_person_wrote(
    pause: Pause, command: str
) -> None:
    told = pause.told("todo")
    assert command in told
    assert "2026-03-01 12:00 UTC" in told
    assert PLANTED not in told
