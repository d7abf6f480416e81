"""`supervise` over small processes; it runs in a process of its own, since it takes over the signals."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.conftest import wait_until

SUPERVISE = """
import os, sys
from datetime import timedelta
from sync_workers.worker.supervise import supervise
moment = timedelta(seconds=float(sys.argv[2]))
sys.exit(supervise(
    [sys.executable, "-c", sys.argv[1]], os.environ, restart=sys.argv[3] == "restart",
    settled_after=moment, first_pause=timedelta(seconds=0.01),
))
"""

COUNT = "open('starts', 'a').write('x'); "
"""Each start leaves a sign in the working directory."""


@contextmanager
def supervised(
    folder: Path, script: str, settled_after: float = 0, restart: str = "restart"
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", SUPERVISE, script, str(settled_after), restart]
    process = subprocess.Popen(command, cwd=folder)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def starts(folder: Path) -> int:
    signs = folder / "starts"
    return len(signs.read_text()) if signs.exists() else 0


def test_an_unexpected_end_is_a_restart(tmp_path: Path) -> None:
    fails_twice = COUNT + "import sys; sys.exit(0 if len(open('starts').read()) == 3 else 7)"
    with supervised(tmp_path, fails_twice) as process:
        assert process.wait(30) == 0
    assert starts(tmp_path) == 3


def test_a_kill_is_a_restart(tmp_path: Path) -> None:
    dies_once = COUNT + "import os; os.kill(os.getpid(), 9) if len(open('starts').read()) == 1 else None"
    with supervised(tmp_path, dies_once) as process:
        assert process.wait(30) == 0
    assert starts(tmp_path) == 2


def test_a_wrong_set_up_is_not_repeated(tmp_path: Path) -> None:
    with supervised(tmp_path, COUNT + "import sys; sys.exit(1)", settled_after=60) as process:
        assert process.wait(30) == 1
    assert starts(tmp_path) == 1


def test_without_restart_it_ends_as_the_command_does(tmp_path: Path) -> None:
    with supervised(tmp_path, COUNT + "import sys; sys.exit(7)", restart="no") as process:
        assert process.wait(30) == 7
    assert starts(tmp_path) == 1


def test_sigterm_is_passed_on_and_not_answered_with_a_restart(tmp_path: Path) -> None:
    waits = (
        "import signal, sys, time; "
        "signal.signal(signal.SIGTERM, lambda *_: (open('told', 'w'), sys.exit(3))); "
        + COUNT
        + "time.sleep(60)"
    )
    with supervised(tmp_path, waits) as process:
        wait_until(lambda: starts(tmp_path) == 1, "it started")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 3
    assert (tmp_path / "told").exists()
    assert starts(tmp_path) == 1


def test_a_supervisor_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    with supervised(tmp_path, COUNT + "import time; time.sleep(60)") as process:
        wait_until(lambda: starts(tmp_path) == 1, "it started")
        started = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        wait_until(lambda: not any(one.is_running() for one in started), "all are gone")
