"""What becomes of ticks and requests while another run has the lease."""

from __future__ import annotations

import pytest

from sync_workers.redis.lease import (
    Finished,
    Following,
    Held,
    Superseded,
    Taken,
)
from sync_workers.report import Trigger
from tests.redis.task import SHORT, Task


def test_a_tick_while_another_run_works_is_dropped_and_counted(task: Task) -> None:
    one = task.working("one")
    for number in range(3):
        assert task.begin(f"tick-{number}", Trigger.BEAT) == Held(by="one", following=None)

    assert task.runs.counters()["dropped"] == 3
    assert one.end(task.summary("one")) is None


@pytest.mark.parametrize("trigger", [Trigger.AD_HOC, Trigger.WEBHOOK, Trigger.RETRY])
def test_requests_while_another_run_works_become_one_following_run(task: Task, trigger: Trigger) -> None:
    one = task.working("one")
    assert task.begin("two", trigger) == Held(by="one", following="two")
    assert task.begin("three", trigger, full=True) == Held(by="one", following="two")
    assert task.begin("four", trigger) == Held(by="one", following="two")
    assert task.runs.following() == "two"
    assert "dropped" not in task.runs.counters()

    assert one.end(task.summary("one")) == Following("two", full=True, trigger=trigger)
    two = task.lease("two")
    assert two.take(trigger, first=True) == Taken(fence=2, full=True)
    assert task.runs.following() is None
    assert two.end(task.summary("two")) is None
    for run in ("two", "three", "four"):
        report = task.runs.report(run)
        assert report is not None
        assert report["run"] == "two"


def test_a_following_run_is_ad_hoc_where_one_of_several_requests_is_a_persons(task: Task) -> None:
    one = task.working("one")
    task.begin("two", Trigger.WEBHOOK)
    task.begin("three", Trigger.AD_HOC)
    task.begin("four", Trigger.WEBHOOK)
    assert one.end(task.summary("one")) == Following("two", full=False, trigger=Trigger.AD_HOC)


def test_the_following_run_is_known_until_it_begins(task: Task) -> None:
    one = task.working("one")
    task.begin("two", Trigger.AD_HOC)
    assert one.end(task.summary("one")) == Following("two", full=False)
    # ... and who ended it died before starting the following run; its message comes again:
    assert one.end(task.summary("one")) == Following("two", full=False)

    assert task.begin("two", Trigger.AD_HOC) == Taken(fence=2, full=False)
    assert task.begin("two", Trigger.AD_HOC) == Taken(fence=3, full=False)  # started twice: one run


def test_a_request_that_is_delivered_twice_still_begins(task: Task) -> None:
    one = task.working("one")
    for _delivery in range(2):
        assert task.begin("two", Trigger.AD_HOC) == Held(by="one", following="two")
    one.end(task.summary("one"))
    assert task.begin("two", Trigger.AD_HOC) == Taken(fence=2, full=False)


def test_a_run_that_begins_first_does_what_the_following_run_was_for(task: Task) -> None:
    one = task.working("one")
    task.begin("two", Trigger.AD_HOC, full=True)
    one.end(task.summary("one"))

    tick = task.lease("tick")
    assert tick.take(Trigger.BEAT, first=True) == Taken(fence=2, full=True)
    assert tick.end(task.summary("tick")) is None
    assert task.begin("two", Trigger.AD_HOC) == Superseded()
    report = task.runs.report("two")
    assert report is not None
    assert report["run"] == "tick"


def test_whoever_waits_for_a_run_that_died_gets_the_result_of_the_next(task: Task) -> None:
    full = task.lease("one", working=SHORT)
    full.take(Trigger.AD_HOC, first=True, full=True)
    task.wait_for_the_end_of_the_lease()
    assert task.runs.report("one") is None

    two = task.lease("two")
    assert two.take(Trigger.BEAT, first=True) == Taken(fence=2, full=True)
    two.end(task.summary("two"))
    report = task.runs.report("one")
    assert report is not None
    assert report["run"] == "two"


def test_a_caller_in_the_same_process_is_told_and_nothing_follows(task: Task) -> None:
    one = task.working("one")
    assert task.begin("two", Trigger.LOCAL) == Held(by="one", following=None)
    assert task.runs.counters() == {}
    assert one.end(task.summary("one")) is None


def test_a_task_is_run_by_its_schedule_as_often_as_it_says(task: Task) -> None:
    for run in ("one", "two"):
        for _attempt in range(2):  # an attempt more is no run more
            lease = task.lease(run)
            assert isinstance(lease.take(Trigger.BEAT, first=True, total=2), Taken)
        lease.end(task.summary(run))

    assert task.begin("three", Trigger.BEAT, total=2) == Finished()
    assert task.runs.lease() is None
    assert isinstance(task.begin("four", Trigger.AD_HOC, total=2), Taken)


def test_a_dropped_tick_is_none_of_the_total(task: Task) -> None:
    one = task.lease("one")
    one.take(Trigger.BEAT, first=True, total=2)
    task.begin("tick", Trigger.BEAT, total=2)
    one.end(task.summary("one"))
    assert isinstance(task.begin("two", Trigger.BEAT, total=2), Taken)
