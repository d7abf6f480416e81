from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from sync_workers.redis.connect import connect
from sync_workers.sandbox.embedded import EmbeddedRedis
from tests.conftest import wait_until


def is_gone(pid: int | None) -> bool:
    assert pid is not None
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_the_server_and_its_data_go_with_the_block() -> None:
    with EmbeddedRedis() as server:
        pid, directory = server.pid, server._directory
        assert connect(server.url).ask("PING")
        assert directory.exists()
    assert is_gone(pid)
    assert server.pid is None
    assert not directory.exists()


def test_a_port_that_somebody_took_meanwhile_is_left_to_them() -> None:
    with EmbeddedRedis() as first:
        late = EmbeddedRedis()
        late.port = first.port
        with late:
            assert late.port != first.port
            assert connect(late.url).ask("INFO", "server")["process_id"] == late.pid


def test_a_killed_server_comes_back_on_the_same_port_with_its_data() -> None:
    with EmbeddedRedis("--appendfsync", "always") as server:
        url, pid = server.url, server.pid
        client = connect(url)
        client.ask("SET", "kept", "yes")
        server.kill()
        assert is_gone(pid)
        server.restart()
        assert server.url == url
        assert client.ask("GET", "kept") == b"yes"
        assert client.ask("CONFIG GET", "maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        client.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no server for it")
def test_the_server_does_not_outlive_a_parent_that_is_killed() -> None:
    program = (
        "from sync_workers.sandbox.embedded import EmbeddedRedis as E\n"
        "with E() as server:\n    print(server.pid, server._directory, flush=True)\n    input()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert parent.stdout is not None
        pid, directory = parent.stdout.readline().split()
        assert not is_gone(int(pid))
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        parent.communicate()
    wait_until(lambda: is_gone(int(pid)), "the server ends")
    wait_until(lambda: not Path(directory).exists(), "its data are removed")
