"""What runs add to the numbers of their task: once each, in the same step as their end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sync_workers.errors import LeaseLostError
from sync_workers.model import Action, Failure, Hold, Side
from sync_workers.redis.connect import Client
from sync_workers.redis.lease import Held, Lease, Taken
from sync_workers.redis.totals import Totals, totals
from sync_workers.report import Outcome, Report, Trigger


def run(client: Client, task: str, name: str, trigger: Trigger = Trigger.BEAT) -> Lease:
    lease = Lease(client, task, name)
    assert isinstance(lease.take(trigger, first=True), Taken)
    return lease


def test_a_task_that_never_ran_has_nothing_to_tell(redis_client: Client, task_name: str) -> None:
    found = totals(redis_client, task_name)
    assert found == Totals(now=found.now)
    assert abs(datetime.now(UTC) - found.now) < timedelta(minutes=1)


def test_a_run_is_counted_once_however_often_it_ends(redis_client: Client, task_name: str) -> None:
    report = Report(task_name, "one", Trigger.BEAT)
    report.count(Side.NOTION, Action.CREATE)
    report.count(Side.NOTION, Action.CREATE)
    report.count(Side.OTHER, Action.LINK)
    report.failures += [
        Failure(Side.OTHER, "1", "no", "update"),
        Failure(Side.OTHER, "2", "lost", "create", unknown=True),
    ]
    report.held.append(Hold(Side.OTHER, "3", "later"))
    report.calls["other"] = 4
    report.seconds |= {"get": 1.25, "apply": 0.5}
    report.outcome = Outcome.PARTIAL
    lease = run(redis_client, task_name, "one")

    for _ in range(2):
        lease.end(report.summary(), totals=report.totals())

    assert totals(redis_client, task_name).counted == {
        ("runs", "beat", "partial"): 1,
        ("phases", "get"): 1,
        ("phases", "apply"): 1,
        ("phase_seconds", "get"): 1.25,
        ("phase_seconds", "apply"): 0.5,
        ("operations", "notion", "create", "done"): 2,
        ("operations", "", "link", "done"): 1,
        ("operations", "other", "update", "failed"): 1,
        ("operations", "other", "create", "unknown"): 1,
        ("held", ""): 1,
        ("calls", "other"): 4,
    }


def test_a_worker_that_wakes_up_when_another_one_has_its_run_counts_for_nothing(
    redis_client: Client, task_name: str
) -> None:
    report = Report(task_name, "one", Trigger.BEAT, outcome=Outcome.DONE)
    report.count(Side.OTHER, Action.CREATE)
    frozen = run(redis_client, task_name, "one")
    second = Lease(redis_client, task_name, "one")
    assert isinstance(second.take(Trigger.BEAT, first=False), Taken)

    with pytest.raises(LeaseLostError):
        frozen.end(report.summary(), totals=report.totals())
    assert totals(redis_client, task_name).counted == {}
    second.end(report.summary(), totals=report.totals())
    frozen.end(report.summary(), totals=report.totals())

    assert totals(redis_client, task_name).counted == {
        ("runs", "beat", "done"): 1,
        ("operations", "other", "create", "done"): 1,
    }


@pytest.mark.parametrize(
    ("outcome", "is_success"),
    [
        (Outcome.DONE, True),
        (Outcome.PARTIAL, True),
        (Outcome.DECISION, True),
        (Outcome.REFUSED, False),
        (Outcome.FAILED, False),
        (Outcome.PAUSED, False),
    ],
)
def test_a_success_is_a_run_that_did_what_could_be_done(
    redis_client: Client, task_name: str, outcome: Outcome, is_success: bool
) -> None:
    report = Report(task_name, "one", outcome=outcome)
    run(redis_client, task_name, "one").end(report.summary(), totals=report.totals())

    found = totals(redis_client, task_name)

    assert found.last_run is not None
    assert (found.last_success is not None) == is_success


def test_a_request_that_waits_for_another_run_is_counted_with_how_long(
    redis_client: Client, task_name: str
) -> None:
    working = run(redis_client, task_name, "one")
    now = totals(redis_client, task_name)
    assert now.begun is not None
    assert not now.following

    for name in ("two", "two", "three"):
        taking = Lease(redis_client, task_name, name).take(Trigger.AD_HOC, first=True)
        assert isinstance(taking, Held)
    assert totals(redis_client, task_name).following
    working.end(Report(task_name, "one", outcome=Outcome.DONE).summary())
    run(redis_client, task_name, "two", Trigger.AD_HOC)

    counted = totals(redis_client, task_name).counted
    assert counted["lease_waits", ""] == 2, "the same message twice is one request"
    assert 0 <= counted["lease_wait_seconds", ""] < 60
