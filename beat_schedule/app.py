"""`celery -A beat_schedule.app beat`: the worker's app with our scheduler."""

from __future__ import annotations

from sync_workers.worker.app import app

SCHEDULER = "beat_schedule.scheduler:RedisScheduler"


def _configuration() -> dict[str, str]:
    return {"beat_scheduler": SCHEDULER}


app.add_defaults(_configuration)
