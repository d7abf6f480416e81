"""A worker that is stopped until others have done its work, and then wakes up, writes nothing more (R6)."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sync_workers.redis.keys import CELERY, Keys
from sync_workers.redis.state_store import load
from tests.conftest import wait_until
from tests.system.phased_task import PhasedTask
from tests.worker.deployment import Deployment, deployed

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

WRITES = ("create-", "update-")
NEW, EDITED = "new", "edited"
LATE = "update-other"
"""Nothing can call back this one write once it is under way; see docs/workers.md."""


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path, kind=PhasedTask) as deployment:
        deployment.environment["SYNC_WORKERS_LEASE"] = "5s"
        yield deployment


@pytest.mark.parametrize(
    ("word", "records", "newer"),
    [
        pytest.param("list-other", NEW, False, id="in get"),
        pytest.param("decide", NEW, True, id="in diff"),
        pytest.param("made-other", NEW, False, id="in apply, in a create that was sent"),
        pytest.param("wrote-other", EDITED, True, id="in apply, in an update that was sent"),
        pytest.param(LATE, EDITED, True, id="in apply, right before an update is sent"),
    ],
)
def test_a_worker_that_wakes_up_late_writes_nothing_more(
    on: Deployment, word: str, records: str, newer: bool
) -> None:
    # Given: a worker that is stopped as a whole in the middle of a phase.
    prepare(on, records)
    if not newer:
        on.environment["SYNC_WORKERS_REDELIVERY"] = "10s"
    hold = on.task.hold(word)
    stale, run = on.worker(), on.enqueue()
    child = psutil.Process(on.wait_for(word))
    stop(stale, child)
    hold.unlink()
    # When: its lease ends, and another worker finishes the run, or a newer one.
    wait_until(lambda: on.runs.lease() is None, "its lease ends", 30)
    wait_until(lambda: newer or oldest_message(on) > 10, "its message is delivered again", 30)
    on.worker()
    by = on.enqueue(wait=100)["run"] if newer else run
    assert on.report(run)["run"] == by
    if not newer:
        assert on.enqueue(wait=100)["outcome"] == "done", "what was left open is looked for"
    done, known = seen(on, word), len(on.task.log())
    # ... and then it wakes up; not so its main process, which would end a phase that took so long.
    child.send_signal(signal.SIGCONT)
    wait_until(lambda: "'outcome': 'superseded'" in on.log(stale), lambda: on.log(stale), 60)
    # Then: it writes nothing, and what it stores is refused.
    assert [did for pid, did in on.task.log()[known:] if pid == child.pid and did.startswith(WRITES)] == []
    assert seen(on, word) == done
    assert on.enqueue(wait=60)["planned"] == 0
    assert on.task.shown("notion") == on.task.shown("other") == EXPECTED[records]
    by = "a newer run" if newer else "another worker"
    print(f"stopped at {word}, overtaken by {by}: it wrote nothing more")


EXPECTED = {
    NEW: [(f"page {number}", False) for number in range(3)],
    EDITED: [(f"page {number}", True) for number in range(3)],
}


def prepare(on: Deployment, records: str) -> None:
    """Three pages: new ones, or some that are known and were edited since."""
    pages = [on.task.put("notion", Name=f"page {number}", Done=False) for number in range(3)]
    if records is EDITED:
        worker = on.worker()
        assert on.enqueue(wait=60)["outcome"] == "done"
        worker.terminate()
        worker.wait(60)
        for page in pages:
            on.task.put("notion", page, Done=True)


def stop(worker: subprocess.Popen[bytes], child: psutil.Process) -> None:
    os.kill(worker.pid, signal.SIGSTOP)
    child.send_signal(signal.SIGSTOP)


def oldest_message(on: Deployment) -> float:
    """For how many seconds the message of the stopped phase has not been acknowledged."""
    _, since = on.client.ask("ZRANGE", f"{CELERY}unacked_index", 0, -1, "WITHSCORES")
    return time.time() - float(since)


def seen(on: Deployment, word: str) -> list[object]:
    """Everything that a write or a commit would change; only the write that was under way may come late."""
    files = [on.task.read(side) for side in ("notion", "other")]
    if word == LATE:
        files = [{key: obj | {"modified": ""} for key, obj in objects.items()} for objects in files]
    keys = Keys("todo")
    history, intents = on.client.ask("XLEN", keys.history), on.client.ask("HGETALL", keys.intents)
    names = sorted(on.client.ask("KEYS", f"{keys.prefix}:*"))
    return [*files, load(on.client, "todo"), on.runs.counters(), history, intents, names]
