"""An upgrade without stopping: workers of the last version and of this one, then only of this one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_workers.redis.history import entries
from sync_workers.redis.presence import processes
from sync_workers.redis.state_store import load
from tests.conftest import wait_until
from tests.upgrade.versions import LAST, ended, start_from
from tests.worker.deployment import Deployment, deployed

pytestmark = pytest.mark.system


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path, ".run_every(seconds=1)") as deployment:
        yield deployment


def done(on: Deployment) -> int:
    return on.runs.counters().get("done", 0)


def expect_more(on: Deployment, number: int = 3) -> None:
    before = done(on)
    wait_until(lambda: done(on) >= before + number, on.logs, 40)


def test_old_and_new_workers_run_the_same_tasks_until_the_old_ones_are_gone(here: Deployment) -> None:
    # Given: a deployment of the last version, with records and a history.
    start_from(here, LAST)
    old_worker, old_beat = here.worker(), here.beat()
    assert LAST.name in here.program("import sync_workers; print(sync_workers.__file__)")
    here.task.put("notion", Name="old", Done=False)
    wait_until(lambda: here.task.shown("other") == [("old", False)], here.logs, 40)
    assert processes(here.client) == [], "that version does not tell of itself"

    # When: a new worker comes beside the old one, and people go on.
    start_from(here)
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
