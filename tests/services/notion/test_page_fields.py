"""Icon, parent, link and comments of a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import RejectedError
from sync_workers.model import Record
from sync_workers.services.base import Mapped
from sync_workers.services.notion.service import NotionService
from tests.services.notion.world import NotionWorld, notion_world

LINK = "https://example.com/i.png"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NotionWorld]:
    with notion_world(tmp_path) as world:
        yield world


def opened(world: NotionWorld, *names: str) -> NotionService:
    return world.open(Mapped(("Name", *names), key="Name"))


def only(service: NotionService) -> Record:
    (record,) = service.fetch().records
    return record


class TestIcon:
    @pytest.mark.parametrize(
        ("icon", "shown"), [({"emoji": "🥖"}, "🥖"), ({"external": {"url": LINK}}, LINK)]
    )
    def test_it_is_read_and_written(self, world: NotionWorld, icon: dict[str, Any], shown: str) -> None:
        service = opened(world, "icon")
        page = world.add({"Name": "Bread"})
        world.notion.bodies.icon(page, icon)
        record = only(service)
        assert record.fields["icon"] == shown
        for value in ("🍞", f"{LINK}?2", None):
            record = service.update(record, {"icon": value})
            assert record.fields["icon"] == value
            assert world.notion.page(page).icon == (value or "")

    def test_a_page_is_made_with_it(self, world: NotionWorld) -> None:
        service = opened(world, "icon")
        assert service.create({"Name": "Bread", "icon": "🥖"}, "one").fields["icon"] == "🥖"
        assert service.create({"Name": "Milk"}, "two").fields["icon"] is None

    def test_it_costs_no_call_of_its_own(self, world: NotionWorld) -> None:
        service = opened(world, "icon", "Price")
        world.add({"Name": "Bread"})
        record = only(service)
        world.calls()
        service.update(record, {"icon": "🥖", "Price": 2})
        assert world.calls() == [("GET", "pages"), ("PATCH", "pages")]

    @pytest.mark.parametrize(
        ("icon", "shown"),
        [
            ({"custom_emoji": {"id": "b52b8ed6-e029-4707-a671-832549c09de3", "name": "bufo"}}, ":bufo:"),
            ({"type": "icon", "icon": {"name": "pizza", "color": "blue"}}, ":pizza:"),
            ({"file_upload": {"id": "b52b8ed6-e029-4707-a671-832549c09de3"}}, None),
        ],
    )
    def test_what_only_notion_can_give_back_is_never_overwritten(
        self, world: NotionWorld, icon: dict[str, Any], shown: str | None
    ) -> None:
        # given
        page = world.add({"Name": "Bread"})
        world.notion.bodies.icon(page, icon)
        service = opened(world, "icon", "Price")
        record, before = only(service), world.notion.page(page).icon
        assert shown is None or record.fields["icon"] == shown
        # when, then
        for value in ("🥖", None, ""):
            with pytest.raises(RejectedError, match="never overwritten"):
                service.update(record, {"icon": value})
        assert service.update(record, {"icon": record.fields["icon"], "Price": 2}).fields["Price"] == 2
        assert world.notion.page(page).icon == before

    @pytest.mark.parametrize("value", ["bread", ":bread:", "ftp://x", 3, "🥖" * 40])
    def test_what_is_no_icon_is_refused_before_anything_is_asked(
        self, world: NotionWorld, value: Any
    ) -> None:
        world.add({"Name": "Bread"})
        service = opened(world, "icon")
        record = only(service)
        world.calls()
        with pytest.raises(RejectedError, match="icon") as caught:
            service.update(record, {"icon": value})
        assert str(value) not in str(caught.value)
        assert world.calls() == []


class TestReadOnly:
    def test_parent_and_link_are_shown(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread"})
        fields = only(opened(world, "parent", "url")).fields
        assert fields["parent"] == world.source
        assert fields["url"].endswith(page.replace("-", ""))

    @pytest.mark.parametrize("name", ["parent", "url", "comments"])
    def test_they_are_not_written(self, world: NotionWorld, name: str) -> None:
        world.add({"Name": "Bread"})
        service = opened(world, name)
        record = only(service)
        assert not service.schema()[name].writable
        with pytest.raises(RejectedError, match="to_other"):
            service.update(record, {name: "x"})

    def test_a_change_of_them_is_no_obstacle_to_a_write(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread"})
        service = opened(world, "url", "comments", "Price")
        record = only(service)
        world.notion.bodies.comment(page, "new")
        world.edit(page, {"Name": "Bread"})
        assert service.update(record, {"Price": 2}).fields["Price"] == 2


class TestComments:
    def test_they_are_lines_with_author_and_time(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread"})
        service = opened(world, "comments")
        assert only(service).fields["comments"] is None
        world.notion.bodies.comment(page, "Is it fresh?\nReally?")
        world.notion.bodies.comment(page, "Yes.")
        first, second, third = only(service).fields["comments"].split("\n")
        assert first.startswith("- **Ada**, 20")
        assert first.endswith(" UTC: Is it fresh?")
        assert (second, third.rpartition(": ")[2]) == ("  Really?", "Yes.")

    def test_all_are_read_also_more_than_a_hundred(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread"})
        for number in range(105):
            world.notion.bodies.comment(page, str(number))
        assert len(only(opened(world, "comments")).fields["comments"].split("\n")) == 105

    def test_who_does_not_map_them_makes_no_call_for_them(self, world: NotionWorld) -> None:
        world.add({"Name": "Bread"})
        service = opened(world, "icon", "parent", "url")
        service.fetch()
        world.calls()
        service.fetch()
        assert world.calls() == [("POST", "data_sources")]

    def test_a_write_does_not_ask_for_them(self, world: NotionWorld) -> None:
        world.add({"Name": "Bread"})
        service = opened(world, "comments", "Price")
        record = only(service)
        world.calls()
        service.update(record, {"Price": 2})
        assert world.calls() == [("GET", "pages"), ("PATCH", "pages")]
