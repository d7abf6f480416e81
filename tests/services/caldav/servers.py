"""Real CalDAV servers as processes."""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.conftest import wait_until

PASSWORD = "hunter2"


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        home: path under which calendars can be made.
        login: a username, and the file that holds the password.
    """

    name: str
    url: str
    home: str
    login: tuple[str, Path]

    def person(self) -> httpx.Client:
        username, password = self.login
        auth = (username, password.read_text(encoding="utf-8"))
        return httpx.Client(base_url=self.url, auth=auth, trust_env=False, timeout=30)


def need(module: str) -> None:
    """Skip at home, fail in CI, where the server is not installed."""
    if importlib.util.find_spec(module) is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{module} is not installed")
        pytest.skip(f"{module} is not installed")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[None]:
    """Run a server until the block ends; then it is gone."""
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, *command], stdout=output, stderr=output)
    try:
        wait_until(lambda: _listens(port) or process.poll() is not None, f"{command[1]} listens")
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def radicale(folder: Path) -> Iterator[Server]:
    """Radicale, which asks for a login."""
    need("radicale")
    port = free_port()
    users = folder / "users"
    users.write_text(f"person:{PASSWORD}", encoding="utf-8")
    access = ["--auth-type", "htpasswd", "--auth-htpasswd-filename", str(users)]
    access += ["--auth-htpasswd-encryption", "plain", "--auth-delay", "0"]
    command = ["-m", "radicale", "--config", "", "--server-hosts", f"127.0.0.1:{port}", *access]
    command += ["--storage-filesystem-folder", str(folder / "data")]
    with running(command, port, folder / "log"):
        yield Server("radicale", f"http://127.0.0.1:{port}", "/person/", ("person", _secret(folder)))


@contextmanager
def xandikos(folder: Path) -> Iterator[Server]:
    """Xandikos, which takes everyone."""
    need("xandikos")
    port = free_port()
    command = ["-m", "xandikos", "serve", "-d", str(folder / "data"), "--state-dir", str(folder / "state")]
    command += ["--defaults", "-l", "127.0.0.1", "-p", str(port)]
    with running(command, port, folder / "log"):
        login = ("person", _secret(folder))
        yield Server("xandikos", f"http://127.0.0.1:{port}", "/user/calendars/", login)


def _secret(folder: Path) -> Path:
    secret = folder / "secret"
    secret.write_text(PASSWORD, encoding="utf-8")
    return secret


STARTS = {"radicale": radicale, "xandikos": xandikos}


class Servers:
    """The servers of this test process, each started when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._running: dict[str, Server] = {}

    def get(self, name: str) -> Server:
        if name not in self._running:
            folder = self._folder / name
            folder.mkdir(exist_ok=True)
            self._running[name] = self._stack.enter_context(STARTS[name](folder))
        return self._running[name]

    def close(self) -> None:
        self._stack.close()
