"""The phases without Celery: one process, a real Redis, two JSON files as sides."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import LaterError, SettingsError
from sync_workers.redis.connect import Client, connect
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Following, Lease, Taken
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.redis.state_store import load
from sync_workers.report import Report, Trigger
from sync_workers.sandbox.embedded import EmbeddedRedis
from sync_workers.worker import phases
from sync_workers.worker.attempt import Delivery, Done
from sync_workers.worker.process import Process
from tests.worker.json_task import JsonTask

PLANTED = "hunter2-the-planted-value"


class TrickyTask(JsonTask):
    """Does something of the test's own when a word is done, once each time it was asked to."""

    def __init__(self, name: str, folder: Path, mode: str = "newer") -> None:
        self.tricks: dict[str, Callable[[], object]] = {}
        super().__init__(name, folder, mode)

    def did(self, word: str) -> None:
        super().did(word)
        trick = self.tricks.pop(word, None)
        if trick is not None:
            trick()


@dataclass
class Stage:
    """One task with its Redis, and phases called as a worker would call them."""

    client: Client
    task: TrickyTask
    told: list[dict[str, Any]] = field(default_factory=list)

    @property
    def runs(self) -> RunsStore:
        return RunsStore(self.client, self.task.name)

    @property
    def process(self) -> Process:
        return Process(self.client, {self.task.name: self.task})

    def delivery(self, trigger: Trigger = Trigger.AD_HOC, run: str = "", **names: Any) -> Delivery:
        return Delivery(self.task.name, run or new_run_id(), trigger, **names)

    def phase(self, name: str, delivery: Delivery, **how: Any) -> Done:
        done: Done = getattr(phases, name)(delivery, self.process, self.told.append, **how)
        return done

    def run(self, delivery: Delivery | None = None) -> Done:
        """What the chain does."""
        delivery = delivery or self.delivery()
        for name in ("get", "diff"):
            done = self.phase(name, delivery)
            if not done.goes_on:
                return done
        while (done := self.phase("apply", delivery)).again:
            pass
        return done

    def words(self) -> list[str]:
        return [word for _, word in self.task.log()]


@pytest.fixture
def stage(redis_client: Client, task_name: str, tmp_path: Path) -> Stage:
    return Stage(redis_client, TrickyTask(task_name, tmp_path))


@pytest.fixture
def own_redis() -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis("--appendfsync", "always") as server:
        yield server


def raising(error: Exception) -> Callable[[], object]:
    def trick() -> object:
        raise error

    return trick


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
    assert left == {":fence", ":runs", ":reports", ":counters", ":state:meta", ":state:links"}


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


