"""From one phase to the next, and what becomes of a run whose message or whose keys are lost on the way."""

from __future__ import annotations

from datetime import timedelta

from sync_workers.errors import StateError
from sync_workers.worker.delivery import Done
from tests.conftest import remove_task
from tests.worker.stage import Stage


def test_a_run_whose_redis_lost_all_keys_begins_again_under_another_id(stage: Stage) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery(full=True)
    stage.phase("get", delivery)
    stage.phase("diff", delivery)
    stage.task.tricks["create-other"] = lambda: remove_task(stage.client, stage.task.name)

    done = stage.phase("apply", delivery)
    assert done.shown["outcome"] == "superseded"
    assert done.following is not None
    assert done.following.full

    assert stage.run(stage.delivery(run=done.following.run)).shown["outcome"] == "done"
    report = stage.runs.report(delivery.run)
    assert report is not None
    assert report["run"] == done.following.run
    assert stage.task.shown("notion") == stage.task.shown("other") == [("Bread", False)]
    assert stage.phase("get", delivery).shown["outcome"] == "superseded", "its message came once more"


def test_a_run_whose_next_message_nobody_takes_ends_and_says_why(stage: Stage) -> None:
    def refused(_again: bool) -> None:
        raise StateError("the broker takes no messages")

    delivery = stage.delivery()
    done = stage.phase("get", delivery, send=refused)
    assert not done.goes_on
    assert done.failure == "the broker takes no messages"
    report = stage.runs.report(delivery.run)
    assert report is not None
    assert report["reason"] == done.failure
    assert stage.runs.lease() is None


def test_the_lease_grows_longer_only_after_the_next_message_was_sent(stage: Stage) -> None:
    seen: list[timedelta] = []

    def send(_again: bool) -> None:
        info = stage.runs.lease()
        assert info is not None
        seen.append(info.ends_in)

    delivery = stage.delivery()
    stage.phase("get", delivery, send=send)
    info = stage.runs.lease()
    assert info is not None
    assert seen[0] <= stage.process.lease < info.ends_in


def test_a_next_phase_that_begins_at_once_is_no_trouble(stage: Stage) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    following: list[Done] = []
    done = stage.phase("get", delivery, send=lambda _again: following.append(stage.phase("diff", delivery)))
    assert done.shown["records"] == {"notion": 1, "other": 0}
    assert following[0].goes_on
    assert stage.phase("apply", delivery).shown["outcome"] == "done"
