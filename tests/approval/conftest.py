from __future__ import annotations

import pytest

from sync_workers.redis.connect import Client
from tests.approval.stage import MemoryTask, Stage


@pytest.fixture
def stage(redis_client: Client, task_name: str) -> Stage:
    return Stage(redis_client, MemoryTask(task_name))
