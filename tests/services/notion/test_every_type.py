"""Property types beside the plain ones, over HTTP against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import RejectedError, SettingsError
from sync_workers.services.base import Mapped
from tests.services.notion.world import NotionWorld, notion_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NotionWorld]:
    with notion_world(tmp_path) as world:
        yield world


def add_column(world: NotionWorld, name: str, spec: dict[str, Any]) -> None:
    world.call("PATCH", f"data_sources/{world.source}", {"properties": {name: spec}})


def shops(world: NotionWorld, number: int) -> list[str]:
    source = world.notion.store.pages[world.samples["Shop"][0][0]].data_source_id
    assert source is not None
    return [world.notion.add_page(source, {"Name": f"Shop {n}"}) for n in range(number)]


@pytest.mark.parametrize(
    ("function", "expected"), [("count", 30), ("show_original", [f"Shop {n}" for n in range(30)])]
)
def test_a_rollup_over_more_rows_than_a_page_looks_at_is_read_whole(
    world: NotionWorld, function: str, expected: Any
) -> None:
    rollup = {"relation_property_name": "Shop", "rollup_property_name": "Name", "function": function}
    add_column(world, "Shops", {"rollup": rollup})
    world.add({"Name": "Bread", "Shop": shops(world, 30)})
    world.add({"Name": "Milk", "Shop": shops(world, 2)})
    service = world.open(Mapped(("Name", "Shops")))  # the relation itself is not mapped

    records = {record.fields["Name"]: record.fields["Shops"] for record in service.fetch().records}

    assert records["Bread"] == expected
    assert records["Milk"] in (2, ["Shop 0", "Shop 1"])
    assert world.calls() == [("GET", "data_sources"), ("POST", "data_sources"), ("GET", "pages")]


def test_files_that_a_person_uploaded_stay_when_links_are_written(world: NotionWorld) -> None:
    add_column(world, "Files", {"files": {}})
    page = world.add({"Name": "Bread"})
    uploaded = {"name": "scan.png", "type": "file", "file": {"url": "https://files.notion/1?sig=1"}}
    world.call("PATCH", f"pages/{page}", {"properties": {"Files": {"files": [uploaded]}}})
    service = world.open(Mapped(("Files",)))
    (record,) = service.fetch().records
    assert record.fields["Files"] == ["scan.png"]

    updated = service.update(record, {"Files": ["https://example.com/plan.pdf"]})

    assert updated.fields["Files"] == ["scan.png", "https://example.com/plan.pdf"]
    updated = service.update(updated, {"Files": ["scan.png"]})
    assert updated.fields["Files"] == ["scan.png"]
    with pytest.raises(RejectedError, match="upload the file in Notion"):
        service.update(updated, {"Files": ["other.png"]})


def test_a_page_is_verified_and_what_notion_decides_is_left_to_it(world: NotionWorld) -> None:
    add_column(world, "Checked", {"verification": {}})
    world.add({"Name": "Bread"})
    service = world.open(Mapped(("Checked",)))
    assert service.schema()["Checked"].options == ("verified", "unverified", "expired")
    (record,) = service.fetch().records
    assert record.fields["Checked"] == "unverified"

    assert service.update(record, {"Checked": "verified"}).fields["Checked"] == "verified"


def test_a_type_that_notion_adds_later_stops_only_who_maps_it(world: NotionWorld) -> None:
    add_column(world, "Push", {"button": {}})
    world.add({"Name": "Bread"})
    assert len(world.open(Mapped(("Name",))).fetch().records) == 1
    assert "Push" not in world.open(Mapped()).fetch().records[0].fields
    with pytest.raises(SettingsError, match=r"'Push'.*button.*holds nothing"):
        world.open(Mapped(("Push",))).fetch()
