from __future__ import annotations

import pytest

from sync_workers.redis.connect import Client
from tests.redis.task import Task


@pytest.fixture
def task(redis_client: Client, task_name: str) -> Task:
    return Task(redis_client, task_name)
