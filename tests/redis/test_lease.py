from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from sync_workers.errors import LeaseLostError
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import (
    KEPT_RUNS,
    Finished,
    Following,
    Held,
    Lease,
    Superseded,
    Taken,
    Taking,
)
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.report import Outcome, Report, Trigger
from tests.conftest import wait_until

SHORT = timedelta(milliseconds=60)


class Task:
    """One task on a real Redis, as its attempts and its watchers see it."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self.runs = RunsStore(client, name)

    def lease(self, run: str = "", **durations: timedelta) -> Lease:
        return Lease(self.client, self.name, run or new_run_id(), **durations)

    def begin(self, run: str, trigger: Trigger = Trigger.LOCAL, **request: Any) -> Taking:
        return self.lease(run).take(trigger, first=True, **request)

    def working(self, run: str, **durations: timedelta) -> Lease:
        lease = self.lease(run, **durations)
        assert isinstance(lease.take(Trigger.BEAT, first=True), Taken)
        return lease

    def summary(self, run: str) -> dict[str, Any]:
        return Report(self.name, run, outcome=Outcome.DONE).summary()

    def has_lease_ended(self) -> bool:
        return self.runs.lease() is None

    def wait_for_the_end_of_the_lease(self) -> None:
        wait_until(self.has_lease_ended, "the lease ends by itself")


@pytest.fixture
def task(redis_client: Client, task_name: str) -> Task:
    return Task(redis_client, task_name)


def test_a_free_lease_is_taken_by_the_first_who_comes(task: Task) -> None:
    assert task.begin("one") == Taken(fence=1, full=False)
    assert task.begin("two") == Held(by="one", following=None)

    info = task.runs.lease()
    assert info is not None
    assert (info.run, info.fence, info.trigger) == ("one", 1, "local")
    assert timedelta(seconds=50) < info.ends_in <= timedelta(seconds=60)


def test_of_many_who_come_at_once_exactly_one_gets_it(task: Task) -> None:
    gate = threading.Barrier(16)

    def come(number: int) -> Taking:
        gate.wait()
        return task.begin(f"run-{number}")

    with ThreadPoolExecutor(16) as pool:
        takings = list(pool.map(come, range(16)))
    assert [type(taking) for taking in takings].count(Taken) == 1
    assert [type(taking) for taking in takings].count(Held) == 15


def test_each_attempt_gets_a_higher_number_and_the_older_one_loses(task: Task) -> None:
    first, again = task.lease("one"), task.lease("one")
    first.take(Trigger.BEAT, first=True)
    assert again.take(Trigger.BEAT, first=True) == Taken(fence=2, full=False)

    with pytest.raises(LeaseLostError):
        first.renew()
    with pytest.raises(LeaseLostError):
        first.leave()
    with pytest.raises(LeaseLostError):
        first.end(task.summary("one"))
    again.renew()
    again.end(task.summary("one"))


def test_the_numbers_go_on_over_runs(task: Task) -> None:
    task.working("one").end(task.summary("one"))
    assert task.begin("two") == Taken(fence=2, full=False)


def test_phases_of_a_run_hand_the_lease_on(task: Task) -> None:
    get = task.working("one")
    get.leave()
    info = task.runs.lease()
    assert info is not None
    assert info.ends_in > timedelta(seconds=500)

    diff = task.lease("one")
    assert diff.take(Trigger.BEAT, first=False) == Taken(fence=2, full=False)
    assert task.begin("two") == Held(by="one", following=None)
    diff.end(task.summary("one"))
    assert task.runs.lease() is None
    assert task.begin("two") == Taken(fence=3, full=False)


def test_a_later_phase_goes_on_when_its_lease_ended_while_nobody_else_began(task: Task) -> None:
    task.working("one", working=SHORT)
    task.wait_for_the_end_of_the_lease()
    assert task.lease("one").is_free_for_run()

    assert task.lease("one").take(Trigger.BEAT, first=False) == Taken(fence=2, full=False)
    assert not task.lease("one").is_free_for_run()


def test_a_later_phase_is_superseded_once_another_run_has_begun(task: Task) -> None:
    task.working("one", working=SHORT)
    task.wait_for_the_end_of_the_lease()
    task.working("two").end(task.summary("two"))

    for first in (False, True):
        assert task.lease("one").take(Trigger.BEAT, first=first) == Superseded()
    assert not task.lease("one").is_free_for_run()
    assert task.runs.lease() is None


def test_a_run_that_ended_does_not_begin_again(task: Task) -> None:
    task.working("one").end(task.summary("one"))

    for first in (False, True):
        assert task.lease("one").take(Trigger.BEAT, first=first) == Superseded()


def test_a_later_phase_of_a_run_that_never_began_stops(task: Task) -> None:
    assert task.lease("one").take(Trigger.BEAT, first=False) == Superseded()


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

    assert one.end(task.summary("one")) == Following("two", full=True)
    two = task.lease("two")
    assert two.take(trigger, first=True) == Taken(fence=2, full=True)
    assert task.runs.following() is None
    assert two.end(task.summary("two")) is None
    for run in ("two", "three", "four"):
        report = task.runs.report(run)
        assert report is not None
        assert report["run"] == "two"


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


def test_a_lease_is_renewed_while_its_phase_works(task: Task) -> None:
    with task.working("one", working=timedelta(milliseconds=300)) as lease:
        renewals: list[timedelta] = []

        def renewed_often() -> bool:
            info = task.runs.lease()
            assert info is not None, "the lease ended while its phase worked"
            if not renewals or info.ends_in > renewals[-1]:
                renewals.append(info.ends_in)
            else:
                renewals[-1] = info.ends_in
            return len(renewals) > 4

        wait_until(renewed_often, "renewals")
        lease.check()
    task.wait_for_the_end_of_the_lease()


def test_a_phase_learns_that_its_lease_has_gone(task: Task) -> None:
    with task.working("one", working=SHORT) as lease:
        lease.check()
        task.client.ask("DEL", Keys(task.name).lease)
        wait_until(lambda: lease.lost, "the loss is noticed")
        with pytest.raises(LeaseLostError, match="one"):
            lease.check()


def test_leaving_is_not_undone_by_a_late_renewal(task: Task) -> None:
    with task.working("one", working=SHORT, between=timedelta(seconds=30)) as lease:
        lease.leave()
        assert not [t for t in threading.enumerate() if t.name == "lease one"]
    info = task.runs.lease()
    assert info is not None
    assert info.ends_in > timedelta(seconds=20)


def test_the_end_of_a_run_removes_what_it_left_lying(task: Task) -> None:
    lease = task.working("one")
    task.runs.put("one", lease.fence, "snapshot", b"s")
    task.runs.put("one", lease.fence, "plan", b"p")
    task.client.ask("HSET", Keys(task.name).journal("one"), "0", "ended")
    lease.end(task.summary("one"))

    left = {key.decode().rpartition(":")[2] for key in task.client.ask("KEYS", f"{Keys(task.name).prefix}:*")}
    assert left == {"fence", "runs", "reports", "counters"}


def test_only_the_last_runs_are_remembered(task: Task) -> None:
    for number in range(KEPT_RUNS + 5):
        task.working(f"run-{number}").end(task.summary(f"run-{number}"))

    assert [report["run"] for report in task.runs.recent(2)] == [
        f"run-{KEPT_RUNS + 4}",
        f"run-{KEPT_RUNS + 3}",
    ]
    assert len(task.runs.recent(KEPT_RUNS * 2)) == KEPT_RUNS
    assert task.client.ask("HLEN", Keys(task.name).reports) == KEPT_RUNS
    assert task.runs.counters()["done"] == KEPT_RUNS + 5


def test_tasks_do_not_stand_in_each_others_way(task: Task) -> None:
    task.working("one")
    another = Task(task.client, f"{task.name}-x")
    try:
        assert isinstance(another.begin("two"), Taken)
    finally:
        another.client.ask("DEL", *another.client.ask("KEYS", f"{Keys(another.name).prefix}:*"))
