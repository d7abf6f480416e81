from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading

import httpx
import pytest

from sync_workers.errors import MissingExtraError, SyncError
from sync_workers.sandbox.notion import Notion
from sync_workers.sandbox.serve import SandboxServer
from tests.conftest import wait_until
from tests.sandbox.replay import HEADERS


def test_the_server_is_there_inside_the_with_block_and_gone_after_it() -> None:
    # given
    with SandboxServer() as server:
        # when
        assert httpx.get(f"{server.url}/v1/users/me", headers=HEADERS).status_code == 200
    # then
    assert "sandbox" not in [thread.name for thread in threading.enumerate()]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/v1/users/me")


def test_two_servers_stand_side_by_side() -> None:
    with SandboxServer() as one, SandboxServer() as other:
        assert one.port != other.port


def test_the_server_stops_while_a_client_waits(notion: Notion) -> None:
    # given a request that is answered in an hour
    notion.faults.add("delay", seconds=3600)
    with SandboxServer(notion) as server:
        patient = threading.Thread(target=_ask, args=[server.url])
        patient.start()
        wait_until(notion.seen_requests, "the request arrives")
    # then the server is gone all the same, and the client hears so
    patient.join(5)
    assert not patient.is_alive()
    assert "sandbox" not in [thread.name for thread in threading.enumerate()]


def _ask(url: str) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"{url}/v1/users/me", headers=HEADERS, timeout=60).raise_for_status()


def test_a_taken_port_is_told_with_the_remedy() -> None:
    with SandboxServer() as server, pytest.raises(SyncError, match="choose another port"):
        SandboxServer(port=server.port)


def test_importing_the_sandbox_needs_no_extra_but_serving_names_it() -> None:
    program = """
import sys
sys.modules["uvicorn"] = sys.modules["starlette"] = None
from sync_workers.errors import MissingExtraError
from sync_workers.sandbox.notion import Notion
from sync_workers.sandbox.serve import SandboxServer
Notion().add_database("Tasks", {"Task": "title"})
try:
    SandboxServer()
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(MissingExtraError("The sandbox", "sandbox"))


def test_serve_answers_until_the_process_is_told_to_stop() -> None:
    # given
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = f"from sync_workers.sandbox.serve import serve; serve({port})"
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, text=True) as process:
        # when
        wait_until(lambda: _answers(port), "the sandbox answers")
        os.kill(process.pid, signal.SIGINT)
        # then
        _, told = process.communicate(timeout=10)
    assert (process.returncode, told) == (0, "")


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
    except httpx.TransportError:
        return False
