"""How a run ends, or is tried again, when something goes wrong in a phase."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from sync_workers.approval import approve
from sync_workers.errors import LaterError, SettingsError
from sync_workers.redis.connect import Client, connect
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease, Taken
from sync_workers.redis.plans_store import PlansStore
from sync_workers.redis.state_store import load
from sync_workers.report import Report, Trigger
from sync_workers.sandbox.embedded import EmbeddedRedis
from sync_workers.worker import phases
from sync_workers.worker.delivery import Delivery, OtherWorkerError
from tests.conftest import wait_until
from tests.worker.stage import PLANTED, Stage, TrickyTask, raising


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
    stage.client.ask("HSET", Keys(stage.task.name).current, "begun", "0", "moved", "1")
    stage.client.ask("DEL", Keys(stage.task.name).blob(delivery.run, "snapshot"))
    stage.task.tricks["list-other"] = raising(LaterError("busy", wait=timedelta(seconds=60)))
    assert stage.phase("get", delivery).failure == "busy"
    assert stage.runs.lease() is None


def of_other_version(stage: Stage, delivery: Delivery) -> None:
    """What the phase before has handed on, as another version writes it."""
    lease = stage.runs.lease()
    assert lease is not None
    stage.runs.put(delivery.run, lease.fence, "snapshot", b'{"$tuple":[{"$Noun of tomorrow":[]}]}')


def of_newer_state(stage: Stage, _delivery: Delivery) -> None:
    stage.client.ask("HSET", Keys(stage.task.name).meta, "version", "99")


@pytest.mark.parametrize("spoil", [of_other_version, of_newer_state])
def test_what_another_version_wrote_is_left_to_a_worker_of_that_version(
    stage: Stage, spoil: Callable[[Stage, Delivery], None]
) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery()
    stage.phase("get", delivery)
    spoil(stage, delivery)

    for _ in range(2):
        with pytest.raises(OtherWorkerError, match="version"):
            stage.phase("diff", delivery)
    assert stage.runs.report(delivery.run) is None
    assert stage.runs.lease() is not None


def test_where_no_worker_of_that_version_is_left_the_run_ends_and_another_one_follows(stage: Stage) -> None:
    stage.task.put("notion", Name="Bread", Done=False)
    delivery = stage.delivery(full=True)
    stage.phase("get", delivery)
    of_other_version(stage, delivery)
    stage.client.ask("HSET", Keys(stage.task.name).current, "begun", "0", "moved", "1")

    done = stage.phase("diff", delivery)

    assert "another version" in done.failure
    assert stage.runs.report(delivery.run) == done.shown
    assert done.following is not None
    assert done.following.full
    assert stage.run(stage.delivery(run=done.following.run)).shown["outcome"] == "done"
    assert stage.task.shown("other") == [("Bread", False)]


def test_a_state_that_no_worker_can_read_is_told_and_not_tried_for_ever(stage: Stage) -> None:
    stage.run()
    delivery = stage.delivery()
    stage.phase("get", delivery)
    of_newer_state(stage, delivery)
    stage.client.ask("HSET", Keys(stage.task.name).current, "begun", "0", "moved", "1")
    done = stage.phase("diff", delivery)
    assert "upgrade sync-workers here" in done.failure
    assert done.following is None


def lose_all(stage: Stage) -> None:
    """Ten records are linked, and gone from one side."""
    ids = [stage.task.put("notion", Name=f"{PLANTED} {number}", Done=False) for number in range(10)]
    stage.run()
    for record_id in ids:
        stage.task.remove("notion", record_id)


def test_a_plan_that_looks_like_an_accident_is_refused_and_kept(stage: Stage) -> None:
    lose_all(stage)

    delivery = stage.delivery(Trigger.BEAT)
    stage.phase("get", delivery)
    done = stage.phase("diff", delivery)
    assert not done.goes_on
    assert done.shown["outcome"] == "refused"
    assert len(stage.task.shown("other")) == 10
    assert stage.runs.lease() is None
    (kept,) = PlansStore(stage.client, stage.task.name).kept()
    assert (kept.run, kept.trigger, kept.times) == (delivery.run, Trigger.BEAT, 1)
    assert kept.counts == {"other.delete": 10}
    assert f"sync-workers approve {kept.id}" in done.failure
    assert f"sync-workers approve {kept.id}" in done.shown["reason"]


def test_a_plan_that_workers_are_refused_in_every_interval_is_kept_once_and_approved_here(
    stage: Stage,
) -> None:
    lose_all(stage)
    for _ in range(3):
        stage.run(stage.delivery(Trigger.BEAT))
    plans = PlansStore(stage.client, stage.task.name)
    (kept,) = plans.kept()
    assert kept.times == 3
    stage.task.put("other", summary="new since", done=False)

    report = approve(stage.task, stage.client, kept)

    assert report.counts == {"other.delete": 10}
    assert plans.kept() == []
    assert stage.task.shown("notion") == []
    assert stage.run().shown["counts"] == {"notion.create": 1}


def test_r11_a_refused_plan_leaves_no_value_in_logs_and_results(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lose_all(stage)
    done = stage.run()
    (kept,) = PlansStore(stage.client, stage.task.name).kept()
    approve(stage.task, stage.client, kept)
    assert stage.task.shown("other") == []
    assert PLANTED not in caplog.text + str(done) + str(stage.runs.recent()) + str(kept)


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


def test_a_wait_asked_for_while_writing_is_kept_by_the_next_run(stage: Stage) -> None:
    stage.task.put("notion", Name="n", Done=False)
    stage.task.tricks["create-other"] = raising(LaterError("busy", wait=timedelta(seconds=60)))
    assert stage.run().shown["outcome"] == "partial"
    listed = stage.words().count("list-other")
    stage.task.tricks.clear()

    with pytest.raises(LaterError, match="left alone for another") as caught:
        stage.phase("get", stage.delivery())

    assert timedelta(0) < caught.value.wait <= timedelta(seconds=60)
    assert stage.words().count("list-other") == listed  # nobody was asked


def test_a_wait_that_is_over_stands_in_nobodys_way(stage: Stage) -> None:
    stage.task.put("notion", Name="n", Done=False)
    stage.task.tricks["create-other"] = raising(LaterError("busy", wait=timedelta(milliseconds=1)))
    stage.run()
    stage.task.tricks.clear()
    wait_until(lambda: not stage.runs.resting(), "the wait is over")
    assert stage.run().shown["outcome"] == "done"
    assert stage.task.shown("other") == [("n", False)]


def test_a_longer_wait_is_not_cut_short_by_a_shorter_one(stage: Stage) -> None:
    stage.runs.rest(timedelta(seconds=60))
    stage.runs.rest(timedelta(seconds=1))
    assert stage.runs.resting() > timedelta(seconds=50)
