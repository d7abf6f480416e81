"""The phases without Celery: one process, a real Redis, two JSON files as sides."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Following
from sync_workers.report import Trigger
from sync_workers.worker import phases
from sync_workers.worker.delivery import Done
from sync_workers.worker.process import Process
from tests.worker.stage import PLANTED, Stage, raising


def test_three_phases_bring_both_sides_together(stage: Stage) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    stage.task.put("other", summary="Milk", done=True)

    delivery = stage.delivery()
    get = stage.phase("get", delivery)
    assert get.goes_on
    assert get.shown["records"] == {"notion": 1, "other": 1}
    diff = stage.phase("diff", delivery)
    assert diff.goes_on
    assert diff.shown["planned"] == 2
    done = stage.phase("apply", delivery)

    assert not done.goes_on
    assert not done.again
    assert not done.failure
    assert stage.task.shown("notion") == stage.task.shown("other") == [("Bread", False), ("Milk", True)]
    assert done.shown == stage.runs.report(delivery.run)
    assert done.shown["outcome"] == "done"
    assert done.shown["counts"] == {"notion.create": 1, "other.create": 1}
    assert set(done.shown["seconds"]) == {"get", "diff", "apply"}
    assert stage.runs.lease() is None
    assert stage.told[-1] == {"phase": "apply", "done": 2, "of": 2}


def test_an_empty_plan_ends_the_run_in_diff(stage: Stage) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    stage.run()
    before = stage.words()

    delivery = stage.delivery()
    assert stage.phase("get", delivery).goes_on
    done = stage.phase("diff", delivery)

    assert not done.goes_on
    assert done.shown["outcome"] == "done"
    assert done.shown["planned"] == 0
    assert stage.words()[len(before) :] == ["list-notion", "list-other"]
    assert stage.runs.lease() is None


def test_a_run_leaves_only_what_the_next_one_needs(stage: Stage) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    stage.run()
    keys = stage.client.ask("KEYS", f"{Keys(stage.task.name).prefix}:*")
    left = {key.decode().removeprefix(Keys(stage.task.name).prefix) for key in keys}
    assert left == {
        ":fence", ":runs", ":reports", ":counters", ":totals", ":history", ":state:meta", ":state:links",
    }  # fmt: skip


def test_while_a_run_works_a_tick_is_dropped_and_requests_become_one_following_run(stage: Stage) -> None:
    working = stage.delivery()
    stage.phase("get", working)

    tick = stage.phase("get", stage.delivery(Trigger.BEAT))
    assert (tick.goes_on, tick.shown["outcome"], tick.shown["by"]) == (False, "dropped", working.run)
    first, second = stage.delivery(), stage.delivery(full=True)
    for request in (first, second):
        done = stage.phase("get", request)
        assert (done.goes_on, done.shown["outcome"]) == (False, "joined")
        assert done.shown["following"] == first.run

    assert stage.phase("diff", working).following == Following(first.run, full=True)
    assert stage.run(first).shown["outcome"] == "done"
    assert stage.words().count("list-notion") == 2
    assert stage.runs.report(second.run) == stage.runs.report(first.run)
    assert stage.runs.counters() == {"dropped": 1, "done": 2}


def test_a_following_run_that_was_never_started_is_started_by_the_next_delivery(stage: Stage) -> None:
    working, request = stage.delivery(), stage.delivery()
    stage.phase("get", working)
    stage.phase("get", request)
    stage.phase("diff", working)
    # ... and the worker died before it sent the following run; the message comes again:

    again = stage.phase("diff", working)
    assert again.shown["outcome"] == "superseded"
    assert again.following is not None
    assert again.following.run == request.run


@pytest.mark.parametrize("name", ["get", "diff", "apply"])
def test_a_phase_of_a_run_that_ended_does_nothing(stage: Stage, name: str) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    stage.run(delivery)
    before = stage.words()

    done = stage.phase(name, delivery)
    assert done == Done(
        {"task": stage.task.name, "run": delivery.run, "trigger": "ad-hoc", "outcome": "superseded"}
    )
    assert stage.words() == before


def test_a_phase_delivered_again_after_its_end_hands_on_what_is_there(stage: Stage) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    assert stage.phase("get", delivery).goes_on
    assert stage.words() == ["list-notion", "list-other"]

    stage.phase("diff", delivery)
    assert stage.phase("diff", delivery).goes_on
    assert stage.phase("apply", delivery).shown["counts"] == {"other.create": 1}


def test_the_plan_of_a_run_never_changes_under_its_journal(stage: Stage) -> None:
    for name in "ab":
        stage.task.put("notion", Name=name, Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    stage.phase("diff", delivery)
    left = iter((False,))
    assert stage.phase("apply", delivery, stopping=lambda: next(left, True)).again

    assert stage.phase("diff", delivery).goes_on, "its message came twice"
    assert stage.phase("apply", delivery).shown["counts"] == {"other.create": 2}
    assert stage.task.shown("notion") == stage.task.shown("other")


def test_the_older_of_two_attempts_stops_quietly(stage: Stage) -> None:
    # the connection dropped, and the same phase was delivered to a second worker
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    newer: list[Done] = []
    stage.task.tricks["list-other"] = lambda: newer.append(stage.phase("get", delivery))

    older = stage.phase("get", delivery)
    assert newer[0].goes_on
    assert not older.goes_on
    assert older.shown["outcome"] == "superseded"
    assert stage.phase("diff", delivery).goes_on
    assert stage.phase("apply", delivery).shown["outcome"] == "done"


def test_the_older_of_two_attempts_writes_nothing_more(stage: Stage) -> None:
    for name in "abc":
        stage.task.put("notion", Name=name, Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    stage.phase("diff", delivery)
    newer: list[Done] = []
    stage.task.tricks["create-other"] = lambda: newer.append(stage.phase("apply", delivery))

    older = stage.phase("apply", delivery)
    assert older.shown["outcome"] == "superseded"
    # what the older one had begun is looked for by the next run; nothing is made twice
    assert newer[0].shown["outcome"] == "partial"
    assert stage.run().shown["outcome"] == "done"
    assert [name for name, _ in stage.task.shown("other")] == ["a", "b", "c"]


def test_apply_goes_on_in_slices_until_all_is_done(stage: Stage) -> None:
    for number in range(5):
        stage.task.put("notion", Name=f"n{number}", Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    stage.phase("diff", delivery)

    slices = []
    for _ in range(3):
        left = iter((False, False))
        slices.append(stage.phase("apply", delivery, stopping=lambda left=left: next(left, True)))

    assert [done.again for done in slices] == [True, True, False]
    assert [done.shown.get("done") for done in slices] == [2, 4, None]
    assert slices[-1].shown["counts"] == {"other.create": 5}
    assert stage.words().count("create-other") == 5
    assert stage.task.shown("notion") == stage.task.shown("other")


def test_a_slice_is_over_when_its_time_is_up(stage: Stage) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    stage.phase("diff", delivery)
    short = Process(stage.client, {stage.task.name: stage.task}, slice=timedelta(0))
    assert phases.apply(delivery, short).again
    info = stage.runs.lease()
    assert info is not None
    assert info.ends_in > timedelta(seconds=60), "it outlives the wait in the queue"
    assert not stage.phase("apply", delivery).again


def test_what_failed_in_one_slice_is_told_once_and_not_tried_again(stage: Stage) -> None:
    for number in range(3):
        stage.task.put("notion", Name=f"n{number}", Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    stage.phase("diff", delivery)
    stage.task.tricks["create-other"] = raising(ValueError(PLANTED))

    done = stage.phase("apply", delivery, stopping=lambda: len(stage.task.log()) > 5)
    while done.again:
        done = stage.phase("apply", delivery)

    assert done.shown["outcome"] == "partial"
    assert done.shown["failed"] == 1
    assert stage.words().count("create-other") == 3
    assert PLANTED not in str(done)


@pytest.mark.parametrize("phase", ["diff", "apply"])
def test_what_was_planned_for_another_setup_is_not_carried_out(stage: Stage, phase: str) -> None:
    """The task file changes while a run waits between two phases."""
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    if phase == "apply":
        stage.phase("diff", delivery)
    stage.task.attr_map = {"Name": "summary"}

    done = stage.phase(phase, delivery)

    assert "its set-up changed" in done.failure
    assert stage.task.shown("other") == []
    assert stage.run().shown["counts"] == {"other.create": 1}
