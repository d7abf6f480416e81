"""R1 and R10 with Notion as a side: all property types cross once, and then nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.model import Pair, Part
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.diff import decide
from sync_workers.runs.get import get
from sync_workers.runs.store import MemoryStore
from sync_workers.services.base import Service
from sync_workers.services.memory import Container, MemoryService
from sync_workers.state import State
from sync_workers.values import same
from tests.services.notion.world import NotionWorld, notion_world


class Synced:
    """One table in Notion and one list in memory, run after run with one state."""

    def __init__(self, world: NotionWorld) -> None:
        self.world = world
        self.memory = Container("list")
        self.rules = Rules(tuple(FieldRule(Pair(name, name)) for name in world.samples), key=("Name",))
        self.state = State()

    def run(self) -> Report:
        report = Report("things")
        store = MemoryStore(self.state)
        services: Pair[Service] = Pair(self.world.open(), MemoryService(self.memory, self.world.mapped))
        gathered = get(services, self.rules, report)
        plan = decide(self.rules, store.load(), gathered, report)
        application = Application("things", services, plan, store.load() or State(), store, report)
        for part in Part:
            application.run(part)
        self.state = store.load() or State()
        assert report.failures == []
        return report

    def assert_same(self) -> None:
        (row,) = self.world.open().fetch().records
        (other,) = self.memory.records.values()
        for name, value in row.fields.items():
            assert same(value, other.fields[name]), name

    def writes(self) -> list[str]:
        made = [call.method for call in self.world.notion.writes()]
        self.world.notion.forget_requests()
        return made


@pytest.fixture
def synced(tmp_path: Path) -> Iterator[Synced]:
    with notion_world(tmp_path) as world:
        yield Synced(world)


def values(synced: Synced, which: int) -> dict[str, Any]:
    return {name: pair[which] for name, pair in synced.world.samples.items()}


def test_what_is_made_in_notion_crosses_and_then_it_is_quiet(synced: Synced) -> None:
    synced.world.add(values(synced, 0))
    synced.run()
    synced.assert_same()
    version = next(iter(synced.memory.records.values())).version
    assert len(synced.run().counts) == 0
    assert synced.writes() == []
    assert next(iter(synced.memory.records.values())).version == version


def test_what_is_made_elsewhere_is_one_create_in_notion(synced: Synced) -> None:
    synced.memory.add(**values(synced, 0))
    synced.run()
    synced.assert_same()
    assert synced.writes() == ["POST"]
    synced.run()
    assert synced.writes() == []


def test_an_edit_of_every_field_is_one_write(synced: Synced) -> None:
    record = synced.memory.add(**values(synced, 0))
    synced.run()
    synced.writes()
    synced.memory.edit(record.id, **values(synced, 1))
    synced.run()
    synced.assert_same()
    assert synced.writes() == ["PATCH"]
    synced.run()
    assert synced.writes() == []


def test_what_notion_rounds_is_not_taken_for_an_edit(synced: Synced) -> None:
    exact = datetime(2026, 1, 2, 10, 30, 45, 123456, tzinfo=UTC)
    record = synced.memory.add(**{**values(synced, 0), "Due": exact})
    synced.run()
    synced.run()
    synced.run()
    assert synced.writes() == ["POST"]
    assert synced.memory.records[record.id].fields["Due"] == exact


def test_a_delete_goes_to_the_trash_and_comes_from_there(synced: Synced) -> None:
    record = synced.memory.add(**values(synced, 0))
    synced.memory.add(**{**values(synced, 1), "Name": "Kept"})
    synced.run()
    synced.memory.remove(record.id)
    synced.run()
    (kept,) = synced.world.open().fetch().records
    assert kept.fields["Name"] == "Kept"
    synced.memory.add(**{**values(synced, 0), "Name": "Other"})
    synced.run()
    synced.world.remove(kept.id)
    synced.run()
    assert [record.fields["Name"] for record in synced.memory.records.values()] == ["Other"]
