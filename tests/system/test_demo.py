"""The demo is the main job: it plays, it proves, and it leaves nothing behind."""

from __future__ import annotations

import os
import signal
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


def family(pid: int) -> set[psutil.Process]:
    return set(psutil.Process(pid).children(recursive=True))


def alive(processes: set[psutil.Process]) -> list[psutil.Process]:
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def test_once_plays_the_script_and_both_sides_agree(tmp_path: Path) -> None:
    played = subprocess.run(
        [*DEMO, "--once"],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
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
