from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_workers.redis.connect import Client
from sync_workers.sandbox.notion import TOKEN
from tests.drift.stage import Stage, staged


@pytest.fixture
def stage(
    tmp_path: Path, redis_client: Client, task_name: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Stage]:
    monkeypatch.setenv("NOTION_TOKEN_OF_THE_TEST", TOKEN)
    with staged(tmp_path, redis_client, task_name) as made:
        yield made
