"""Both servers, started once for each test process, a fresh calendar for each test, and an odd server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync_workers.services.base import Mapped
from sync_workers.services.caldav import connect
from sync_workers.services.caldav.service import CaldavService
from sync_workers.services.caldav.settings import CaldavCalendar, CaldavConnection
from tests.services.caldav.odd import PATH, Odd, multistatus
from tests.services.caldav.odd import calendar as a_calendar
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


@pytest.fixture
def odd() -> Iterator[Odd]:
    server = Odd()
    server.answer("PROPFIND", multistatus(a_calendar()))
    yield server
    server.close()


@pytest.fixture
def service(odd: Odd) -> Iterator[CaldavService]:
    connection = CaldavConnection.model_validate({"url": odd.url, "timeout": 5})
    made = connect(connection, CaldavCalendar(calendar=PATH), Mapped(("summary",), key="summary"))
    assert isinstance(made, CaldavService)
    yield made
    made.close()
