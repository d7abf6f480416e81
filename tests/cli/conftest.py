from __future__ import annotations

import os
from pathlib import Path

import pytest

from sync_workers.redis.connect import Client
from tests.cli.command import Command
from tests.cli.scene import Scene, set_up


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """The command line in an empty folder, without settings, on a wide terminal."""
    for name in os.environ:
        if name.upper().startswith("SYNC_WORKERS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.chdir(tmp_path)
    return Command(capsys)


@pytest.fixture
def scene(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    redis_url: str,
    redis_client: Client,
    task_name: str,
) -> Scene:
    assert isinstance(command, Command)  # it cleans the environment first
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", redis_url)
    return set_up(redis_client, task_name)
