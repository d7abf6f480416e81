from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_workers.redis.connect import Client
from tests.web.stage import Stage, staged


@pytest.fixture
def stage(redis_client: Client, tmp_path: Path) -> Iterator[Stage]:
    with staged(redis_client, tmp_path) as made:
        yield made
