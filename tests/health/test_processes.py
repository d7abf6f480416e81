"""The health pages of real processes: idle, busy, frozen, and behind a network that swallows everything."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from sync_workers.health.proof import LIVES, READY, Proof
from sync_workers.sandbox.embedded import EmbeddedRedis, _free_port
from sync_workers.settings import Settings
from sync_workers.worker.health import pages
from tests.conftest import wait_until
from tests.worker.deployment import Deployment, deployed


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path, ".run_every(hours=1)") as deployment:
        deployment.environment["SYNC_WORKERS_HEALTH"] = f"127.0.0.1:{_free_port()}"
        yield deployment


def asked(on: Deployment, page: str, seconds: float = 5) -> tuple[int, dict[str, Any]]:
    url = f"http://{on.environment['SYNC_WORKERS_HEALTH']}/{page}"
    try:
        with urlopen(url, timeout=seconds) as reply:
            return reply.status, json.loads(reply.read())
    except HTTPError as error:
        return error.code, json.loads(error.read())


def probe(on: Deployment) -> int:
    command = [sys.executable, "-m", "sync_workers.health"]
    ended = subprocess.run(command, env=on.environment, capture_output=True, timeout=30, check=False)
    return ended.returncode


@pytest.mark.system
def test_a_worker_answers_while_it_is_idle_and_while_all_its_slots_are_busy(here: Deployment) -> None:
    assert probe(here) == 1, "nobody is there yet"
    here.worker()
    wait_until(lambda: asked(here, "readyz")[1]["loop_turned_seconds_ago"] < 3, "the loop turns")

    def heard() -> bool:
        """It is answered by the broker since it began, not only when it began."""
        told = asked(here, "healthz")[1]
        return bool(told.get("broker_answered_seconds_ago", 99) < 2)

    wait_until(heard, "the broker answers it")
    assert asked(here, "healthz")[0] == asked(here, "readyz")[0] == 200
    assert probe(here) == 0

    hold = here.task.hold("list-other")
    here.enqueue()
    here.wait_for("list-other")
    wait_until(lambda: asked(here, "healthz")[1]["all_slots_taken"], "its one slot is taken")
    assert asked(here, "healthz")[0] == asked(here, "readyz")[0] == 200
    hold.unlink()


@pytest.mark.system
def test_a_worker_without_redis_is_not_ready_and_is_again_when_it_is_back(here: Deployment) -> None:
    here.worker()
    wait_until(lambda: asked(here, "readyz")[0] == 200, "it is ready")
    here.redis.kill()
    assert asked(here, "readyz", 20)[0] == 503
    assert asked(here, "healthz", 20)[0] == 200, "a restart would not help"
    here.redis.restart()
    wait_until(lambda: asked(here, "readyz")[0] == 200, "it is ready again", 30)


@pytest.mark.system
def test_beat_answers_and_a_frozen_one_does_not(here: Deployment) -> None:
    beat = here.beat()

    def ready() -> bool:
        try:
            return asked(here, "readyz")[0] == 200
        except URLError:
            return False

    wait_until(ready, lambda: here.log(beat), 30)
    os.kill(beat.pid, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            asked(here, "healthz", 1)
    finally:
        os.kill(beat.pid, signal.SIGCONT)
    wait_until(ready, "it answers again")


@pytest.mark.system
@pytest.mark.parametrize("kind", ["worker", "beat"])
def test_a_port_that_is_taken_is_told_in_one_line(here: Deployment, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        here.environment["SYNC_WORKERS_HEALTH"] = f"127.0.0.1:{taken.getsockname()[1]}"
        process = here.command(kind, "--no-restart")
        assert process.wait(30) == 1
    said = here.log(process)
    assert "choose another port" in said
    assert "Traceback" not in said


def test_without_a_sign_a_process_is_dead_only_if_redis_answers() -> None:
    now = [0.0]
    with EmbeddedRedis() as redis:
        proof = Proof(lambda: now[0])
        made = pages(Settings(redis_url=redis.url), proof)
        assert made["/healthz"]().status == 200
        now[0] = READY.total_seconds() + 1
        assert made["/healthz"]().status == 200
        now[0] = LIVES.total_seconds() + 1
        assert made["/healthz"]().status == 503
        redis.kill()
        assert made["/healthz"]().status == 200


def test_the_probe_says_what_it_needs_and_costs_little() -> None:
    for arguments, said in ((["file:///etc/passwd"], "name a page"), ([], "set SYNC_WORKERS_HEALTH")):
        ended = subprocess.run(
            [sys.executable, "-m", "sync_workers.health", *arguments],
            capture_output=True, text=True, timeout=30, check=False, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
        assert (ended.returncode, said in ended.stderr) == (1, True)
    loaded = "import sys, sync_workers.health.__main__; print(' '.join(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert not {"celery", "redis", "notion_client", "typer"} & set(modules.stdout.split())
