"""What a worker and beat check before they begin: settings, tasks, Redis."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from celery import bootsteps

from sync_workers.errors import SyncError
from sync_workers.redis.connect import check, connect, warnings
from sync_workers.redis.queues import bound_queues
from sync_workers.runs.task import Task
from sync_workers.settings import load_settings
from sync_workers.worker.process import Process, this_process
from sync_workers.worker.queues import followed

_log = logging.getLogger(__name__)


def prepared() -> Process:
    """This process's settings, tasks and Redis, known to be there; ends it otherwise.

    One line for each problem instead of a traceback; a supervisor starts the process again.
    """
    try:
        process = this_process()
        client = connect(load_settings().redis_url)  # a first answer is not waited for
        try:
            check(client)
            for line in warnings(client):
                _log.warning("%s", line)
        finally:
            client.close()
    except SyncError as error:
        for line in str(error).splitlines():
            _log.critical("%s", line)
        raise SystemExit(1) from error
    return process


class Preparation(bootsteps.Step):  # type: ignore[misc] # Celery has no types
    """Loads the tasks before the pool forks, so that its children share them and mistakes show at once."""

    def create(self, worker: Any) -> None:
        names = prepared().tasks
        _follow(worker.app.amqp.queues, names)
        _log.info("%d task(s): %s", len(names), ", ".join(names) or "none")


def _follow(queues: Any, tasks: Mapping[str, Task]) -> None:
    """Take messages from all queues that the chosen ones stand for; `queues` are Celery's."""
    with closing(connect(load_settings().broker)) as broker:
        bound = bound_queues(broker)
    tenants = (task.sync_tenant for task in tasks.values())
    for queue in followed(queues.consume_from, tenants, bound):
        queues.select_add(queue)
