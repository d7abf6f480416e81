"""A run that Notion asks for patience gives its worker back, which carries out another one meanwhile."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sync_workers.redis.runs_store import RunsStore
from tests.conftest import wait_until
from tests.system.deployment import Deployment, deployed

pytestmark = pytest.mark.system

ANOTHER = """
[connections.apart]
kind = "sql"
url = "sqlite:///{table}"

[tasks.small]
match = ["name"]
notion = {{ connection = "table", table = "plain" }}
other = {{ connection = "apart", table = "plain" }}

[tasks.small.fields]
name = "name"
"""
PLAIN = "CREATE TABLE plain (id INTEGER PRIMARY KEY, name TEXT)"
LONGER_THAN_A_WORKER_SLEEPS = 11


def program(text: str, deployment: Deployment, environment: dict[str, str]) -> str:
    """A user's program beside the workers."""
    ended = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        env=environment,
        timeout=100,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr + deployment.logs()
    return ended.stdout.strip()


TICK = (
    "from sync_workers.report import Trigger\n"
    "from sync_workers.worker.delivery import Delivery\n"
    "from sync_workers.worker.tasks import run_chain\n"
    "tick = Delivery('whole', 'the-waiting-run', Trigger.BEAT)\n"
    "run_chain(tick).apply_async()"
)
REQUEST = "import sync_workers; print(sync_workers.enqueue('small', wait=90)['outcome'])"


def test_a_worker_with_one_slot_runs_another_task_while_a_run_waits(tmp_path: Path) -> None:
    with deployed(tmp_path) as here:
        # Given a worker with one slot, and a task whose service asks for patience twice.
        with (tmp_path / "sync.toml").open("a") as file:
            file.write(ANOTHER.format(table=tmp_path / "apart.db"))
        here.table(PLAIN)
        with closing(sqlite3.connect(tmp_path / "apart.db")) as apart, apart:
            apart.execute(PLAIN)
            apart.execute("INSERT INTO plain (name) VALUES ('Bread')")
        for number in range(3):
            here.table("INSERT INTO tasks (id, name) VALUES (?, ?)", str(number), f"row {number}")
        faults = here.notion.faults
        wait = LONGER_THAN_A_WORKER_SLEEPS
        faults.add("rate_limited", "POST", "query", seconds=wait)
        faults.add("delay", "POST", "/v1/pages$", seconds=0)
        faults.add("rate_limited", "POST", "/v1/pages$", seconds=wait)
        environment = here.environment
        here.start("worker", "worker", "-c", "1")

        # When it waits, and another task is asked for.
        program(TICK, here, environment)
        wait_until(lambda: _refused(here) == 1, here.logs, 60)
        assert program(REQUEST, here, environment) == "done"

        # Then that one is done first, and the other one goes on where it was, to its end.
        assert here.table("SELECT name FROM plain") == [("Bread",)]
        assert here.runs.report("the-waiting-run") is None
        assert RunsStore(here.client, "small").recent(1)
        report = wait_until(lambda: here.runs.report("the-waiting-run"), here.logs, 90)
        assert report["outcome"] == "done", report
        assert report["counts"] == {"notion.create": 3}
        assert [name for name, _, _ in here.notion_side()] == ["row 0", "row 1", "row 2"]
        assert _refused(here) == 2


def _refused(here: Deployment) -> int:
    return sum(seen.status == 429 for seen in here.notion.seen_requests())
