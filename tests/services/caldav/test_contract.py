from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sync_workers.services.base import Mapped
from tests.contracts.service_contract import ServiceContract
from tests.contracts.world import World
from tests.services.caldav.servers import Server
from tests.services.caldav.world import CaldavWorld

BERLIN = ZoneInfo("Europe/Berlin")

ALL: dict[str, tuple[Any, Any]] = {
    "summary": ("Bread", "Milk; 3 %, fresh\\n"),
    "description": ("One line", "Several\nlines, with Ümläuts \u2028 and 🥖"),
    "location": ("Bakery", "Dairy"),
    "url": ("https://example.com/a?b=c,d;e", "https://example.com/"),
    "status": ("IN-PROCESS", "COMPLETED"),
    "due": (datetime(2026, 7, 1, 9, tzinfo=BERLIN), datetime(2026, 12, 1, 9, tzinfo=UTC)),
    "start": (datetime(2026, 6, 1, 9, tzinfo=BERLIN), datetime(2026, 6, 2, 9, tzinfo=UTC)),
    "priority": (1, 9),
    "percent": (10, 50),
    "categories": (["food", "at home, or not"], ["food"]),
}
SIMPLE: dict[str, tuple[Any, Any]] = {
    "summary": ("Bread", "Milk"),
    "done": (True, False),
    "due": (date(2026, 7, 1), date(2026, 12, 1)),
}


class TestCaldav(ServiceContract):
    @pytest.fixture(params=[ALL, SIMPLE], ids=["all fields", "a simple list"])
    def world(self, server: Server, request: pytest.FixtureRequest) -> Iterator[World]:
        samples: dict[str, tuple[Any, Any]] = request.param
        world = CaldavWorld(server, Mapped(tuple(samples), key="summary"), samples)
        yield world
        world.close()
