"""The Celery app: `celery -A sync_workers.worker.app worker`.

Importing it reads no settings and connects to nothing; both happen when it is first used.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import Celery
from celery.signals import (
    after_setup_logger,
    after_setup_task_logger,
    before_task_publish,
    worker_process_shutdown,
)

from sync_workers import tracing
from sync_workers.logs import LogFormat, formatter
from sync_workers.redis.queues import SENT
from sync_workers.settings import load_settings
from sync_workers.worker.health import Served, Turning
from sync_workers.worker.messages import Received
from sync_workers.worker.presence import Following, Noted
from sync_workers.worker.queues import Routing
from sync_workers.worker.settings import celery_settings
from sync_workers.worker.start import Preparation


def _configuration() -> dict[str, Any]:
    return celery_settings(load_settings())


def _note_when_sent(headers: dict[str, Any], **_details: Any) -> None:
    headers.setdefault(SENT, time.time())


def _write_as_told(logger: logging.Logger, **_details: Any) -> None:
    """Celery has set up its log; its text is for people and stays as it is."""
    form = load_settings().log_format
    if form is LogFormat.JSON:
        for handler in logger.handlers:
            handler.setFormatter(formatter(form))


def _send_traces(**_details: Any) -> None:
    tracing.shut_down()


before_task_publish.connect(_note_when_sent)
worker_process_shutdown.connect(_send_traces)
after_setup_logger.connect(_write_as_told)
after_setup_task_logger.connect(_write_as_told)

app = Celery(
    "sync_workers", amqp=Routing, task_cls=Received,
    include=["sync_workers.worker.tasks"], set_as_current=False,
)  # fmt: skip
app.add_defaults(_configuration)
app.steps["worker"].add(Preparation)
app.steps["worker"].add(Noted)
app.steps["worker"].add(Served)
app.steps["consumer"].add(Turning)
app.steps["consumer"].add(Following)
