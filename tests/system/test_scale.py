"""Four workers on two hundred tasks; one is added, one is killed, and one is cut off from Redis.

No run is lost, none is done twice, and every task is on time again within two intervals.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from sync_workers.redis.runs_store import RunsStore
from sync_workers.redis.totals import totals
from tests.conftest import wait_until
from tests.system.hosts import Host, deployed_beside, elsewhere
from tests.worker.deployment import Deployment
from tests.worker.json_task import JsonTask

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

TASKS = 200
EVERY = timedelta(seconds=20)
LEASE = timedelta(seconds=5)
HOLE = timedelta(seconds=9)
"""Longer than a lease, so that others take over what the worker that is cut off was doing."""

MODULE = f"""
from pathlib import Path
from tests.worker.json_task import JsonTask
for number in range({TASKS}):
    task = JsonTask(f"t{{number}}", Path(__file__).parent / f"t{{number}}")
    task.run_every(seconds={EVERY.total_seconds()}).schedule()
"""


REQUESTS = """
import json, sys, sync_workers
print(json.dumps({name: sync_workers.enqueue(name) for name in sys.argv[1:]}))
"""


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[tuple[Deployment, Host]]:
    with deployed_beside(tmp_path) as (on, away):
        (tmp_path / "my_tasks.py").write_text(MODULE)
        on.environment |= {"SYNC_WORKERS_LEASE": f"{LEASE.seconds}s", "SYNC_WORKERS_REDELIVERY": "15s"}
        yield on, away


def test_two_hundred_tasks_are_on_time_again_whatever_happens_to_workers(
    beside: tuple[Deployment, Host],
) -> None:
    on, away = beside
    # Given: a record on either side of each task, three workers here, one on another host, and beat.
    tasks = [JsonTask(f"t{number}", on.folder / f"t{number}") for number in range(TASKS)]
    for task in tasks:
        task.folder.mkdir()
        task.put("notion", Name="page", Done=False)
        task.put("other", summary="row", done=True)
    workers = [on.worker() for _ in range(3)]
    with elsewhere(on, away):
        far = on.worker()
    on.beat()
    wait_until(lambda: ended(on) >= TASKS, lambda: f"{ended(on)} runs", 120)
    assert on_time(on, since=None) == TASKS, "each task ran before any ran often"

    # When: in the middle of it all one is added, one is killed, and the one elsewhere hears nothing for long.
    requests = json.loads(on.program(REQUESTS, *(task.name for task in tasks[:20])))
    on.worker()
    workers[0].kill()
    with away.cut():
        heard = on.log(far).count("succeeded in")
        time.sleep(HOLE.total_seconds())  # the outage itself
    back, now = time.monotonic(), datetime.now(UTC)

    # Then: every request has its report, and every task has succeeded since, within two intervals.
    for name, run in requests.items():
        store = RunsStore(on.client, name)
        report = wait_until(partial(store.report, run), f"{name}: {run}", 60)
        assert report["outcome"] == "done"
    wait_until(lambda: on_time(on, since=now) == TASKS, lambda: f"{on_time(on, since=now)} on time", 60)
    took = timedelta(seconds=time.monotonic() - back)
    print(f"all on time {took.total_seconds():.0f} s after the network was back")
    assert took <= 2 * EVERY + timedelta(seconds=10), "the machine is shared: some seconds are forgiven"

    # Nothing was made twice, and nobody is left over.
    expected = [("page", False), ("row", True)]
    assert [t.name for t in tasks if not t.shown("notion") == t.shown("other") == expected] == []
    assert far.poll() is None
    wait_until(lambda: on.log(far).count("succeeded in") > heard + 5, "it works again", 90)


def ended(on: Deployment) -> int:
    return sum(RunsStore(on.client, f"t{number}").counters().get("done", 0) for number in range(TASKS))


def on_time(on: Deployment, since: datetime | None) -> int:
    """How many tasks have succeeded since then, or ever."""
    found = (totals(on.client, f"t{number}").last_success for number in range(TASKS))
    return sum(last is not None and (since is None or last > since) for last in found)
