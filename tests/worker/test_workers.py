"""Real worker and beat processes on a real Redis, as a user starts them; some of them are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import psutil
import pytest

from sync_workers.redis.keys import CELERY
from sync_workers.sandbox.embedded import _free_port
from sync_workers.worker.queues import PHASES
from tests.conftest import wait_until
from tests.worker.deployment import ROOT, Deployment, deployed
from tests.worker.wiretap import spoken, tapped

pytestmark = pytest.mark.system

PLANTED = "hunter2-the-planted-value"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as deployment:
        yield deployment


@pytest.fixture
def ticking(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path, ".run_every(seconds=1)") as deployment:
        yield deployment


def test_a_chain_runs_over_workers_that_share_its_phases(here: Deployment) -> None:
    here.task.put("notion", Name="Bread", Done=False)
    readers = here.worker("-Q", "sync.get,sync.diff")
    writers = here.worker("-Q", "sync.apply")

    report = here.enqueue(wait=60)

    assert report["outcome"] == "done"
    assert report["trigger"] == "ad-hoc"
    assert here.task.shown("notion") == here.task.shown("other") == [("Bread", False)]
    assert "sync.apply" not in here.log(readers).partition("ready.")[2]
    assert "sync.get" not in here.log(writers).partition("ready.")[2]


def test_a_run_that_has_nothing_to_do_sends_no_message_for_apply(here: Deployment) -> None:
    worker = here.worker()
    with tapped(here.redis.url) as heard:
        assert here.enqueue(wait=60)["planned"] == 0
        wait_until(
            lambda: "Task sync.diff" in here.log(worker) and "'planned': 0" in here.log(worker), "diff ends"
        )
    queues = {f"LPUSH {CELERY}{phase}.urgent ": phase for phase in PHASES}
    sent = [phase for queue, phase in queues.items() for command in heard if command.startswith(queue)]
    assert sent == ["sync.get", "sync.diff"]


def test_requests_while_a_run_works_become_exactly_one_following_run(here: Deployment) -> None:
    here.worker()
    here.worker()
    hold = here.task.hold("list-other")
    first = here.enqueue()
    here.wait_for("list-other")
    second, third = here.enqueue(), here.enqueue(full=True)
    wait_until(lambda: here.client.ask("HLEN", "sync:{todo}:joined") == 1, "both requests were heard")
    hold.unlink()

    reports = [here.report(run) for run in (first, second, third)]
    assert [report["run"] for report in reports].count(first) == 1
    assert reports[1]["run"] == reports[2]["run"] in {second, third}
    assert [word for _, word in here.task.log()].count("list-other") == 2
    assert here.runs.counters() == {"done": 2}
    assert here.runs.lease() is None


def test_ticks_while_a_run_works_are_dropped_and_counted(ticking: Deployment) -> None:
    ticking.worker("-c", "2")
    hold = ticking.task.hold("list-other")
    ticking.beat()
    ticking.wait_for("list-other")
    wait_until(lambda: ticking.runs.counters().get("dropped", 0) >= 2, "two ticks are dropped")
    assert [word for _, word in ticking.task.log()].count("list-other") == 1
    hold.unlink()

    wait_until(lambda: ticking.runs.counters().get("done", 0) >= 2, "runs go on")
    assert ticking.runs.following() is None


def test_a_phase_whose_child_is_killed_is_delivered_again_and_finishes(here: Deployment) -> None:
    here.task.put("notion", Name="Bread", Done=False)
    here.worker()
    hold = here.task.hold("list-other")
    run = here.enqueue()
    os.kill(here.wait_for("list-other"), signal.SIGKILL)
    hold.unlink()

    assert here.report(run)["outcome"] == "done"
    assert here.task.shown("notion") == here.task.shown("other")


def test_a_child_killed_in_the_middle_of_a_write_makes_no_duplicate(here: Deployment) -> None:
    for number in range(4):
        here.task.put("notion", Name=f"n{number}", Done=False)
    here.worker()
    hold = here.task.hold("create-other")
    run = here.enqueue()
    os.kill(here.wait_for("create-other"), signal.SIGKILL)
    hold.unlink()

    assert here.report(run)["run"] == run
    assert here.enqueue(wait=60)["outcome"] == "done"
    assert here.task.shown("notion") == here.task.shown("other")


def test_a_worker_that_is_asked_to_stop_hands_its_run_over(here: Deployment) -> None:
    for number in range(6):
        here.task.put("notion", Name=f"n{number}", Done=False)
    workers = [here.worker(), here.worker()]
    hold = here.task.hold("create-other")
    run = here.enqueue()
    child = here.wait_for("create-other")
    (leaving,) = (worker for worker in workers if worker.pid == psutil.Process(child).ppid())
    leaving.terminate()
    wait_until(lambda: "Warm shutdown" in here.log(leaving), "the worker heard it")
    hold.unlink()

    assert leaving.wait(30) == 0
    report = here.report(run)
    assert report["outcome"] == "done"
    assert report["counts"] == {"other.create": 6}
    wrote = Counter(pid for pid, word in here.task.log() if word == "create-other")
    assert wrote[child] == 1, "the write that was under way ended, and no other was begun"
    assert len(wrote) == 2
    assert wrote.total() == 6, "none was tried twice"
    assert here.task.shown("notion") == here.task.shown("other")


def test_a_dropped_connection_runs_a_phase_twice_and_one_of_them_counts(here: Deployment) -> None:
    here.task.put("notion", Name="Bread", Done=False)
    workers = [here.worker(), here.worker()]
    hold = here.task.hold("list-other")
    run = here.enqueue()
    first = here.wait_for("list-other")
    # the busy worker would sometimes take its own message back and let it wait
    (busy,) = (n for n, worker in enumerate(workers) if worker.pid == psutil.Process(first).ppid())
    here.control("cancel_consumer", "sync.get.urgent", "--destination", f"w{busy}@test")
    here.client.ask("CLIENT KILL", "TYPE", "normal")
    here.client.ask("CLIENT KILL", "TYPE", "pubsub")
    second = here.wait_for("list-other", times=2)
    assert first != second, "two children read at the same time"
    hold.unlink()

    assert here.report(run)["outcome"] == "done"
    wait_until(lambda: "'outcome': 'superseded'" in here.logs(), "the older attempt stops")
    assert here.task.shown("notion") == here.task.shown("other")
    assert here.runs.counters() == {"done": 1}


def test_a_redis_that_crashes_under_a_run_loses_nothing(here: Deployment) -> None:
    for number in range(3):
        here.task.put("notion", Name=f"n{number}", Done=False)
    here.client.ask("CONFIG SET", "appendfsync", "always")
    here.worker()
    hold = here.task.hold("create-other")
    run = here.enqueue()
    here.wait_for("create-other")
    here.redis.kill()
    hold.unlink()
    here.redis.restart()

    assert here.report(run, 120)["outcome"] in {"done", "partial"}
    assert here.enqueue(wait=100)["outcome"] == "done"
    assert here.task.shown("notion") == here.task.shown("other")


def test_no_value_is_in_messages_results_events_or_logs(here: Deployment) -> None:
    here.task.put("notion", Name=PLANTED, Done=False)
    here.task.put("other", summary=PLANTED + "-too", done=True)
    here.worker()
    with tapped(here.redis.url) as heard:
        assert here.enqueue(wait=60)["outcome"] == "done"
        (record_id,) = (i for i, obj in here.task.read("notion").items() if obj["Name"] == PLANTED)
        here.task.put("notion", record_id, modified=f"{PLANTED}, which is no time")
        with here.task.changing("notion") as objects:
            objects[record_id]["modified"] = f"{PLANTED}, which is no time"
        here.enqueue(wait=60)
        (here.folder / "notion.json").write_text(f"{PLANTED}, which is no JSON")
        assert here.enqueue(wait=60)["outcome"] == "failed"

    plumbing = [spoken(command) for command in heard if not _is_our_own(command)]
    assert any("task-progress" in command for command in plumbing)
    assert any("task-succeeded" in command and "other.create" in command for command in plumbing)
    assert any("RunFailedError" in command for command in plumbing)
    assert any("'trigger': 'ad-hoc'" in command for command in plumbing), "messages were made readable"
    assert not [command for command in plumbing if PLANTED in command]
    assert not [line for line in here.logs().splitlines() if PLANTED in line]


def _is_our_own(command: str) -> bool:
    """State, snapshots and plans of the task: they are there to hold values."""
    return "sync:{todo}:" in command and "sync:celery:" not in command


@pytest.mark.parametrize("app", ["sync_workers.worker.app worker", "beat_schedule.app beat"])
def test_without_redis_a_process_ends_with_one_line_and_the_remedy(tmp_path: Path, app: str) -> None:
    port = _free_port()
    environment = os.environ | {
        "SYNC_WORKERS_REDIS_URL": f"redis://:hunter2@127.0.0.1:{port}/0",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "celery", "-A", *app.split(), "-l", "warning"],
        capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=100, check=False,
    )  # fmt: skip
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert f"Redis at 127.0.0.1:{port} does not answer" in said
    assert "SYNC_WORKERS_REDIS_URL" in said
    assert "Traceback" not in said
    assert "hunter2" not in said


def test_flower_shows_task_run_trigger_and_progress_while_a_phase_works(here: Deployment) -> None:
    for number in range(3):
        here.task.put("notion", Name=f"n{number}", Done=False)
    port = _free_port()
    flower = here.start(
        "-A", "sync_workers.worker.app", "flower", "--address=127.0.0.1", f"--port={port}"
    )  # fmt: skip
    wait_until(lambda: _rows(port) is not None, f"Flower answers\n{here.log(flower)}", 60)
    here.worker()
    hold = here.task.hold("create-other")
    run = here.enqueue()
    here.wait_for("create-other")

    row = wait_until(lambda: _row(port, "PROGRESS"), "Flower shows the phase and its progress")
    assert row["kwargs"] == f"task=todo trigger=ad-hoc run={run}"
    assert row["result"] == str({"phase": "apply", "done": 0, "of": 3})
    hold.unlink()
    here.report(run)
    wait_until(lambda: _row(port, "SUCCESS"), "Flower shows its end")


def _row(port: int, state: str) -> dict[str, Any] | None:
    row = (_rows(port) or {}).get("sync.apply", {})
    return row if row.get("state") == state else None


def _rows(port: int) -> dict[str, dict[str, Any]] | None:
    """What Flower's page of tasks is filled with, by phase."""
    wanted = {
        "draw": 1, "start": 0, "length": 20, "search[value]": "",
        "order[0][column]": 0, "columns[0][data]": "name", "order[0][dir]": "asc",
    }  # fmt: skip
    try:
        with urlopen(f"http://127.0.0.1:{port}/tasks/datatable?{urlencode(wanted)}", timeout=5) as answer:
            return {row["name"]: row for row in json.load(answer)["data"]}
    except OSError:
        return None
