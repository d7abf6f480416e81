from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest

from sync_workers.errors import MovedError
from sync_workers.model import ID, NOTHING_ELSE, About, Record
from sync_workers.services.base import Capabilities, Gone, Mapped, Service, mark_of
from sync_workers.services.memory import FULL, Container, MemoryService
from tests.contracts.service_contract import ServiceContract
from tests.contracts.world import World


@dataclass
class MemoryWorld:
    capabilities: Capabilities
    container: Container = field(default_factory=Container)
    mapped: Mapped = Mapped(("title", "done"), key="title")
    samples: dict[str, tuple[Any, Any]] = field(
        default_factory=lambda: {"title": ("Bread", "Milk"), "done": (True, False)}
    )

    keeps_deleted = False

    def open(self) -> Service:
        return MemoryService(self.container, self.mapped, self.capabilities)

    def add(self, fields: dict[str, Any]) -> ID:
        return self.container.add(**fields).id

    def edit(self, record_id: ID, fields: dict[str, Any]) -> None:
        self.container.edit(record_id, **fields)

    def remove(self, record_id: ID) -> None:
        self.container.remove(record_id)

    def destroy(self, record_id: ID) -> None:
        self.container.remove(record_id)
        self.container.archived.pop(record_id, None)


class TestMemory(ServiceContract):
    @pytest.fixture(params=[FULL, Capabilities()], ids=["full", "poor"])
    def world(self, request: pytest.FixtureRequest) -> World:
        return MemoryWorld(request.param)


def test_a_mark_is_always_the_same_and_tells_nothing() -> None:
    assert mark_of("one") == "7692c3ad3540bb803c020b3aee66cd88"
    assert re.fullmatch("[0-9a-f]{32}", mark_of("task other-record-17"))
    assert mark_of("One") != mark_of("one")


def test_a_poorer_service_neither_leaves_nor_shows_marks_and_notes() -> None:
    box = Container()
    full, poor = MemoryService(box), MemoryService(box, capabilities=Capabilities())
    marked, unmarked = full.create({"title": "Bread"}, "one"), poor.create({"title": "Milk"}, "two")
    full.annotate(marked.id, "Which?")
    assert [record.about for record in poor.fetch().records] == [NOTHING_ELSE, NOTHING_ELSE]
    assert box.records[marked.id].about == About(mark=mark_of("one"), note="Which?")
    assert box.records[unmarked.id].about == NOTHING_ELSE


def test_what_was_brought_back_and_then_deleted_is_gone() -> None:
    box = Container()
    service = MemoryService(box)
    record = box.add(title="Bread")
    service.archive(record)
    service.restore(record.id)
    box.remove(record.id)
    assert service.read([record.id]) == {record.id: Gone(record.id)}
    with pytest.raises(MovedError):
        service.restore(record.id)


def test_what_a_record_is_put_with_stays_through_edits_and_the_archive() -> None:
    box = Container()
    service = MemoryService(box)
    about = About(author="grace", parent="above")
    record = box.put(Record("a", {"title": "Bread"}, about=about))
    edited = service.update(record, {"title": "Milk"})
    service.archive(edited)
    assert service.restore("a").about == about
