"""A host of the tests' own: a network namespace that reaches this machine over one wire, which can be cut.

Cut means that packets are dropped and nobody is told, as by a firewall or a broken switch.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync_workers.sandbox.embedded import EmbeddedRedis
from tests.worker.deployment import Deployment


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)


@dataclass(frozen=True)
class Host:
    """One host.

    Attributes:
        address: of this machine, as the host sees it.
    """

    name: str
    wire: str
    address: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What stands before a command that runs there."""
        return ("ip", "netns", "exec", self.name)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Inside, no packet comes through, in either direction."""
        rules = [("INPUT", "-i", self.wire), ("OUTPUT", "-o", self.wire)]
        for chain, *what in rules:
            run("iptables", "-I", chain, *what, "-j", "DROP")
        try:
            yield
        finally:
            for chain, *what in rules:
                run("iptables", "-D", chain, *what, "-j", "DROP")


@contextmanager
def host() -> Iterator[Host]:
    """A host that is gone afterwards; skips where there can be none, and fails so in CI."""
    wanted = [tool for tool in ("ip", "iptables") if shutil.which(tool) is None]
    if os.geteuid() != 0 or wanted:
        why = f"network namespaces need root and {', '.join(wanted) or 'nothing else'}"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    token = secrets.token_hex(3)
    network = f"10.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}"
    found = Host(f"sync-{token}", f"sw{token}", f"{network}.1")
    inside = f"sx{token}"
    run("ip", "netns", "add", found.name)
    try:
        run("ip", "link", "add", found.wire, "type", "veth", "peer", "name", inside)
        run("ip", "link", "set", inside, "netns", found.name)
        run("ip", "address", "add", f"{network}.1/24", "dev", found.wire)
        run("ip", "link", "set", found.wire, "up")
        run(*found.prefix, "ip", "address", "add", f"{network}.2/24", "dev", inside)
        run(*found.prefix, "ip", "link", "set", inside, "up")
        run(*found.prefix, "ip", "link", "set", "lo", "up")
        yield found
    finally:
        with suppress(subprocess.CalledProcessError):
            run("ip", "link", "delete", found.wire)
        run("ip", "netns", "delete", found.name)


@contextmanager
def deployed_beside(folder: Path) -> Iterator[tuple[Deployment, Host]]:
    """A deployment here whose Redis a host reaches over its wire, and that host."""
    with (
        host() as away,
        EmbeddedRedis("--bind", "127.0.0.1", away.address, "--protected-mode", "no") as redis,
    ):
        deployment = Deployment(folder, redis, "")
        try:
            yield deployment, away
        finally:
            deployment.close()


@contextmanager
def elsewhere(on: Deployment, away: Host) -> Iterator[None]:
    """What is started inside runs on the host."""
    here = on.environment["SYNC_WORKERS_REDIS_URL"]
    on.environment["SYNC_WORKERS_REDIS_URL"] = here.replace("127.0.0.1", away.address)
    on.prefix = away.prefix
    yield
    on.environment["SYNC_WORKERS_REDIS_URL"], on.prefix = here, ()
