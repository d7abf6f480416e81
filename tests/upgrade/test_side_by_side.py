"""An upgrade without stopping: workers of the last version and of this one, then only of this one.

The wheel beside this file is the last version, without the parts that workers do not need.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_workers.redis.history import entries
from sync_workers.redis.presence import processes
from sync_workers.redis.state_store import load
from tests.conftest import wait_until
from tests.worker.deployment import ROOT, Deployment, deployed

pytestmark = pytest.mark.system

OLD = Path(__file__).with_name("sync_workers-0.1.0-py3-none-any.whl")


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path, ".run_every(seconds=1)") as deployment:
        yield deployment


def of_old(on: Deployment, *, old: bool) -> None:
    """What is started from now on is of the last version, or of this one."""
    paths = [str(OLD), str(ROOT)] if old else [str(ROOT)]
    on.environment["PYTHONPATH"] = os.pathsep.join(paths)


def done(on: Deployment) -> int:
    return on.runs.counters().get("done", 0)


def expect_more(on: Deployment, number: int = 3) -> None:
    before = done(on)
    wait_until(lambda: done(on) >= before + number, on.logs, 40)


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    assert process.wait(60) == 0


def test_old_and_new_workers_run_the_same_tasks_until_the_old_ones_are_gone(here: Deployment) -> None:
    # Given: a deployment of the last version, with records and a history.
    of_old(here, old=True)
    old_worker, old_beat = here.worker(), here.beat()
    assert OLD.name in here.program("import sync_workers; print(sync_workers.__file__)")
    here.task.put("notion", Name="old", Done=False)
    wait_until(lambda: here.task.shown("other") == [("old", False)], here.logs, 40)
    assert processes(here.client) == [], "that version does not tell of itself"

    # When: a new worker comes beside the old one, and people go on.
    of_old(here, old=False)
    here.worker()
    here.task.put("other", summary="both", done=True)
    expect_more(here)
    assert here.enqueue(wait=60)["outcome"] == "done"

    # Then the old ones go, and only new ones are there.
    ended(old_worker)
    expect_more(here)
    new_beat = here.beat()
    expect_more(here)
    ended(old_beat)
    here.task.put("notion", Name="new", Done=True)
    expect_more(here, 4)

    expected = [("both", True), ("new", True), ("old", False)]
    assert here.task.shown("notion") == here.task.shown("other") == expected
    assert set(here.runs.counters()) <= {"done", "dropped", "skipped"}, "no run failed"
    state = load(here.client, "todo")
    assert state is not None
    assert len(state.ids) == 3
    assert len({entry.run for entry in entries(here.client, "todo")}) >= 3, "one history of all versions"
    assert new_beat.poll() is None
