from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_workers.sandbox.embedded import EmbeddedRedis
from tests.cli.command import Command
from tests.cli.test_calls import TASK_FILE, TOKEN


@pytest.fixture
def redis(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[EmbeddedRedis]:
    """One of the test's own, since queues belong to all tasks."""
    del command  # it comes first, since it takes all settings away
    (tmp_path / "sync.toml").write_text(TASK_FILE)
    with EmbeddedRedis() as redis:
        monkeypatch.setenv("NOTION_TOKEN", TOKEN)
        monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", redis.url)
        monkeypatch.setenv("SYNC_WORKERS_CONFIG", str(tmp_path / "sync.toml"))
        yield redis


@pytest.mark.usefixtures("redis")
def test_status_shows_what_waits_in_the_queues(command: Command) -> None:
    assert "Queue" not in command("status").out
    for _ in range(3):  # in a process of its own: Celery keeps to the broker that it knew first
        subprocess.run([sys.executable, "-m", "sync_workers", "enqueue", "todo"], check=True)
    (row,) = (line for line in command("status").out.splitlines() if "sync.get.urgent" in line)
    name, waits, longest, works, later = (cell.strip() for cell in row.strip("│").split("│"))
    assert (name, waits, works, later) == ("sync.get.urgent", "3", "0", "0")
    assert longest.endswith(" s")


@pytest.mark.usefixtures("redis")
def test_a_broker_that_does_not_answer_hides_nothing_else(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_WORKERS_BROKER_URL", "redis://127.0.0.1:1/0")
    shown = command("status")
    assert "todo" in shown.out
    assert "the queues cannot be shown" in shown.err
    assert shown.code == 0
