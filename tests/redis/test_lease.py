from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from sync_workers.errors import LeaseLostError
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import (
    KEPT_RUNS,
    Held,
    Superseded,
    Taken,
    Taking,
)
from sync_workers.report import Trigger
from tests.conftest import wait_until
from tests.redis.task import SHORT, Task


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
    assert left == {"fence", "runs", "reports", "counters", "totals"}


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


def test_a_process_that_was_cut_off_for_longer_than_its_lease_knows_it_by_its_own_clock(task: Task) -> None:
    lease = task.working("one", working=SHORT)
    lease.check()
    wait_until(lambda: task.runs.lease() is None, "the lease ends")
    # ... and no renewal has told it so
    with pytest.raises(LeaseLostError):
        lease.check()
