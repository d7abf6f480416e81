"""Pauses as the phases meet them: what is dropped, what is tried, what stops, and who is told how often."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sync_workers.errors import AccessError, LaterError, SettingsError, SyncError
from sync_workers.model import Pair
from sync_workers.redis.lease import Following
from sync_workers.redis.pauses import (
    By,
    Pause,
    pause_connection,
    pause_of_task,
    pause_records,
    pause_task,
    resume_connection,
    resume_task,
)
from sync_workers.redis.state_store import load
from sync_workers.report import Trigger
from sync_workers.worker.enqueue import wait_for
from tests.worker.stage import PLANTED, Stage, raising

NO_ACCESS = AccessError("the service refuses the token")


def pause(stage: Stage, reason: str = "") -> None:
    pause_task(stage.client, stage.task.name, reason, datetime.now(UTC))


def resume(stage: Stage) -> None:
    assert resume_task(stage.client, stage.task.name) is not None


def paused(stage: Stage) -> Pause | None:
    return pause_of_task(stage.client, stage.task.name)


def alerts(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if getattr(r, "action", "") == "alert"]


@pytest.fixture
def connection(stage: Stage) -> Iterator[str]:
    """A connection of the task."""
    name = f"{stage.task.name}-connection"
    stage.task.sync_connections = ("another", name)
    yield name
    resume_connection(stage.client, name)


# --- by a person ---


def test_a_tick_of_a_paused_task_is_dropped_and_counted_and_asks_nobody(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    pause(stage)
    for _ in range(3):
        done = stage.phase("get", stage.delivery(Trigger.BEAT))
        assert (done.goes_on, done.shown["outcome"], done.failure) == (False, "paused", "")
    assert stage.words() == []
    assert stage.runs.counters() == {"paused": 3}
    assert stage.runs.recent() == []
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


def test_a_request_for_a_paused_task_ends_at_once_with_the_command_that_resumes_it(stage: Stage) -> None:
    pause(stage, PLANTED)
    delivery = stage.delivery()
    done = stage.run(delivery)
    assert done.shown["outcome"] == "paused"
    assert f"`sync-workers resume {stage.task.name}`" in done.shown["reason"]
    assert PLANTED not in str(done), "what a person wrote is for `status` alone"
    assert wait_for(stage.client, stage.task.name, delivery.run, 0) == done.shown
    assert stage.words() == []


def test_a_request_whose_message_comes_twice_is_answered_once(stage: Stage) -> None:
    pause(stage)
    delivery = stage.delivery()
    stage.run(delivery)
    resume(stage)
    assert stage.run(delivery).shown["outcome"] == "superseded"
    assert wait_for(stage.client, stage.task.name, delivery.run, 0)["outcome"] == "paused"


def test_a_resumed_task_runs_as_before(stage: Stage) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    pause(stage)
    stage.run()
    resume(stage)
    assert stage.run(stage.delivery(Trigger.BEAT)).shown["outcome"] == "done"
    assert stage.task.shown("other") == [("Bread", False)]


@pytest.mark.parametrize("after", ["get", "diff"])
def test_a_run_that_is_paused_between_its_phases_ends_there_and_loses_nothing(
    stage: Stage, after: str
) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    for name in ("get", "diff")[: 1 if after == "get" else 2]:
        assert stage.phase(name, delivery).goes_on
    pause(stage)

    done = stage.phase("diff" if after == "get" else "apply", delivery)

    assert (done.goes_on, done.again, done.failure) == (False, False, "")
    assert done.shown["outcome"] == "paused"
    assert done.shown["seconds"]["get"] > 0, "what it did stands in the report"
    assert stage.runs.lease() is None
    assert stage.task.shown("other") == []
    resume(stage)
    assert stage.run().shown["counts"] == {"other.create": 1}


def test_a_run_that_is_paused_while_it_writes_stops_at_its_next_operation(stage: Stage) -> None:
    for name in "abc":
        stage.task.put("notion", Name=name, Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    stage.phase("diff", delivery)
    left = iter((False,))
    assert stage.phase("apply", delivery, stopping=lambda: next(left, True)).again

    stage.task.tricks["list-other"] = lambda: pause(stage)
    slice_over = stage.phase("apply", delivery)
    assert slice_over.again
    assert slice_over.shown["done"] == 1
    done = stage.phase("apply", delivery)

    assert done.shown["outcome"] == "paused"
    assert done.shown["counts"] == {"other.create": 1}
    assert stage.runs.lease() is None
    resume(stage)
    assert stage.run().shown["counts"] == {"other.create": 2}
    assert [name for name, _ in stage.task.shown("other")] == ["a", "b", "c"]


def test_a_run_whose_pause_ended_before_its_next_message_just_goes_on(stage: Stage) -> None:
    for name in "ab":
        stage.task.put("notion", Name=name, Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    stage.phase("diff", delivery)
    stage.task.tricks["list-other"] = lambda: pause(stage)
    assert stage.phase("apply", delivery).again
    resume(stage)
    assert stage.phase("apply", delivery).shown["counts"] == {"other.create": 2}


def test_what_was_asked_for_meanwhile_meets_the_pause_too(stage: Stage) -> None:
    working, request = stage.delivery(), stage.delivery()
    stage.phase("get", working)
    stage.phase("get", request)
    pause(stage)
    assert stage.phase("diff", working).following == Following(request.run, full=False)

    assert stage.run(request).shown["outcome"] == "paused"
    assert stage.runs.following() is None
    assert wait_for(stage.client, stage.task.name, request.run, 0)["outcome"] == "paused"


# --- by a service ---


@pytest.mark.parametrize("word", ["list-notion", "list-other"])
def test_a_refused_credential_pauses_the_task_with_one_alert(
    stage: Stage, caplog: pytest.LogCaptureFixture, word: str
) -> None:
    caplog.set_level(logging.INFO)
    stage.task.tricks[word] = raising(NO_ACCESS)
    assert stage.run(stage.delivery(Trigger.BEAT)).failure == str(NO_ACCESS)
    asked, told = len(stage.words()), len(caplog.records)

    for _ in range(5):
        assert stage.run(stage.delivery(Trigger.BEAT)).shown["outcome"] == "paused"

    (alert,) = alerts(caplog)
    assert str(NO_ACCESS) in alert
    assert f"`sync-workers resume {stage.task.name}`" in alert
    assert len(caplog.records) == told, "ticks say nothing"
    assert len(stage.words()) == asked
    assert stage.runs.counters() == {"failed": 1, "paused": 5}
    found = paused(stage)
    assert found is not None
    assert (found.by, found.reason) == (By.SERVICE, str(NO_ACCESS))


def test_writes_that_are_refused_pause_the_task_when_the_run_has_ended(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    for name in "abc":
        stage.task.put("notion", Name=name, Done=False)
        stage.task.put("other", summary=f"other {name}", done=False)
    stage.task.tricks["create-other"] = raising(NO_ACCESS)

    done = stage.run(stage.delivery(Trigger.BEAT))

    assert done.shown["outcome"] == "partial"
    assert done.shown["counts"] == {"notion.create": 3}, "the other side goes on"
    assert len(alerts(caplog)) == 1
    assert stage.run(stage.delivery(Trigger.BEAT)).shown["outcome"] == "paused"
    assert stage.run().shown["resumed"]
    assert stage.task.shown("notion") == stage.task.shown("other")


def test_refused_writes_of_an_earlier_slice_are_not_forgotten(stage: Stage) -> None:
    for name in "ab":
        stage.task.put("notion", Name=name, Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    stage.phase("diff", delivery)
    stage.task.tricks["create-other"] = raising(NO_ACCESS)
    left = iter((False,))
    assert stage.phase("apply", delivery, stopping=lambda: next(left, True)).again
    assert paused(stage) is None
    stage.phase("apply", delivery)
    assert paused(stage) is not None


def test_a_try_whose_writes_are_refused_again_resumes_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.task.put("notion", Name="a", Done=False)
    for trigger in (Trigger.BEAT, Trigger.AD_HOC):
        stage.task.tricks["create-other"] = raising(NO_ACCESS)
        assert not stage.run(stage.delivery(trigger)).shown["resumed"]
    assert paused(stage) is not None
    assert len(alerts(caplog)) == 1


def test_patience_asked_for_while_writing_pauses_nothing(stage: Stage) -> None:
    stage.task.put("notion", Name="a", Done=False)
    stage.task.tricks["create-other"] = raising(LaterError("busy", wait=timedelta(milliseconds=1)))
    assert stage.run().shown["outcome"] == "partial"
    assert paused(stage) is None


@pytest.mark.parametrize(
    "error",
    [
        ValueError(PLANTED),
        SettingsError("a hook may say anything"),
        LaterError("busy", wait=timedelta(0)),
        LaterError("busy", wait=timedelta(hours=1)),
        SyncError("something"),
    ],
)
def test_no_other_error_pauses_a_task_of_hooks(stage: Stage, error: Exception) -> None:
    stage.task.tricks["list-other"] = raising(error)
    assert stage.phase("get", stage.delivery(Trigger.BEAT)).failure
    assert paused(stage) is None


def test_guards_pause_nothing(stage: Stage) -> None:
    ids = [stage.task.put("notion", Name=f"n{number}", Done=False) for number in range(10)]
    stage.run()
    for record_id in ids:
        stage.task.remove("notion", record_id)
    assert stage.run().shown["outcome"] == "refused"
    assert paused(stage) is None


def test_a_person_tries_what_a_service_paused_and_is_told_the_same_without_another_alert(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.task.tricks["list-other"] = raising(NO_ACCESS)
    stage.run(stage.delivery(Trigger.BEAT))
    first = paused(stage)
    assert first is not None

    stage.task.tricks["list-other"] = raising(AccessError("not shared"))
    done = stage.run()

    assert done.failure == "not shared"
    assert not done.shown["resumed"]
    assert len(alerts(caplog)) == 1
    assert paused(stage) == Pause(By.SERVICE, first.since, "not shared")


def test_a_try_that_lists_both_sides_resumes_the_task_by_itself(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    stage.task.put("notion", Name="Bread", Done=False)
    stage.task.tricks["list-other"] = raising(NO_ACCESS)
    stage.run(stage.delivery(Trigger.BEAT))

    done = stage.run()

    assert done.shown["outcome"] == "done"
    assert done.shown["resumed"]
    assert f"task {stage.task.name} is not paused any more" in caplog.text
    assert paused(stage) is None
    again = stage.run(stage.delivery(Trigger.BEAT)).shown
    assert (again["outcome"], again["resumed"]) == ("done", False)


def test_a_try_that_only_waits_resumes_nothing(stage: Stage) -> None:
    stage.task.tricks["list-other"] = raising(NO_ACCESS)
    stage.run(stage.delivery(Trigger.BEAT))
    stage.task.tricks["list-other"] = raising(LaterError("busy", wait=timedelta(hours=1)))
    assert stage.run().failure == "busy"
    assert paused(stage) is not None


def test_a_task_that_fails_again_after_it_was_resumed_is_another_alert(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        stage.task.tricks["list-other"] = raising(NO_ACCESS)
        stage.run(stage.delivery(Trigger.BEAT))
        resume(stage)
    assert len(alerts(caplog)) == 2


# --- of a connection ---


def test_a_task_whose_connection_is_paused_does_not_run(stage: Stage, connection: str) -> None:
    pause_connection(stage.client, connection, PLANTED, datetime.now(UTC))
    assert stage.run(stage.delivery(Trigger.BEAT)).shown["outcome"] == "paused"
    delivery = stage.delivery()
    done = stage.run(delivery)
    assert done.shown["outcome"] == "paused"
    assert f"its connection {connection} is paused" in done.shown["reason"]
    assert f"`sync-workers resume --connection {connection}`" in done.shown["reason"]
    assert wait_for(stage.client, stage.task.name, delivery.run, 0) == done.shown
    assert stage.words() == []
    assert PLANTED not in str(done)

    resume_connection(stage.client, connection)
    assert stage.run().shown["outcome"] == "done"


def test_a_run_whose_connection_is_paused_ends_at_its_next_phase(stage: Stage, connection: str) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    pause_connection(stage.client, connection, "", datetime.now(UTC))
    done = stage.phase("diff", delivery)
    assert (done.goes_on, done.shown["outcome"]) == (False, "paused")
    assert stage.runs.lease() is None


def test_a_run_stops_writing_when_its_connection_is_paused(stage: Stage, connection: str) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    stage.phase("diff", delivery)
    stage.task.tricks["list-other"] = lambda: pause_connection(
        stage.client, connection, "", datetime.now(UTC)
    )
    assert stage.phase("apply", delivery).again
    assert stage.phase("apply", delivery).shown["outcome"] == "paused"
    assert stage.task.shown("other") == []


# --- of a record ---


def test_a_paused_record_is_held_while_the_others_flow_and_catches_up_afterwards(stage: Stage) -> None:
    ids = {name: stage.task.put("notion", Name=name, Done=False) for name in "ab"}
    stage.run()
    state = load(stage.client, stage.task.name)
    assert state is not None
    record = Pair(ids["a"], state.ids[ids["a"]])
    pause_records(stage.client, stage.task.name, record, paused=True)
    stage.task.put("notion", ids["b"], Done=True)
    stage.task.put("other", record.other, done=True)

    done = stage.run()
    assert done.shown["counts"] == {"other.update": 1}
    assert done.shown["held"] == 1
    assert stage.task.shown("notion") == [("a", False), ("b", True)]
    quiet = stage.run().shown
    assert (quiet["planned"], quiet["held"], quiet["outcome"]) == (0, 1, "done")

    pause_records(stage.client, stage.task.name, record, paused=False)
    assert stage.run().shown["counts"] == {"notion.update": 1}
    assert stage.task.shown("notion") == stage.task.shown("other") == [("a", True), ("b", True)]
    assert stage.run().shown["planned"] == 0
