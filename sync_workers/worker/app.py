"""The Celery app: `celery -A sync_workers.worker.app worker`.

Importing it reads no settings and connects to nothing; both happen when it is first used.
"""

from __future__ import annotations

from typing import Any

from celery import Celery

from sync_workers.settings import load_settings
from sync_workers.worker.settings import celery_settings
from sync_workers.worker.start import Preparation


def _configuration() -> dict[str, Any]:
    return celery_settings(load_settings())


app = Celery("sync_workers", include=["sync_workers.worker.tasks"], set_as_current=False)
app.add_defaults(_configuration)
app.steps["worker"].add(Preparation)
