"""What a worker's main process does beside its pool: notes that it lives, follows a changed task file."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from celery import bootsteps

from sync_workers.errors import StateError
from sync_workers.redis.connect import connect
from sync_workers.redis.presence import NOTE_EVERY, Presence
from sync_workers.settings import load_settings
from sync_workers.worker.process import goes_by, this_process
from sync_workers.worker.queues import add_queues
from sync_workers.worker.repeated import Repeated

_log = logging.getLogger(__name__)


class Noting:
    """A thread that notes every few seconds that this process lives, and which task file it goes by.

    Args:
        look: takes up a changed task file, and tells its fingerprint and what is wrong with a newer one.
        details: what it tells besides, asked each time.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        look: Callable[[], tuple[str, str]] = goes_by,
        details: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        # Redis is not waited for: the next note comes soon.
        self._presence = Presence(connect(load_settings().redis_url), kind, name)
        self._look = look
        self._details = details
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Note that it ends."""
        self._stopped.set()
        self._thread.join(timeout=NOTE_EVERY.total_seconds())
        try:
            self._presence.leave()
        except StateError:
            _log.debug("Redis is away: the others find out that this process has gone")
        self._presence.client.close()

    def _run(self) -> None:
        while True:
            found = self._look()  # without waiting for work
            try:
                self._presence.note(*found, self._details())
            except StateError:
                _log.debug("Redis is away: it is not noted that this process lives")
            if self._stopped.wait(NOTE_EVERY.total_seconds()):
                return


class Noted(bootsteps.StartStopStep):  # type: ignore[misc] # Celery has no types
    """Notes that this worker lives, from when its pool has begun."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **options: Any) -> None:
        self._noting: Noting | None = None
        super().__init__(worker, **options)

    def start(self, worker: Any) -> None:
        self._noting = Noting("worker", worker.hostname, details=lambda: _details(worker))
        self._noting.start()

    def stop(self, _worker: Any) -> None:
        if self._noting is not None:
            self._noting.stop()

    terminate = stop


def _details(worker: Any) -> dict[str, str]:
    return {"slots": str(worker.concurrency), "queues": " ".join(worker.chosen_queues)}


class Following(Repeated):
    """Takes messages of tenants that came into the task file since this worker began."""

    every = NOTE_EVERY

    def act(self, consumer: Any) -> None:
        for name in add_queues(consumer.controller, this_process().tasks):
            consumer.add_task_queue(name)
            _log.info("messages are taken from %s, too", name, extra={"action": "reload"})
