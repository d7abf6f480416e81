from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from sync_workers import enqueue
from sync_workers.errors import LaterError, RedisUnreachableError, SettingsError
from sync_workers.redis.connect import Client
from sync_workers.redis.lease import Lease, Taken
from sync_workers.report import Outcome, Report, Trigger
from sync_workers.sandbox.embedded import _free_port
from sync_workers.worker.enqueue import _seconds, wait_for
from tests.worker.deployment import ROOT


@pytest.fixture
def one_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A task file with the task `todo`."""
    path = tmp_path / "sync.toml"
    path.write_text(
        '[connections.here]\nkind = "memory"\n'
        '[tasks.todo]\nnotion = { connection = "here", container = "a" }\n'
        'other = { connection = "here", container = "b" }\nmatch = ["title"]\nfields = { title = "title" }\n'
    )
    monkeypatch.setenv("SYNC_WORKERS_CONFIG", str(path))
    return path


def ended(client: Client, task: str, run: str) -> None:
    lease = Lease(client, task, run)
    assert isinstance(lease.take(Trigger.AD_HOC, first=True), Taken)
    lease.end(Report(task, run, outcome=Outcome.DONE).summary())


def test_an_unknown_name_is_told_with_the_nearest_before_anything_is_sent(one_task: Path) -> None:
    assert one_task.exists()
    with pytest.raises(SettingsError, match="did you mean 'todo'"):
        enqueue("tood")


def test_without_redis_it_is_one_line_with_the_remedy(
    one_task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert one_task.exists()
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", f"redis://:hunter2@127.0.0.1:{_free_port()}")
    with pytest.raises(RedisUnreachableError, match="SYNC_WORKERS_REDIS_URL") as caught:
        enqueue("Todo")
    assert "hunter2" not in str(caught.value)


def test_without_a_broker_it_is_one_line_with_the_remedy(one_task: Path, redis_url: str) -> None:
    program = (
        "from sync_workers import enqueue\nfrom sync_workers.errors import RedisUnreachableError\n"
        "try:\n    enqueue('todo')\nexcept RedisUnreachableError as error:\n    print(error)"
    )
    environment = os.environ | {
        "SYNC_WORKERS_CONFIG": str(one_task),
        "SYNC_WORKERS_REDIS_URL": redis_url,
        "SYNC_WORKERS_BROKER_URL": f"redis://:hunter2@127.0.0.1:{_free_port()}/0",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    said = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=True,
    )
    assert "SYNC_WORKERS_BROKER_URL" in said.stdout
    assert "hunter2" not in said.stdout + said.stderr


def test_waiting_ends_with_the_run(redis_client: Client, task_name: str) -> None:
    timer = threading.Timer(0.2, ended, (redis_client, task_name, "run"))
    timer.start()
    assert wait_for(redis_client, task_name, "run", 20)["run"] == "run"
    timer.join()


def test_waiting_ends_after_the_time_given_and_the_run_goes_on(redis_client: Client, task_name: str) -> None:
    with pytest.raises(LaterError, match="goes on"):
        wait_for(redis_client, task_name, "run", 0)
    ended(redis_client, task_name, "run")
    assert wait_for(redis_client, task_name, "run", 0)["outcome"] == "done"


def test_a_time_is_given_as_one_likes() -> None:
    assert _seconds(wait=True) is None
    assert _seconds(2.5) == 2.5
    assert _seconds(timedelta(minutes=1)) == 60
