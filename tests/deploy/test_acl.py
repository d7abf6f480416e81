"""A whole deployment on a real Redis that allows what deploy/redis/users.conf lists, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from sync_workers.redis.connect import Client, connect
from sync_workers.redis.runs_store import RunsStore
from sync_workers.sandbox.embedded import _free_port
from tests.conftest import wait_until
from tests.flower.watched import Flower
from tests.monitor.sinks import http_sink
from tests.monitor.test_monitor import Monitor
from tests.worker.deployment import Deployment

pytestmark = pytest.mark.system

USERS = Path(__file__).parents[2] / "deploy" / "redis" / "users.conf"


COMMANDS = (
    ("status",),
    ("history", "todo"), ("why", "todo", "RECORD"), ("pause", "todo"),
    ("state", "export", "todo", "--output", "state.json"),
    ("state", "import", "todo", "state.json", "--replace"),
    ("resume", "todo"), ("run", "todo"), ("undo", "RUN"), ("plans",), ("conflicts",),
    ("state", "verify", "todo"), ("reload",), ("alerts",),
)  # fmt: skip


class Guarded:
    """Looks like an `EmbeddedRedis` to a deployment: a real server, and the user that is allowed little."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        self.url = f"redis://sync-workers:CHANGE-ME@127.0.0.1:{self.port}/0"
        users = folder / "users.conf"
        # Who looks into the log of refusals is no user of the product.
        users.write_text(USERS.read_text() + "user looker on >looking ~* &* +@all\n")
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), "--include", str(users), "--dir", str(folder),
             "--appendonly", "yes", "--acllog-max-len", "500"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.looker = f"redis://looker:looking@127.0.0.1:{self.port}/0"

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def refused(client: Client) -> set[str]:
    """What somebody was not allowed: the reason and the command, key or channel."""
    found = set()
    for entry in client.ask("ACL LOG"):
        told = {
            str(key, "utf-8") if isinstance(key, bytes) else str(key): value for key, value in entry.items()
        }
        found.add(f"{_text(told['reason'])} {_text(told['object'])}")
    return found


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Guarded]:
    if shutil.which("redis-server") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("redis-server is not installed")
    folder = tmp_path / "redis"
    folder.mkdir()
    found = Guarded(folder)
    try:
        yield found
    finally:
        found.close()


def is_up(url: str) -> bool:
    with closing(connect(url)) as client:
        try:
            return bool(client.ask("PING"))
        except Exception:  # noqa: BLE001 - it is just starting
            return False


def command(on: Deployment, *words: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "sync_workers", *words],
        capture_output=True, text=True, env=on.environment | {"COLUMNS": "200"}, cwd=on.folder,
        timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, (words, ended.stdout, ended.stderr)
    return ended.stdout


def done(on: Deployment) -> int:
    return RunsStore(on.client, "todo").counters().get("done", 0)


def test_all_that_the_product_does_is_allowed_and_nothing_is_refused(server: Guarded, tmp_path: Path) -> None:
    wait_until(lambda: is_up(server.looker), "it is up")
    on = Deployment(tmp_path, server, ".run_every(hours=1)")  # type: ignore[arg-type] # looks like one
    with closing(connect(server.looker)) as looker, http_sink() as sink:
        with (tmp_path / "sync.toml").open("a") as file:
            file.write(
                '[alerts]\npatience = "1s"\n[alerts.to.hook]\nkind = "webhook"\nurl = { env = "HOOK" }\n'
            )
        on.environment["HOOK"] = sink.url
        on.client.ask("HSET", on.keys.plans, "p", "{}")  # the monitor has something to tell
        try:
            on.worker("-c", "2")
            on.beat()
            wait_until(lambda: done(on) == 1, "the first tick's run ends")
            record = on.task.put("notion", Name="Bread", Done=False)
            run = on.enqueue(wait=60)["run"]
            on.task.put("other", summary="Milk", done=True)
            on.enqueue(full=True, wait=60)
            flower, monitor = Flower(on), Monitor(on)
            for words in COMMANDS:
                command(on, *({"RUN": run, "RECORD": record}.get(word, word) for word in words))
            assert flower.ask("/broker")[0] == flower.ask("/workers")[0] == 200
            assert monitor.metrics()
            assert sink.told() == ["refused todo begun"]
            assert refused(looker) == set(), (
                "add it to deploy/redis/users.conf, with its reason in the commit"
            )
        finally:
            on.close()


def test_what_is_listed_is_used_or_is_one_of_a_kind(server: Guarded) -> None:
    """A user who is allowed less meets a refusal, so the search for refusals finds something."""
    wait_until(lambda: is_up(server.looker), "it is up")
    with closing(connect(server.looker)) as looker, closing(connect(server.url)) as client:
        assert client.ask("SET", "sync:here", "1")
        for words in (
            ("SET", "elsewhere", "1"),
            ("FLUSHALL",),
            ("CONFIG SET", "maxmemory", "1"),
            ("KEYS", "*"),
        ):
            with pytest.raises(Exception, match="refuses"):
                client.ask(*words)
        assert {line.split()[0] for line in refused(looker)} == {"command", "key"}
    assert re.search(r"^user default off$", USERS.read_text(), re.MULTILINE)
