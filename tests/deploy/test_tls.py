"""A whole deployment over TLS: certificates and host names are checked by every connection there is."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync_workers.errors import RedisUnreachableError
from sync_workers.redis.connect import check, connect
from sync_workers.sandbox.embedded import _free_port
from tests.conftest import wait_until
from tests.deploy.test_acl import is_up
from tests.flower.watched import Flower
from tests.monitor.test_monitor import Monitor
from tests.worker.deployment import Deployment

pytestmark = pytest.mark.system


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60)


def authority(folder: Path, name: str) -> tuple[str, str]:
    """A certificate authority of our own: its key and certificate."""
    key, certificate = str(folder / f"{name}.key"), str(folder / f"{name}.pem")
    openssl(
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
        "-keyout", key, "-out", certificate,
    )  # fmt: skip
    return key, certificate


def signed(folder: Path, by: tuple[str, str], host: str) -> tuple[str, str]:
    """A server's key and certificate for a host."""
    key, request, certificate = (str(folder / f"server.{end}") for end in ("key", "csr", "crt"))
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=redis", "-keyout", key, "-out", request)
    names = folder / "names"
    names.write_text(f"subjectAltName=DNS:{host}")
    openssl(
        "x509", "-req", "-in", request, "-CA", by[1], "-CAkey", by[0], "-CAcreateserial", "-days", "2",
        "-extfile", str(names), "-out", certificate,
    )  # fmt: skip
    return key, certificate


class Encrypted:
    """A real Redis that speaks nothing but TLS, for the host `localhost`."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        ours = authority(folder, "ours")
        self.other = authority(folder, "other")[1]
        self.authority = ours[1]
        key, certificate = signed(folder, ours, "localhost")
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--tls-port", str(self.port), "--tls-cert-file", certificate,
             "--tls-key-file", key, "--tls-ca-cert-file", self.authority, "--tls-auth-clients", "no",
             "--requirepass", "secret", "--appendonly", "yes", "--dir", str(folder)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.url = self.at("localhost", self.authority)

    def at(self, host: str, trusted: str) -> str:
        return f"rediss://:secret@{host}:{self.port}/0?ssl_ca_certs={trusted}"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Encrypted]:
    missing = [name for name in ("redis-server", "openssl") if shutil.which(name) is None]
    if missing:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"not installed: {missing}")
    folder = tmp_path / "redis"
    folder.mkdir()
    found = Encrypted(folder)
    try:
        wait_until(lambda: is_up(found.url), "it is up")
        yield found
    finally:
        found.process.kill()
        found.process.wait()


def test_runs_beat_flower_and_the_monitor_go_over_tls(server: Encrypted, tmp_path: Path) -> None:
    on = Deployment(tmp_path, server, ".run_every(hours=1)")  # type: ignore[arg-type] # looks like one
    try:
        on.worker()
        on.beat()
        on.task.put("notion", Name="Bread", Done=False)
        assert on.enqueue(wait=60)["outcome"] == "done"
        assert on.task.shown("other") == [("Bread", False)]
        flower = Flower(on)
        assert flower.ask("/broker")[0] == 200
        assert Monitor(on).metrics()
        assert "secret" not in flower.ask("/broker")[1]
    finally:
        on.close()


@pytest.mark.parametrize("wrong", ["authority", "host", "no authority"])
def test_a_server_that_cannot_be_trusted_is_told_with_what_to_do(server: Encrypted, wrong: str) -> None:
    url = {
        "authority": server.at("localhost", server.other),
        "host": server.at("127.0.0.1", server.authority),
        "no authority": f"rediss://:secret@localhost:{server.port}/0",
    }[wrong]
    with closing(connect(url)) as client, pytest.raises(RedisUnreachableError, match="ssl_ca_certs=FILE"):
        check(client)
