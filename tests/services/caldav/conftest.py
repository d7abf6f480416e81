"""Both servers, started once for each test process, and a fresh calendar for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.caldav.servers import STARTS, Server, Servers
from tests.services.caldav.world import CaldavWorld


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    started = Servers(tmp_path_factory.mktemp("caldav"))
    yield started
    started.close()


@pytest.fixture(params=STARTS)
def server(servers: Servers, request: pytest.FixtureRequest) -> Server:
    return servers.get(str(request.param))


@pytest.fixture
def calendar(server: Server) -> Iterator[CaldavWorld]:
    world = CaldavWorld(server)
    yield world
    world.close()
