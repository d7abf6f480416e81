"""What a run takes over from the last one, where the task or the data source is another one since."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_workers.model import ID, NOTHING, Record, Side
from sync_workers.services.base import Mapped
from sync_workers.services.feeds import OutdatedError
from sync_workers.services.notion.service import NotionService
from tests.services.notion.fed import Fed
from tests.services.notion.world import NotionWorld, notion_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NotionWorld]:
    with notion_world(tmp_path) as world:
        yield world


def rename(world: NotionWorld) -> None:
    world.call("PATCH", f"data_sources/{world.source}", {"properties": {"Name": {"name": "Title"}}})


def recalling(world: NotionWorld, cursor: str | None, name: str) -> NotionService:
    service = world.open(Mapped((name,), key=name))
    service.recall(cursor)
    return service


@pytest.fixture
def cursor(world: NotionWorld) -> str | None:
    world.add({"Name": "Bread"})
    return world.open(Mapped(("Name",), key="Name")).fetch().cursor


def test_r3_what_was_written_to_another_data_source_comes_not_back(world: NotionWorld) -> None:
    # given a page that a run wrote
    world.add({"Name": "Bread"})
    fed = Fed(world)
    fed.run()
    fed.container.edit(fed.other("Bread"), title="Rye")
    fed.run()
    # when the task is bound to another data source
    world.source = world.notion.add_database("Copy", {"Name": "title"})
    for _ in range(3):
        fed.run()
    # then it is there once on each side
    assert fed.titles(Side.NOTION) == ["Rye"]
    assert [record.fields["title"] for record in fed.container.records.values()] == ["Rye"]


def test_a_rename_is_seen_in_the_first_row_that_shows_it(world: NotionWorld, cursor: str | None) -> None:
    service = recalling(world, cursor, "Name")
    assert service.schema().keys() >= {"Name"}
    rename(world)
    with pytest.raises(OutdatedError):
        service.fetch(cursor)


def test_a_row_with_the_names_that_are_known_is_no_rename(world: NotionWorld, cursor: str | None) -> None:
    service, known = recalling(world, cursor, "Name"), dict[ID, Record](NOTHING)
    assert [record.fields for record in service.fetch(cursor, known).records] == [{"Name": "Bread"}]


def test_a_name_that_was_not_there_the_last_time_is_looked_for_anew(
    world: NotionWorld, cursor: str | None
) -> None:
    rename(world)
    service = recalling(world, cursor, "Title")
    with pytest.raises(OutdatedError):
        service.setup()
    service.recall(None)
    assert [record.fields for record in service.fetch().records] == [{"Title": "Bread"}]
