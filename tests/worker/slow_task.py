"""A task whose other side takes its time for each new record, as services far away do."""

from __future__ import annotations

import time
from typing import Any

from tests.worker.json_task import JsonTask

LATENCY = 0.05
"""Seconds for a call."""


class SlowTask(JsonTask):
    def other_create_obj(self, **kwargs: Any) -> Any:
        time.sleep(LATENCY)  # the service, not the test
        return super().other_create_obj(**kwargs)
