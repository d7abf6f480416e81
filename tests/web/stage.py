"""A receiver with its Redis for tests: called as the app calls it, without HTTP."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sync_workers.config import read
from sync_workers.model import ID
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import webhook_of
from sync_workers.redis.looks import Looks
from sync_workers.redis.waiting import Waiting
from sync_workers.redis.webhooks import Webhooks
from sync_workers.report import Trigger
from sync_workers.sandbox.subscriptions import sign
from sync_workers.web.bots import Bots
from sync_workers.web.connections import connections_of
from sync_workers.web.firing import Firing
from sync_workers.web.receiving import Receiver
from tests.conftest import remove_task

TOKEN = "secret_the-token"
PAGE, ELSEWHERE, SOURCE, FOREIGN, ADA, BOT = (
    f"{digit * 8}-0000-4000-8000-000000000000" for digit in "123456"
)

TASK_FILE = """\
[connections.{name}]
kind = "notion"
token = {{ file = "notion-token" }}
url = "http://127.0.0.1:9/"
webhook_quiet = {quiet}
{more}

[connections.memory]
kind = "memory"

[tasks.{name}]
match = ["Name"]
notion = {{ connection = "{name}", data_source = "{source}" }}
other = {{ connection = "memory" }}
[tasks.{name}.fields]
Name = "name"
"""


@dataclass
class Asked:
    """A run that was asked for."""

    task: str
    run: ID
    full: bool
    looks: bool
    trigger: Trigger
    tenant: str = ""


@dataclass
class Asking:
    """Takes requests for runs as `worker.enqueue.start` does.

    Attributes:
        asked: the runs that were asked for.
        failure: what asking for one raises.
    """

    asked: list[Asked] = field(default_factory=list)
    failure: Exception | None = None

    def __call__(self, name: str, run: ID, *, full: bool, looks: bool, trigger: Trigger, tenant: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.asked.append(Asked(name, run, full, looks, trigger, tenant))


@dataclass
class Stage:
    """A receiver of one connection, which has one task of the same name.

    Attributes:
        woken: what the receiver told the one that fires.
    """

    name: str
    client: Client
    receiver: Receiver
    firing: Firing
    woken: list[tuple[str, timedelta]]
    asking: Asking

    @property
    def asked(self) -> list[Asked]:
        return self.asking.asked

    @property
    def waiting(self) -> Waiting:
        return Waiting(self.client, self.name)

    @property
    def looks(self) -> Looks:
        return Looks(self.client, self.name)

    @property
    def webhooks(self) -> Webhooks:
        return Webhooks(self.client, self.name)

    def send(self, body: bytes, signature: str | None = "") -> int:
        """A request; signed well where nothing else is said."""
        return self.receiver.receive(self.name, body, sign(TOKEN, body) if signature == "" else signature)

    def tell(self, kind: str = "page.properties_updated", **parts: Any) -> int:
        return self.send(event(kind, **parts))


def event(kind: str = "page.properties_updated", **parts: Any) -> bytes:
    """An event about a row of the task's data source, by a person."""
    told = {
        "id": secrets.token_hex(8),
        "type": kind,
        "authors": [{"id": ADA, "type": "person"}],
        "attempt_number": 1,
        "entity": {"id": PAGE, "type": "page"},
        "data": {"parent": {"id": ELSEWHERE, "type": "database", "data_source_id": SOURCE}},
    }
    return json.dumps(told | parts).encode()


@contextmanager
def staged(client: Client, folder: Path, more: str = "", quiet: float = 0) -> Iterator[Stage]:
    name = f"test-{secrets.token_hex(6)}"
    (folder / "notion-token").write_text("ntn_none")
    text = TASK_FILE.format(name=name, quiet=quiet, source=SOURCE, more=more)
    connections = connections_of(read(text, folder / "sync.toml"))
    woken: list[tuple[str, timedelta]] = []
    Webhooks(client, name).keep_bot(connections[name].settings.token.fingerprint(), BOT)
    bots = Bots(client, connections.values())
    assert bots.learn()
    receiver = Receiver(client, connections, bots, lambda task, due_in: woken.append((task, due_in)))
    asking = Asking()
    firing = Firing(client, connections[name].tasks, bots, asking)
    stage = Stage(name, client, receiver, firing, woken, asking)
    stage.webhooks.keep_token(TOKEN)
    try:
        yield stage
    finally:
        remove_task(client, name)
        client.ask("DEL", *(webhook_of(name, part) for part in ("counts", "window", "token", "bot")))
