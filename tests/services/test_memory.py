from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from sync_workers.model import ID
from sync_workers.services.base import Capabilities, Mapped, Service
from sync_workers.services.memory import FULL, Container, MemoryService
from tests.contracts.service_contract import ServiceContract, World


@dataclass
class MemoryWorld:
    capabilities: Capabilities
    container: Container = field(default_factory=Container)
    mapped: Mapped = Mapped(("title", "done"), key="title")
    samples: dict[str, tuple[Any, Any]] = field(
        default_factory=lambda: {"title": ("Bread", "Milk"), "done": (True, False)}
    )

    def open(self) -> Service:
        return MemoryService(self.container, self.mapped, self.capabilities)

    def add(self, fields: dict[str, Any]) -> ID:
        return self.container.add(**fields).id

    def edit(self, record_id: ID, fields: dict[str, Any]) -> None:
        self.container.edit(record_id, **fields)

    def remove(self, record_id: ID) -> None:
        self.container.remove(record_id)


class TestMemory(ServiceContract):
    @pytest.fixture(params=[FULL, Capabilities()], ids=["full", "poor"])
    def world(self, request: pytest.FixtureRequest) -> World:
        return MemoryWorld(request.param)
