"""A host that reaches nobody for half a minute: what its worker says, and when it works again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_until
from tests.system.hosts import Host, deployed_beside, elsewhere
from tests.worker.deployment import Deployment

pytestmark = pytest.mark.system

HOLE = 28.0
"""Seconds. What was sent into a hole is sent again after 25 s, and then after 51 s: who only waits finds out
nothing until then."""

SOON = 15.0
"""Seconds after the hole in which a worker takes messages again; who only waits does so after 23."""

ASK = """
import json, sys, urllib.error, urllib.request
try:
    reply = urllib.request.urlopen(sys.argv[1], timeout=20)
except urllib.error.HTTPError as error:
    reply = error
print(json.dumps([reply.status, json.load(reply)]))
"""


def page(away: Host, name: str) -> tuple[int, dict[str, Any]]:
    """A page of the worker on the other host, asked there as its supervisor would."""
    command = (*away.prefix, sys.executable, "-c", ASK, f"http://127.0.0.1:8080/{name}")
    status, told = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=30).stdout)
    return status, told


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[tuple[Deployment, Host]]:
    with deployed_beside(tmp_path) as found:
        yield found


def test_a_worker_behind_a_hole_says_so_is_not_restarted_and_works_again_soon(
    beside: tuple[Deployment, Host],
) -> None:
    # Given: one worker, on another host, which has done a run and is idle.
    on, away = beside
    on.environment["SYNC_WORKERS_HEALTH"] = "127.0.0.1:8080"
    with elsewhere(on, away):
        far = on.worker()
    assert on.enqueue(wait=60)["outcome"] == "done"
    wait_until(lambda: page(away, "readyz")[0] == 200, "it is ready")

    # When: nothing comes through any more.
    begun = time.monotonic()
    with away.cut():
        wait_until(lambda: page(away, "readyz")[0] == 503, "it is not ready")
        assert page(away, "readyz")[1]["redis_answers"] is False
        while time.monotonic() < begun + HOLE - 6:
            assert page(away, "healthz")[0] == 200, "a restart would not bring Redis back"
            time.sleep(2)
        time.sleep(max(begun + HOLE - time.monotonic(), 0))

    # Then: it takes messages again soon, its run does not suffer, and it says that it is ready.
    on.task.put("notion", Name="after", Done=False)
    assert on.enqueue(wait=SOON)["outcome"] == "done"
    assert on.task.shown("other") == [("after", False)]
    wait_until(lambda: page(away, "readyz")[0] == 200, "it is ready again")
    assert far.poll() is None
