"""Writing to Notion, and looking before it: pages that moved, and where they can be."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import MovedError, RejectedError
from sync_workers.model import Record
from sync_workers.services.base import Gone, Mapped, OutOfScope
from tests.services.notion.world import NotionWorld, notion_world

GET_PAGE, PATCH_PAGE = ("GET", "pages"), ("PATCH", "pages")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NotionWorld]:
    with notion_world(tmp_path) as world:
        yield world


def formatted(text: str) -> dict[str, Any]:
    return {
        "rich_text": [
            {"type": "text", "text": {"content": text[:3]}, "annotations": {"bold": True}},
            {"type": "text", "text": {"content": text[3:]}},
        ]
    }


class TestWrites:
    def test_create_is_one_call_after_the_schema(self, world: NotionWorld) -> None:
        service = world.open()
        service.schema()
        world.calls()
        service.create({"Name": "Bread", "Tags": ["new"]}, "one")
        assert world.calls() == [("POST", "pages")]

    def test_update_is_one_look_and_one_write_for_all_fields(self, world: NotionWorld) -> None:
        service = world.open()
        record = service.create({"Name": "Bread", "Price": 1}, "one")
        world.calls()
        service.update(record, {"Name": "Milk", "Price": 2, "Paid": True})
        assert world.calls() == [GET_PAGE, PATCH_PAGE]

    def test_what_is_there_already_is_not_written(self, world: NotionWorld) -> None:
        service = world.open()
        moment = datetime(2026, 1, 2, 10, 30, tzinfo=UTC)
        record = service.create({"Name": "Bread", "Due": moment}, "one")
        world.calls()
        again = service.update(record, {"Name": "Bread", "Notes": "", "Due": moment + timedelta(seconds=59)})
        assert again == record
        assert world.calls() == [GET_PAGE]

    def test_formatting_survives_when_the_plain_text_is_equal(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread", "Price": 1})
        world.call("PATCH", f"pages/{page}", {"properties": {"Notes": formatted("fresh bread")}})
        service = world.open()
        (record,) = service.fetch().records

        service.update(record, {"Notes": "fresh bread", "Price": 2})

        shown = world.call("GET", f"pages/{page}")["properties"]
        assert shown["Notes"]["rich_text"][0]["annotations"]["bold"]
        assert shown["Price"]["number"] == 2

    def test_the_answer_shows_what_notion_made_of_it(self, world: NotionWorld) -> None:
        service = world.open()
        moment = datetime(2026, 1, 2, 10, 30, 15, tzinfo=UTC)
        created = service.create({"Name": "Bread", "Due": moment, "Day": date(2026, 1, 2)}, "one")
        assert created.fields["Due"] == moment.replace(second=0)
        assert created.fields["Day"] == date(2026, 1, 2)
        assert type(created.fields["Day"]) is date

    def test_a_refused_value_is_named_by_its_property_and_not_shown(self, world: NotionWorld) -> None:
        service = world.open()
        record = service.create({"Name": "Bread"}, "one")
        fields = {"Name": "Bread", "State": "geheim"}
        with pytest.raises(RejectedError, match="State") as updating:
            service.update(record, fields)
        with pytest.raises(RejectedError, match="State") as creating:
            service.create(fields, "two")
        for caught in (updating, creating):
            assert "geheim" not in "".join(traceback.format_exception(caught.value))

    def test_what_is_refused_here_makes_no_call(self, world: NotionWorld) -> None:
        service = world.open()
        record = service.create({"Name": "Bread"}, "one")
        world.calls()
        for fields in ({"Notes": "x" * 200_001}, {"Due": datetime(2026, 1, 1)}, {"Nope": 1}):  # noqa: DTZ001
            with pytest.raises(RejectedError):
                service.update(record, fields)
            with pytest.raises(RejectedError):
                service.create(fields, "two")
        assert world.calls() == []

    def test_a_relation_to_a_page_that_is_not_shared_stops_that_record_only(self, world: NotionWorld) -> None:
        service = world.open()
        record = service.create({"Name": "Bread"}, "one")
        fields = {"Name": "Milk", "Shop": ["00000000-0000-4000-8000-0000000000ff"]}
        with pytest.raises(RejectedError):
            service.update(record, fields)
        with pytest.raises(RejectedError):
            service.create(fields, "two")
        assert len(service.fetch().records) == 1


class TestMovedPages:
    """R7: what is not as it was is not written, even within the minute of the last look."""

    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[NotionWorld]:
        stopped = datetime(2026, 1, 1, tzinfo=UTC)
        with notion_world(tmp_path, lambda: stopped) as world:
            yield world

    def test_an_edit_of_any_mapped_field_is_noticed_in_the_same_minute(self, world: NotionWorld) -> None:
        service = world.open()
        for name, (first, second) in world.samples.items():
            page = world.add({"Name": "Bread", name: first})
            record = service.read([page])[page]
            assert isinstance(record, Record)
            world.edit(page, {name: second})
            world.calls()
            with pytest.raises(MovedError):
                service.update(record, {"Price": 77})
            with pytest.raises(MovedError):
                service.delete(record)
            assert PATCH_PAGE not in world.calls()

    def test_an_edit_of_what_is_not_mapped_is_no_obstacle(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread"})
        service = world.open(Mapped(("Name", "Price")))
        (record,) = service.fetch().records
        world.edit(page, {"Notes": "mine"})
        service.update(record, {"Price": 2})
        assert world.notion.page(page).values["Notes"] == "mine"

    def test_a_computed_field_that_changed_is_no_obstacle(self, tmp_path: Path) -> None:
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        with notion_world(tmp_path, lambda: moment) as world:
            world.call(
                "PATCH", f"data_sources/{world.source}", {"properties": {"Edited": {"last_edited_time": {}}}}
            )
            page = world.add({"Name": "Bread"})
            service = world.open(Mapped(("Name", "Edited")))
            (record,) = service.fetch().records
            moment += timedelta(hours=1)
            world.edit(page, {"Notes": "mine"})
            assert service.update(record, {"Name": "Milk"}).fields["Name"] == "Milk"


class TestPlaces:
    """Where a page can be, beside in the data source."""

    def put(self, world: NotionWorld, place: str) -> Record:
        page = world.add({"Name": "Bread"})
        record = world.open().fetch().records[0]
        match place:
            case "in the trash":
                world.remove(page)
            case "archived":
                world.call("PATCH", f"pages/{page}", {"is_archived": True})
            case "not shared":
                del world.notion.store.pages[page]
            case "moved":
                other = world.notion.add_database("Others", {"Name": "title"})
                store = world.notion.store
                parent = {"type": "data_source_id", "data_source_id": other}
                store.pages[page] = replace(store.pages[page], parent=parent)
            case "on a page":
                store = world.notion.store
                parent = {"type": "page_id", "page_id": world.notion.root}
                store.pages[page] = replace(store.pages[page], parent=parent)
        return record

    @pytest.mark.parametrize("place", ["in the trash", "archived", "not shared", "moved", "on a page"])
    def test_none_of_them_is_listed_or_written(self, world: NotionWorld, place: str) -> None:
        record = self.put(world, place)
        service = world.open()
        assert service.fetch().records == ()
        with pytest.raises(MovedError):
            service.update(record, {"Name": "Milk"})

    @pytest.mark.parametrize(
        ("place", "reason"),
        [
            ("archived", "archived"),
            ("not shared", "not shared"),
            ("moved", "moved"),
            ("on a page", "moved"),
        ],
    )
    def test_only_the_trash_is_gone_the_rest_is_out_of_scope(
        self, world: NotionWorld, place: str, reason: str
    ) -> None:
        record = self.put(world, place)
        found = world.open().read([record.id])[record.id]
        assert isinstance(found, OutOfScope)
        assert reason in found.reason
        with pytest.raises(MovedError):
            world.open().delete(record)

    def test_the_trash_is_gone(self, world: NotionWorld) -> None:
        record = self.put(world, "in the trash")
        service = world.open()
        assert service.read([record.id]) == {record.id: Gone(record.id)}
        service.delete(record)
        service.archive(record)

    def test_what_is_no_id_is_out_of_scope(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread"})
        for text in ("nothing", "../users/me", f"{page}/properties/title", f"{page}?x"):
            assert isinstance(world.open().read([text])[text], OutOfScope)

    def test_archiving_can_be_undone_and_repeated(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread"})
        service = world.open()
        (record,) = service.fetch().records

        service.archive(record)
        service.archive(record)

        assert not world.notion.page(page).in_trash
        assert isinstance(service.read([page])[page], OutOfScope)
        world.call("PATCH", f"pages/{page}", {"is_archived": False})
        assert service.fetch().records[0].fields == record.fields

    def test_deleting_puts_it_into_the_trash_from_where_it_can_be_had_back(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread"})
        service = world.open()
        (record,) = service.fetch().records
        service.delete(record)
        assert world.notion.page(page).in_trash
        world.notion.restore_page(page)
        assert service.fetch().records == (record,)


class TestQuietLogs:
    def test_the_library_adds_no_handler_and_logs_nothing(
        self, world: NotionWorld, caplog: pytest.LogCaptureFixture
    ) -> None:
        library = logging.getLogger("notion_client")
        before = list(library.handlers)
        caplog.set_level(logging.DEBUG)
        service = world.open()
        with pytest.raises(RejectedError):
            service.create({"Name": "Bread", "State": "geheim"}, "one")
        assert library.handlers == before
        assert "geheim" not in caplog.text

    def test_nothing_is_open_after_close(self, world: NotionWorld) -> None:
        service = world.open()
        service.fetch()
        service.close()
        with pytest.raises(RuntimeError, match="closed"):
            service.read(["x"])
