"""Pauses with real worker and beat processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync_workers.redis.pauses import pause_of_task, pause_task, resume_task
from tests.conftest import wait_until
from tests.worker.deployment import Deployment, deployed

pytestmark = pytest.mark.system


@pytest.fixture
def ticking(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path, ".run_every(seconds=1)") as deployment:
        yield deployment


def wait_for_dropped_ticks(ticking: Deployment, number: int) -> None:
    counted = ticking.runs.counters().get("paused", 0)
    wait_until(
        lambda: ticking.runs.counters().get("paused", 0) >= counted + number,
        lambda: f"{number} more ticks are dropped\n{ticking.logs()}",
        60,
    )


def test_ticks_and_requests_of_a_paused_task_touch_no_service(ticking: Deployment) -> None:
    pause_task(ticking.client, "todo", "", datetime.now(UTC))
    ticking.worker()
    ticking.beat()
    wait_for_dropped_ticks(ticking, 2)
    asked = ticking.enqueue(wait=60)
    assert asked["outcome"] == "paused"
    assert "`sync-workers resume todo`" in asked["reason"]
    assert ticking.task.log() == []

    resume_task(ticking.client, "todo")
    wait_until(lambda: ticking.runs.counters().get("done", 0) >= 2, "runs go on", 60)


def test_a_refused_credential_is_one_alert_and_a_request_that_works_ends_the_pause(
    ticking: Deployment,
) -> None:
    ticking.task.put("notion", Name="Bread", Done=False)
    refused = ticking.task.refuse("list-other")
    worker = ticking.worker()
    ticking.beat()
    wait_for_dropped_ticks(ticking, 3)
    assert pause_of_task(ticking.client, "todo") is not None
    assert [word for _, word in ticking.task.log()].count("list-other") == 1
    assert ticking.log(worker).count("task todo is paused, since it cannot work as it is") == 1

    refused.unlink()
    report = ticking.enqueue(wait=60)

    assert (report["outcome"], report["resumed"]) == ("done", True)
    assert ticking.task.shown("other") == [("Bread", False)]
    wait_until(lambda: ticking.runs.counters().get("done", 0) >= 2, "ticks run again", 60)