def test_a_listing_that_fails_ends_the_run_and_frees_the_lease(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stage.task.tricks["list-other"] = raising(ValueError(PLANTED))

    delivery = stage.delivery()
    done = stage.phase("get", delivery)
    assert not done.goes_on
    assert "ValueError" in done.failure
    report = stage.runs.report(delivery.run)
    assert report is not None
    assert report["outcome"] == "failed"
    assert stage.runs.lease() is None
    assert "json_task.py" in caplog.text, "where it happened is told"
    assert PLANTED not in caplog.text + str(done) + str(report)

    assert stage.run().shown["outcome"] == "done"


def test_a_service_that_asks_for_patience_gets_it_and_the_run_keeps_its_lease(stage: Stage) -> None:
    asked = LaterError("busy", wait=timedelta(seconds=60))
    stage.task.tricks["list-other"] = raising(asked)
    delivery = stage.delivery()
    with pytest.raises(LaterError) as caught:
        stage.phase("get", delivery)
    assert caught.value.wait == asked.wait

    assert stage.phase("get", stage.delivery(Trigger.BEAT)).shown["outcome"] == "dropped"
    info = stage.runs.lease()
    assert info is not None
    assert info.ends_in > asked.wait
    assert stage.run(delivery).shown["outcome"] == "done"


@pytest.mark.parametrize("wait", [timedelta(0), timedelta(hours=1)])
def test_a_service_that_asks_for_too_much_patience_ends_the_run(stage: Stage, wait: timedelta) -> None:
    stage.task.tricks["list-other"] = raising(LaterError("busy", wait=wait))
    done = stage.phase("get", stage.delivery())
    assert done.failure == "busy"
    assert done.shown["outcome"] == "failed"
    assert stage.runs.lease() is None


def test_a_service_that_asks_for_patience_for_ever_ends_the_run(stage: Stage) -> None:
    delivery = stage.delivery()
    stage.phase("get", delivery)
    stage.client.ask("HSET", Keys(stage.task.name).current, "begun", "0")
    stage.client.ask("DEL", Keys(stage.task.name).blob(delivery.run, "snapshot"))
    stage.task.tricks["list-other"] = raising(LaterError("busy", wait=timedelta(seconds=60)))
    assert stage.phase("get", delivery).failure == "busy"
    assert stage.runs.lease() is None


def test_a_plan_that_looks_like_an_accident_is_refused(stage: Stage) -> None:
    ids = [stage.task.put("notion", Name=f"n{number}", Done=False) for number in range(10)]
    stage.run()
    for record_id in ids:
        stage.task.remove("notion", record_id)

    delivery = stage.delivery()
    stage.phase("get", delivery)
    done = stage.phase("diff", delivery)
    assert not done.goes_on
    assert done.failure
    assert done.shown["outcome"] == "refused"
    assert len(stage.task.shown("other")) == 10
    assert stage.runs.lease() is None


def test_held_conflicts_are_no_failure(redis_client: Client, task_name: str, tmp_path: Path) -> None:
    stage = Stage(redis_client, TrickyTask(task_name, tmp_path, mode="error"))
    notion_id = stage.task.put("notion", Name="Bread", Done=False)
    stage.run()
    (other_id,) = stage.task.read("other")
    stage.task.put("notion", notion_id, Name="Rye")
    stage.task.put("other", other_id, summary="Spelt")

    done = stage.run()
    assert done.shown["outcome"] == "needs a decision"
    assert not done.failure


def test_a_lost_lease_that_nobody_took_is_another_attempt(stage: Stage) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    stage.task.tricks["list-other"] = lambda: stage.client.ask("DEL", Keys(stage.task.name).lease)

    with pytest.raises(LaterError):
        stage.phase("get", delivery)
    assert stage.run(delivery).shown["outcome"] == "done"


def test_a_run_whose_lease_went_to_another_one_stops_quietly(stage: Stage) -> None:
    delivery = stage.delivery()

    def another_begins() -> None:
        stage.client.ask("DEL", Keys(stage.task.name).lease)
        lease = Lease(stage.client, stage.task.name, "another")
        assert isinstance(lease.take(Trigger.BEAT, first=True), Taken)
        lease.end(Report(stage.task.name, "another").summary())

    stage.task.tricks["list-other"] = another_begins
    assert stage.phase("get", delivery).shown["outcome"] == "superseded"
    report = stage.runs.report(delivery.run)
    assert report is not None
    assert report["run"] == "another"


def test_a_snapshot_that_is_gone_is_told_with_the_remedy(stage: Stage) -> None:
    delivery = stage.delivery()
    stage.phase("get", delivery)
    stage.client.ask("DEL", Keys(stage.task.name).blob(delivery.run, "snapshot"))
    done = stage.phase("diff", delivery)
    assert "run it again" in done.failure
    assert stage.runs.lease() is None


def test_a_task_runs_as_often_as_it_says(stage: Stage) -> None:
    stage.task.run_every(seconds=1).in_total(2)
    outcomes = [stage.run(stage.delivery(Trigger.BEAT)).shown["outcome"] for _ in range(3)]
    assert outcomes == ["done", "done", "finished"]
    assert stage.run().shown["outcome"] == "done", "a person may still ask"


def test_an_unknown_task_is_named_with_the_nearest(stage: Stage) -> None:
    with pytest.raises(SettingsError, match="did you mean"):
        phases.get(Delivery(stage.task.name + "x", "run", Trigger.AD_HOC), stage.process)


def test_a_redis_that_is_away_for_long_means_another_attempt(
    own_redis: EmbeddedRedis, tmp_path: Path
) -> None:
    stage = Stage(connect(own_redis.url), TrickyTask("tasks", tmp_path))
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    stage.task.tricks["list-other"] = own_redis.kill
    with pytest.raises(LaterError) as caught:
        stage.phase("get", delivery)
    assert caught.value.wait > timedelta(0)

    own_redis.restart()
    assert stage.run(delivery).shown["outcome"] == "done"
    assert stage.task.shown("notion") == stage.task.shown("other")


def test_a_redis_that_is_away_for_a_moment_is_waited_for(own_redis: EmbeddedRedis, tmp_path: Path) -> None:
    client = connect(own_redis.url, patience=timedelta(seconds=20))
    stage = Stage(client, TrickyTask("tasks", tmp_path))
    for number in range(3):
        stage.task.put("notion", Name=f"n{number}", Done=False)
    restart = threading.Timer(0.5, own_redis.restart)

    def crash() -> None:
        own_redis.kill()
        restart.start()

    stage.task.tricks["create-other"] = crash
    done = stage.run()
    restart.join()
    assert done.shown["outcome"] == "done"
    assert done.shown["counts"] == {"other.create": 3}
    state = load(client, "tasks")
    assert state is not None
    assert len(state.ids) == 3
    client.close()
