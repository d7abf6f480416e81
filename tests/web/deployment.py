"""A whole deployment that hears of events: Redis, a sandbox Notion, a table, a worker, receivers; no beat."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from sync_workers.redis.keys import CELERY, Keys
from sync_workers.redis.webhooks import Webhooks
from sync_workers.sandbox.child import Child
from sync_workers.sandbox.embedded import _free_port
from sync_workers.sandbox.subscriptions import Subscription
from sync_workers.worker.queues import queues
from tests.conftest import wait_until
from tests.system.deployment import Deployment, deployed

TOKEN = "secret_the-token"
PATIENT = (0.5,) * 120
"""More attempts than Notion makes, so that a slow machine cannot run out of them."""


class Hearing:
    """A deployment with receivers."""

    def __init__(self, whole: Deployment) -> None:
        self.whole = whole
        self.notion, self.data_source = whole.notion, whole.data_source
        self.webhooks = Webhooks(whole.client, "notion")
        self.ports: list[int] = []
        self.receivers: list[Child] = []

    def worker(self) -> None:
        worker = self.whole.start("worker", "worker", "-c", "1", "--no-restart")
        wait_until(lambda: "ready." in worker.last_words(200), "the worker is ready", 60)

    def receiver(self) -> None:
        """One more receiver, which is ready."""
        place = len(self.ports)
        self.ports.append(_free_port())
        child = self.whole.start(f"receiver-{place}", "web", "--port", str(self.ports[-1]), "--no-restart")
        self.receivers.append(child)
        wait_until(lambda: self.answers(place, "readyz") == 200, lambda: child.last_words(20), 60)

    def url(self, place: int = 0) -> str:
        return f"http://127.0.0.1:{self.ports[place]}/notion/notion"

    def answers(self, place: int, path: str) -> int | None:
        try:
            return httpx.get(f"http://127.0.0.1:{self.ports[place]}/{path}").status_code
        except httpx.TransportError:
            return None

    def subscribe(self, place: int = 0, **how: Any) -> Subscription:
        return self.notion.subscribe(self.url(place), TOKEN, retry_after=PATIENT, **how)

    def wait_for_other(self, *rows: tuple[Any, ...]) -> None:
        """Wait until the table shows these rows and no others."""
        wait_until(lambda: self.whole.other_side() == sorted(rows), self.whole.logs, 60)

    def wait_until_told(self) -> None:
        wait_until(self.notion.subscriptions.idle, self.whole.logs, 60)

    def wait_until_settled(self) -> None:
        """Wait until nothing waits to be fired, and the last run has ended."""
        keys = Keys("whole")
        sent = [f"{CELERY}{name}" for name in (*(each.name for each in queues()), "unacked")]
        names = (keys.webhook("waiting"), keys.current, keys.following, *sent)

        def is_settled() -> bool:
            return not self.whole.client.ask("EXISTS", *names)

        wait_until(is_settled, self.whole.logs, 60)

    def bursts(self) -> int:
        """How often an event came when nothing waited that it could join; a slow machine makes several."""
        counts = self.webhooks.counts()
        return counts["received"] - sum(counts.get(what, 0) for what in ("joined", "repeated", "own"))

    def runs(self) -> list[dict[str, Any]]:
        return self.whole.runs.recent(100)


def kill(child: Child) -> None:
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    wait_until(lambda: not child.alive, "it is dead")


@contextmanager
def hearing(folder: Path, quiet: float = 1.5) -> Iterator[Hearing]:
    with deployed(folder) as whole:
        path = folder / "sync.toml"
        keys = f'webhook_token = {{ file = "webhook-token" }}\nwebhook_quiet = {quiet}\n'
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("[connections.table]", f"{keys}\n[connections.table]"), encoding="utf-8")
        (folder / "webhook-token").write_text(TOKEN)
        yield Hearing(whole)
