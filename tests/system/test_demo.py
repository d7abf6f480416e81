"""The demo is the main job: it plays, it proves, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.conftest import wait_until

pytestmark = [pytest.mark.system, pytest.mark.timeout(280)]

DEMO = [sys.executable, "-m", "sync_workers", "demo"]


def environment() -> dict[str, str]:
    """Nothing of ours, so that the demo runs on its embedded defaults."""
    return {name: text for name, text in os.environ.items() if not name.startswith("SYNC_WORKERS_")}


OWN = """
[connections.here]
kind = "sql"
url = "sqlite:///x.db"
[tasks.own]
match = ["name"]
notion = { connection = "here", table = "a" }
other = { connection = "here", table = "b" }
[tasks.own.fields]
name = "name"
"""


def run_demo(*args: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*DEMO, *args],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def family(pid: int) -> set[psutil.Process]:
    return set(psutil.Process(pid).children(recursive=True))


def alive(processes: set[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_once_plays_the_script_and_both_sides_agree(tmp_path: Path) -> None:
    played = run_demo("--once", folder=tmp_path)
    assert played.returncode == 0, played.stdout + played.stderr
    assert "Both sides agree." in played.stdout
    for step in (
        "First sync",
        "Edited in Notion",
        "Edited in the calendar",
        "A conflict",
        "Deleted in Notion",
    ):
        assert step in played.stdout
    # Nothing lies around afterwards.
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_being_stopped_ends_everything_it_started(tmp_path: Path, number: signal.Signals) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        demo = subprocess.Popen(DEMO, cwd=tmp_path, env=environment(), stdout=output, stderr=output)
    try:
        wait_until(lambda: "Edited in Notion" in log.read_text() or demo.poll(), log.read_text, seconds=120)
        started = family(demo.pid)
        assert len(started) > 6  # Redis, Radicale, workers and their children, beat, Flower
        demo.send_signal(number)
        assert demo.wait(60) == 0, log.read_text()
        assert alive(started) == []
    finally:
        demo.kill()
        demo.wait()


def test_being_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("w") as output:
        demo = subprocess.Popen(DEMO, cwd=tmp_path, env=environment(), stdout=output, stderr=output)
    wait_until(lambda: "Ready" in log.read_text() or demo.poll(), log.read_text, seconds=120)
    started = family(demo.pid)
    demo.kill()
    demo.wait()
    wait_until(lambda: not alive(started), "all processes are gone", seconds=30)


def test_with_a_task_file_each_task_runs_once_on_its_own_services(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as database:
        for table in ("a", "b"):
            database.execute(f"CREATE TABLE {table} (id TEXT PRIMARY KEY, name TEXT)")
        database.execute("INSERT INTO a VALUES ('1', 'Bread')")
    database.close()
    (tmp_path / "sync.toml").write_text(OWN, encoding="utf-8")
    played = run_demo("--once", "--config", "sync.toml", folder=tmp_path)
    assert played.returncode == 0, played.stdout + played.stderr
    with sqlite3.connect(tmp_path / "x.db") as database:
        assert database.execute("SELECT name FROM b").fetchall() == [("Bread",)]
    database.close()


def test_a_task_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    played = run_demo("--config", "nosuch.toml", folder=tmp_path)
    assert played.returncode == 1
    assert played.stderr.startswith("there is no task file nosuch.toml")
    assert len(played.stderr.splitlines()) == 1
