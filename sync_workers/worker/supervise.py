"""Keeps a worker, beat or Flower running on a machine that has no supervisor of its own.

Celery 5.7 ends a busy worker some seconds after Redis comes back from a crash; whatever version runs,
an exit that nobody asked for is a restart.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType

_log = logging.getLogger(__name__)

SETTLED = timedelta(seconds=10)
"""A process that lived so long had a good start; one that did not, at its first start, has a wrong set-up,
and starting it again would only repeat the same line."""

LONGEST_PAUSE = timedelta(seconds=30)
"""Between two starts, doubled from one second each time the process did not live for `SETTLED`."""


FIRST_PAUSE = timedelta(seconds=1)


def supervise(
    command: Sequence[str],
    env: Mapping[str, str],
    *,
    restart: bool = True,
    settled_after: timedelta = SETTLED,
    first_pause: timedelta = FIRST_PAUSE,
) -> int:
    """Run a command in the foreground and start it again when it ends without being asked to.

    SIGTERM and SIGINT are passed on, once each time they come. Returns the command's last exit code.
    """
    asked = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        asked.set()
        for process in running:
            process.send_signal(number)  # does nothing to one that has ended

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, pass_on)
    pause, settled = first_pause, False
    while True:
        begun = time.monotonic()
        process = subprocess.Popen(command, env=dict(env))  # noqa: S603 - our own commands
        running[:] = [process]
        with _ended_with_us(process):
            code = process.wait()
        lived = timedelta(seconds=time.monotonic() - begun)
        settled = settled or lived >= settled_after
        if asked.is_set() or code == 0 or not restart or not settled:
            return code
        pause = first_pause if lived >= settled_after else min(pause * 2, LONGEST_PAUSE)
        _log.warning("it ended with %d; started again in %.0f s", code, pause.total_seconds())
        if asked.wait(pause.total_seconds()):
            return code


@contextmanager
def _ended_with_us(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Leave no command behind when we are killed: a small shell waits for our end, however we end."""
    guard = subprocess.Popen(  # noqa: S603 - a fixed script
        ["/bin/sh", "-c", 'cat >/dev/null; kill -TERM "$0" 2>/dev/null', str(process.pid)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.kill()
        guard.wait()
        if guard.stdin is not None:
            guard.stdin.close()
