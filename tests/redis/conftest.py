from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from sync_workers.redis.connect import Client, connect
from sync_workers.sandbox.embedded import EmbeddedRedis
from tests.redis.task import Task


@pytest.fixture
def task(redis_client: Client, task_name: str) -> Task:
    return Task(redis_client, task_name)


@pytest.fixture
def alone() -> Iterator[Client]:
    """A Redis of the test's own, for what there is one of in each."""
    with EmbeddedRedis() as redis, closing(connect(redis.url)) as client:
        yield client
