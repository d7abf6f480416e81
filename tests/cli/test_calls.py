from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import BudgetKeys
from sync_workers.report import Trigger
from sync_workers.services.budget import Account
from sync_workers.services.notion.settings import NotionConnection
from tests.cli.command import Command

TASK_FILE = """\
[connections.work]
kind = "notion"
token = { env = "NOTION_TOKEN" }

[connections.free]
kind = "memory"

[tasks.todo]
notion = { connection = "work", data_source = "9bf087cab1ef4ba6abe76e90707ae830" }
other = { connection = "free" }
match = ["Name"]

[tasks.todo.fields]
Name = "name"
"""
TOKEN = "ntn_of_this_test_alone"


@pytest.fixture
def account(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_url: str, redis_client: Client
) -> Iterator[Account]:
    del command  # it comes first, since it takes all settings away
    monkeypatch.setenv("NOTION_TOKEN", TOKEN)
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", redis_url)
    monkeypatch.setenv("SYNC_WORKERS_CONFIG", str(tmp_path / "sync.toml"))
    (tmp_path / "sync.toml").write_text(TASK_FILE)
    yield NotionConnection.model_validate({"token": {"env": "NOTION_TOKEN"}}).account()
    redis_client.ask("DEL", BudgetKeys("").pauses)


def test_status_shows_the_calls_and_the_pause_of_each_connection(
    account: Account, redis_client: Client, command: Command
) -> None:
    budget = RedisBudget(redis_client, "todo", Trigger.BEAT)
    for _ in range(7):
        with budget.call(account):
            pass
    shown = command("status").out
    assert "7 of 180" in shown
    assert "free" not in shown
    assert "until" not in shown

    budget.pause(account, timedelta(hours=1))
    assert "until 20" in command("status").out
    assert TOKEN not in shown


def test_status_says_where_a_secret_is_missing(
    account: Account, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    assert TOKEN not in account.name
    monkeypatch.delenv("NOTION_TOKEN")
    shown = command("status")
    assert shown.code == 0
    assert "NOTION_TOKEN" in shown.out
