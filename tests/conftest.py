"""What tests of several parts need: a real Redis, a task name of the test's own on it, figures to count."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sync_workers.redis.connect import Client, connect
from sync_workers.redis.keys import Keys
from sync_workers.sandbox.embedded import EmbeddedRedis
from tests import sizes
from tests.figures import (  # noqa: F401 - pytest finds its hooks and fixtures here
    figures,
    pytest_runtest_makereport,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)

sizes.choose()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis for this test process; tests keep apart by their task names, so nothing is flushed."""
    given = os.environ.get("SYNC_WORKERS_REDIS_URL")
    if given:
        yield given
        return
    with EmbeddedRedis() as server:
        yield server.url


@pytest.fixture(scope="session")
def redis_client(redis_url: str) -> Iterator[Client]:
    client = connect(redis_url)
    yield client
    client.close()


@pytest.fixture
def task_name(redis_client: Client) -> Iterator[str]:
    """A name that no other test uses; what the task leaves in Redis is removed."""
    name = f"test-{secrets.token_hex(6)}"
    yield name
    remove_task(redis_client, name)


def remove_task(client: Client, name: str) -> None:
    cursor = 0
    while True:
        cursor, keys = client.ask("SCAN", cursor, "MATCH", f"{Keys(name).prefix}:*", "COUNT", 1000)
        if keys:
            client.ask("DEL", *keys)
        if not cursor:
            return


def wait_until(condition: Callable[[], Any], what: str | Callable[[], str], seconds: float = 20) -> Any:
    """Poll until the condition gives something true, and return that; `what` may be told at the end only."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, (
            f"not within {seconds} s: {what if isinstance(what, str) else what()}"
        )
        time.sleep(0.02)
    return found
