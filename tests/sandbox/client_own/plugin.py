"""What the official Python client's own tests expect of a conftest, given by a sandbox.

A pytest plugin for a process of its own (`-p tests.sandbox.client_own.plugin`). The source distribution
ships the tests without a conftest; there, recorded cassettes answer. Here nothing is recorded: each
request goes to a sandbox, over HTTP.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from notion_client import AsyncClient, Client
from notion_client.client import ClientOptions
from notion_client.constants import DEFAULT_BASE_URL

from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.serve import SandboxServer
from sync_workers.sandbox.versions import OLDER
from tests.sandbox.client_own.excused import EXCUSED
from tests.sandbox.client_own.fixtures import *  # noqa: F403 - pytest finds the fixtures here


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "vcr: answered by a recorded cassette; here by the sandbox")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.name in EXCUSED:
            item.add_marker(pytest.mark.skip(reason=EXCUSED[item.name]))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine, and close its client before its loop ends."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    # Not the signature: what a `patch` decorator passes is no fixture.
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}

    async def run() -> None:
        try:
            await pyfuncitem.obj(**given)
        finally:
            for client in given.values():
                if isinstance(client, AsyncClient):
                    await client.aclose()

    asyncio.run(run())
    return True


@pytest.fixture(scope="session")
def notion() -> Notion:
    made = Notion(requests_per_minute=None)
    made.versions.add(OLDER)
    return made


@pytest.fixture(scope="session", autouse=True)
def server(notion: Notion) -> Iterator[SandboxServer]:
    """A client that is made without an address talks to it as well."""
    init: Any = ClientOptions.__init__
    with SandboxServer(notion) as running:
        defaults = init.__defaults__
        init.__defaults__ = tuple(running.url if value == DEFAULT_BASE_URL else value for value in defaults)
        yield running
        init.__defaults__ = defaults


@pytest.fixture
def token() -> str:
    return TOKEN


@pytest.fixture
def client(token: str) -> Iterator[Client]:
    made = Client(auth=token)
    yield made
    made.close()


@pytest.fixture
def async_client(token: str) -> AsyncClient:
    return AsyncClient(auth=token)


@pytest.fixture
def mocker() -> Iterator[SimpleNamespace]:
    """The two things of pytest-mock that those tests use."""
    with ExitStack() as patches:

        def patch_object(*args: Any, **options: Any) -> Any:
            return patches.enter_context(mock.patch.object(*args, **options))

        yield SimpleNamespace(Mock=mock.Mock, patch=SimpleNamespace(object=patch_object))


@pytest.fixture
def vcr_cassette() -> SimpleNamespace:
    """Where nothing was recorded those tests wait for Notion's search index; the sandbox has none to lag."""
    return SimpleNamespace(responses=["there is nothing to wait for"])
