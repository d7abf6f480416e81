from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_workers.redis.connect import Client
from sync_workers.sandbox.embedded import EmbeddedRedis
from tests.worker.stage import Stage, TrickyTask


@pytest.fixture
def stage(redis_client: Client, task_name: str, tmp_path: Path) -> Stage:
    return Stage(redis_client, TrickyTask(task_name, tmp_path))


@pytest.fixture
def own_redis() -> Iterator[EmbeddedRedis]:
    with EmbeddedRedis("--appendfsync", "always") as server:
        yield server
