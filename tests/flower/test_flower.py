"""Flower: nobody gets in without a login, runs can be started by its API, and it holds no secrets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest

from sync_workers.redis.connect import connect
from sync_workers.redis.runs_store import RunsStore
from tests.conftest import wait_until
from tests.flower.leaky_task import LeakyTask
from tests.flower.watched import PASSWORD, USER, Flower
from tests.worker.deployment import Deployment, deployed

pytestmark = pytest.mark.system

PLANTED = "hunter2-the-planted-value"
IN_CI = os.environ.get("CI") == "true"
SECRET = "planted-redis-password-7731"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as deployment:
        yield deployment


def command_lines(process: subprocess.Popen[bytes]) -> str:
    family = [psutil.Process(process.pid)]
    family += family[0].children(recursive=True)
    return "\n".join(" ".join(member.cmdline()) for member in family)


def test_nobody_gets_in_without_the_login_and_the_login_is_no_argument(here: Deployment) -> None:
    flower = Flower(here, FLOWER_UNAUTHENTICATED_API="true")

    for path in ("/", "/tasks", "/api/workers", "/api/tasks"):
        assert flower.ask(path, login=None)[0] == 401, path
        assert flower.ask(path, login=f"{USER}:wrong")[0] == 401, path
    started = flower.ask("/api/task/async-apply/sync.enqueue", None, {"kwargs": {"task": "todo"}})
    assert started[0] == 401
    assert flower.ask("/workers")[0] == 200
    assert PASSWORD not in command_lines(flower.process)
    assert PASSWORD not in here.log(flower.process)


def test_a_login_is_made_up_on_this_machine_and_none_is_an_error_elsewhere(here: Deployment) -> None:
    flower = Flower(here, login=False)
    told = re.search(r"user (\w+), password (\S+)", here.log(flower.process))
    assert told is not None
    assert flower.ask("/workers", login=f"{told[1]}:{told[2]}")[0] == 200
    assert flower.ask("/workers", login=None)[0] == 401
    assert told[2] not in command_lines(flower.process)

    ended = subprocess.run(
        [sys.executable, "-m", "sync_workers", "flower", "--address", "10.1.2.3"],
        capture_output=True, text=True, env=here.environment, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "set SYNC_WORKERS_FLOWER_LOGIN to user:password" in ended.stderr


def test_a_run_is_started_by_the_api_and_a_wrong_name_is_told(here: Deployment) -> None:
    flower = Flower(here)
    here.worker()
    here.task.put("notion", Name="Bread", Done=False)

    status, body = flower.ask("/api/task/async-apply/sync.enqueue", data={"kwargs": {"task": "todo"}})

    assert status == 200
    asked = json.loads(body)["task-id"]
    wait_until(lambda: here.task.shown("other") == [("Bread", False)], here.logs, 30)
    found = wait_until(lambda: ended(flower, asked, "SUCCESS"), "Flower shows its end")
    run = re.search(r"'run': '(\w+)'", found["result"])
    assert run is not None
    assert here.report(run[1])["trigger"] == "ad-hoc"

    for name, kwargs, said in (
        ("sync.enqueue", {"task": "tood"}, "did you mean 'todo'?"),
        ("sync.get", {"task": "todo"}, "this is no message of a run"),
        ("sync.apply", {"task": "todo", "run": "x", "trigger": "no such", "full": 1}, "no message of a run"),
    ):
        body = flower.ask(f"/api/task/async-apply/{name}", data={"kwargs": kwargs})[1]
        asked = json.loads(body)["task-id"]
        found = wait_until(partial(ended, flower, asked, "FAILURE"), f"{name} fails")
        assert said in found["exception"]
    assert here.runs.counters() == {"done": 1}


def ended(flower: Flower, asked: str, state: str) -> dict[str, Any] | None:
    found = flower.tasks().get(asked, {})
    return found if found.get("state") == state else None


@pytest.fixture
def leaky(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path, kind=LeakyTask) as deployment:
        yield deployment


def test_flower_holds_neither_values_nor_secrets(leaky: Deployment) -> None:
    here = leaky
    here.client.ask("CONFIG SET", "requirepass", SECRET)
    url = here.redis.url.replace("redis://", f"redis://:{SECRET}@")
    here.client.close()
    here.client, here.environment["SYNC_WORKERS_REDIS_URL"] = connect(url), url
    here.runs = RunsStore(here.client, "todo")
    flower = Flower(here)
    worker = here.worker()
    record_id = here.task.put("notion", Name=PLANTED, Done=False)
    here.task.put("other", summary=PLANTED + "-too", done=True)
    assert here.enqueue(wait=60)["outcome"] == "done"
    # A record whose hook raises with the value in its message, and a side that cannot be read at all.
    with here.task.changing("notion") as objects:
        objects[record_id]["modified"] = f"{PLANTED}, which is no time"
    here.enqueue(wait=60)
    (here.folder / "leak").touch()
    assert here.enqueue(wait=60)["outcome"] == "failed"
    wait_until(lambda: "FAILURE" in {task["state"] for task in flower.tasks().values()}, "it heard of it")

    pages = flower.everything()

    assert "sync.apply" in pages["/api/tasks"]
    assert "worker" in pages["/api/workers?refresh=1"]
    for planted in (PLANTED, SECRET, PASSWORD):
        assert [path for path, text in pages.items() if planted in text] == []
    lines = (here.log(worker) + here.log(flower.process)).splitlines()
    assert [line for line in lines if PLANTED in line or SECRET in line] == []
    assert [path for path, text in pages.items() if "trigger=ad-hoc" in text], "what is searched is there"


@pytest.mark.skipif(
    os.environ.get("CI") != "true" and not Path("/usr/bin/chromium").exists(), reason="no Chromium"
)
def test_a_person_sees_which_run_of_which_task_is_how_far(here: Deployment, tmp_path: Path) -> None:
    from tests.flower.browser import Browser

    for number in range(3):
        here.task.put("notion", Name=f"n{number}", Done=False)
    flower = Flower(here)
    here.worker()
    hold = here.task.hold("create-other")
    run = here.enqueue()
    here.wait_for("create-other")
    try:
        with Browser(tmp_path / "profile", f"{USER}:{PASSWORD}") as browser:
            browser.open(f"{flower.url}/tasks")
            text = wait_until(lambda: browser.says(f"run={run}", "PROGRESS"), browser.text, 30)
            assert "task=todo trigger=ad-hoc" in text
            assert "{'phase': 'apply', 'done': 0, 'of': 3}" in text
            browser.save(tmp_path / "tasks.png")
            browser.open(f"{flower.url}/workers")
            wait_until(lambda: browser.says("w1@test", "Online"), browser.text, 30)
            browser.save(tmp_path / "workers.png")
    finally:
        hold.unlink()
    assert (tmp_path / "tasks.png").stat().st_size > 10_000
    keep = os.environ.get("SCREENSHOTS")
    if keep:
        for name in ("tasks", "workers"):
            Path(keep, f"flower-{name}.png").write_bytes((tmp_path / f"{name}.png").read_bytes())
