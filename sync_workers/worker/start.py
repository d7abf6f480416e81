"""What a worker checks before it takes its first message: settings, tasks, Redis."""

from __future__ import annotations

import logging
from typing import Any

from celery import bootsteps

from sync_workers.errors import SyncError
from sync_workers.redis.connect import check, warnings
from sync_workers.worker.process import this_process

_log = logging.getLogger(__name__)


class Preparation(bootsteps.Step):  # type: ignore[misc] # Celery has no types
    """Loads the tasks before the pool forks, so that its children share them and mistakes show at once."""

    def create(self, _worker: Any) -> None:
        try:
            process = this_process()
            check(process.client)
            for line in warnings(process.client):
                _log.warning("%s", line)
        except SyncError as error:
            # One line each instead of a traceback; a supervisor starts us again.
            for line in str(error).splitlines():
                _log.critical("%s", line)
            raise SystemExit(1) from error
        _log.info("%d task(s): %s", len(process.tasks), ", ".join(process.tasks) or "none")
