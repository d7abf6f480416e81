"""What a worker and beat check before they begin: settings, tasks, Redis."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from celery import bootsteps

from sync_workers.errors import SyncError
from sync_workers.redis.connect import check, connect, warnings
from sync_workers.redis.queues import bound_queues
from sync_workers.settings import load_settings
from sync_workers.worker.process import Process, this_process
from sync_workers.worker.queues import add_queues

_log = logging.getLogger(__name__)


@contextmanager
def or_end() -> Iterator[None]:
    """Inside, what is wrong with the set-up ends the process.

    One line for each problem instead of a traceback; a supervisor starts the process again.
    """
    try:
        yield
    except SyncError as error:
        for line in str(error).splitlines():
            _log.critical("%s", line)
        raise SystemExit(1) from error


def prepared() -> Process:
    """This process's settings, tasks and Redis, known to be there; ends it otherwise."""
    with or_end():
        process = this_process()
        with closing(connect(load_settings().redis_url)) as client:  # a first answer is not waited for
            check(client)
            for line in warnings(client):
                _log.warning("%s", line)
    return process


class Preparation(bootsteps.Step):  # type: ignore[misc] # Celery has no types
    """Loads the tasks before the pool forks, so that its children share them and mistakes show at once."""

    def create(self, worker: Any) -> None:
        names = prepared().tasks
        worker.chosen_queues = tuple(worker.app.amqp.queues.consume_from)
        with closing(connect(load_settings().broker)) as broker:
            add_queues(worker, names, bound_queues(broker))
        _log.info("%d task(s): %s", len(names), ", ".join(names) or "none")
