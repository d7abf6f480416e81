"""A worker and beat that take up a changed task file while they run, and `reload`, which tells who has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_workers.redis.presence import processes
from sync_workers.redis.runs_store import RunsStore
from tests.conftest import wait_until
from tests.worker.deployment import Deployment, deployed

pytestmark = pytest.mark.system

MEMORY = """
[connections.here]
kind = "memory"
[tasks.later]
every = "1s"
tenant = "{tenant}"
match = ["Name"]
notion = {{ connection = "here", container = "a" }}
other = {{ connection = "here", container = "b" }}
fields = {{ Name = "title" }}
"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path, ".run_every(seconds=1)") as deployment:
        yield deployment


def reload(on: Deployment, *options: str) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, "-m", "sync_workers", "reload", *options],
        capture_output=True, text=True, env=on.environment | {"COLUMNS": "200"}, cwd=on.folder,
        timeout=60, check=False,
    )  # fmt: skip
    return ended.returncode, " ".join((ended.stdout + ended.stderr).split())


def done(on: Deployment, task: str) -> int:
    return RunsStore(on.client, task).counters().get("done", 0)


def test_tasks_come_and_go_while_everything_runs(here: Deployment) -> None:
    here.worker()
    here.beat()
    wait_until(lambda: done(here, "todo") >= 1, "the first task runs")
    path = here.folder / "sync.toml"
    good = path.read_text()

    # A task of a new tenant is added: it runs by itself, and every process has taken it up.
    path.write_text(good + MEMORY.format(tenant="new"))
    code, told = reload(here)
    assert code == 0, told
    assert "2 task(s), no problems" in told
    assert told.count("taken up") == 2
    wait_until(lambda: done(here, "later") >= 2, here.logs, 30)

    # A file with problems is refused here, and by them; what was there goes on.
    path.write_text(good + MEMORY.format(tenant="Not a name"))
    code, told = reload(here)
    assert code == 1
    assert "tasks.later.tenant: should be up to 64" in told
    wait_until(lambda: all(one.problem for one in processes(here.client)), "they refuse it", 15)
    before = done(here, "later")
    wait_until(lambda: done(here, "later") >= before + 2, "the old tasks go on")

    # It is taken out again: no more ticks for it, while the other one goes on.
    path.write_text(good)
    assert reload(here)[0] == 0
    later, todo = done(here, "later"), done(here, "todo")
    wait_until(lambda: done(here, "todo") >= todo + 4, "the other one goes on")
    assert done(here, "later") <= later + 1, "one may have been on its way"


def test_reload_tells_of_a_machine_with_another_file_and_of_no_process_at_all(
    here: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert "no process runs" in reload(here)[1]
    here.beat()
    wait_until(lambda: processes(here.client), "beat is there", 30)
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "sync.toml"
    elsewhere.write_text("# another one\n" + (here.folder / "sync.toml").read_text())
    (elsewhere.parent / "my_tasks.py").write_text((here.folder / "my_tasks.py").read_text())
    here.environment["SYNC_WORKERS_CONFIG"] = str(elsewhere)

    code, told = reload(here, "--no-wait")

    assert code == 1
    assert "is it the same on that machine?" in told
