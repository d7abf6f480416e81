from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync_workers.monitor.view import look
from sync_workers.redis.connect import Client, connect
from sync_workers.redis.pauses import pause_connection, pause_task, resume_connection
from sync_workers.registry import load_tasks
from sync_workers.sandbox.embedded import EmbeddedRedis
from sync_workers.settings import Settings
from tests.cli.test_calls import TASK_FILE, TOKEN


@pytest.fixture
def client() -> Iterator[Client]:
    with EmbeddedRedis() as redis, closing(connect(redis.url)) as client:
        yield client


def test_a_task_is_paused_with_a_connection_that_it_uses(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its runs do not come then, and nobody is to be told that it is late."""
    monkeypatch.setenv("NOTION_TOKEN", TOKEN)
    (tmp_path / "sync.toml").write_text(TASK_FILE)
    tasks = load_tasks(Settings(redis_url="redis://localhost", config=tmp_path / "sync.toml"))

    def paused() -> str:
        return look(tasks, client, client, []).tasks["todo"].paused

    now = datetime.now(UTC)
    assert paused() == ""
    pause_connection(client, "another", "it moves", now)
    assert paused() == ""
    pause_connection(client, "free", "it moves", now)
    assert paused() == "person"
    resume_connection(client, "free")
    assert paused() == ""
    pause_task(client, "todo", "it moves", now)
    assert paused() == "person"
