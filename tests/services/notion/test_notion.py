"""The Notion service over HTTP against the sandbox: the contract, and what is special to Notion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import AccessError, LaterError, RejectedError, SettingsError
from sync_workers.model import Record
from sync_workers.services.base import Kind, Mapped
from tests.contracts.service_contract import ServiceContract
from tests.services.notion.world import OWN, NotionWorld, notion_world

GET_PAGE, PATCH_PAGE = ("GET", "pages"), ("PATCH", "pages")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NotionWorld]:
    with notion_world(tmp_path) as world:
        yield world


class TestContract(ServiceContract):
    """Every line of the contract, with a column of each writable type."""

    @pytest.fixture(params=[{}, OWN], ids=["plain", "with a marker and a place for conflicts"])
    def world(self, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NotionWorld]:
        with notion_world(tmp_path) as world:
            world.own = request.param
            yield world


def rename(world: NotionWorld, name: str, new: str) -> None:
    world.call("PATCH", f"data_sources/{world.source}", {"properties": {name: {"name": new}}})


class TestContainer:
    def test_a_database_with_one_data_source_is_that_data_source(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread"})
        database = world.call("GET", f"data_sources/{world.source}")["parent"]["database_id"]

        service = world.open(database=database)

        assert [record.id for record in service.fetch().records] == [page]
        assert service.setup() == world.open().setup()

    def test_a_database_with_two_is_a_problem_that_lists_them(self, world: NotionWorld) -> None:
        database = world.call("GET", f"data_sources/{world.source}")["parent"]["database_id"]
        body = {
            "parent": {"type": "database_id", "database_id": database},
            "title": [{"type": "text", "text": {"content": "More things"}}],
            "properties": {"Name": {"title": {}}},
        }
        second = world.call("POST", "data_sources", body)["id"]

        with pytest.raises(SettingsError) as caught:
            world.open(database=database).fetch()

        assert world.source in str(caught.value)
        assert f"{second} (More things)" in str(caught.value)
        assert "data_source" in str(caught.value)

    @pytest.mark.parametrize("place", ["data_source", "database"])
    def test_what_is_not_shared_needs_a_person(self, world: NotionWorld, place: str) -> None:
        with pytest.raises(AccessError, match="Connections"):
            world.open(None, **{place: "00000000-0000-4000-8000-0000000000ff"}).fetch()

    def test_the_id_of_a_database_as_data_source_gets_a_hint(self, world: NotionWorld) -> None:
        database = world.call("GET", f"data_sources/{world.source}")["parent"]["database_id"]
        with pytest.raises(AccessError, match="write `database`"):
            world.open(data_source=database).fetch()

    def test_a_data_source_in_the_trash_is_an_error_and_never_empty(self, world: NotionWorld) -> None:
        world.add({"Name": "Bread"})
        database = world.call("GET", f"data_sources/{world.source}")["parent"]["database_id"]
        world.call("PATCH", f"databases/{database}", {"in_trash": True})
        with pytest.raises(AccessError):
            world.open().fetch()

    def test_a_wrong_token_needs_a_person_and_is_not_shown(self, world: NotionWorld, tmp_path: Path) -> None:
        (tmp_path / "token").write_text("ntn_planted", encoding="utf-8")
        with pytest.raises(AccessError, match="token") as caught:
            world.open().fetch()
        assert "ntn_planted" not in str(caught.value)

    def test_a_missing_token_is_a_problem_of_the_settings(self, world: NotionWorld, tmp_path: Path) -> None:
        (tmp_path / "token").unlink()
        with pytest.raises(SettingsError, match="secret"):
            world.open()

    def test_set_up_names_a_changed_credential_without_showing_it(
        self, world: NotionWorld, tmp_path: Path
    ) -> None:
        before = world.open().setup()
        (tmp_path / "token").write_text("ntn_other", encoding="utf-8")
        world.notion.add_token("ntn_other")
        after = world.open().setup()
        assert before["credential"] != after["credential"]
        assert "ntn_other" not in str(after)

    def test_a_property_made_anew_under_its_name_is_another_set_up(self, world: NotionWorld) -> None:
        before = world.open().setup()
        path = f"data_sources/{world.source}"
        world.call("PATCH", path, {"properties": {"Price": None}})
        world.call("PATCH", path, {"properties": {"Price": {"number": {}}}})
        assert world.open().setup()["fields"] != before["fields"]


class TestProperties:
    def test_kinds_and_limits_stand_in_the_schema(self, world: NotionWorld) -> None:
        schema = world.open().schema()
        columns = {name: field for name, field in schema.items() if not field.id.startswith("page:")}
        assert {name: field.kind for name, field in columns.items()} == {
            "Name": Kind.TEXT,
            "Notes": Kind.TEXT,
            "Price": Kind.NUMBER,
            "Kind": Kind.CHOICE,
            "State": Kind.CHOICE,
            "Tags": Kind.CHOICES,
            "Day": Kind.DATE,
            "Due": Kind.DATE,
            "Trip": Kind.DATE,
            "Paid": Kind.CHECKBOX,
            "Link": Kind.TEXT,
            "Mail": Kind.TEXT,
            "Phone": Kind.TEXT,
            "Owner": Kind.REFERENCES,
            "Shop": Kind.REFERENCES,
            "Sync id": Kind.TEXT,
            "Sync conflict": Kind.TEXT,
        }
        assert schema["Kind"].options == ("Food", "Other")
        assert schema["Trip"].ranges
        # A part of a link is another link: too long a one is refused, never cut.
        assert schema["Link"].longest is None

    def test_all_wrong_names_are_told_at_once_with_the_nearest(self, world: NotionWorld) -> None:
        world.call("PATCH", f"data_sources/{world.source}", {"properties": {"Photo": {"button": {}}}})
        service = world.open(Mapped(("Nmae", "Price", "Tgas", "Photo")))
        with pytest.raises(SettingsError) as caught:
            service.fetch()
        nmae, tgas, photo = caught.value.problems
        assert "'Name'" in nmae
        assert "'Tags'" in tgas
        assert "button, which holds nothing" in photo
        assert set(service.schema()) >= {"Name", "Photo"}

    def test_a_rename_while_the_task_runs_changes_nothing(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread", "Price": 2})
        service = world.open(Mapped(("Name", "Price")))
        before = service.fetch()
        rename(world, "Price", "Cost")

        after = service.fetch()
        updated = service.update(after.records[0], {"Price": 3})

        assert after == before
        assert updated.fields == {"Name": "Bread", "Price": 3}
        assert world.notion.page(page).values["Cost"] == 3

    @pytest.mark.parametrize("change", [None, {"rich_text": {}}])
    def test_a_property_that_goes_while_the_task_runs_is_not_taken_for_cleared(
        self, world: NotionWorld, change: dict[str, Any] | None
    ) -> None:
        world.add({"Name": "Bread", "Price": 2})
        service = world.open(Mapped(("Name", "Price")))
        service.schema()
        world.call("PATCH", f"data_sources/{world.source}", {"properties": {"Price": change}})
        with pytest.raises(LaterError, match="Price"):
            service.fetch()

    def test_only_the_mapped_properties_are_asked_for(self, world: NotionWorld) -> None:
        world.add({"Name": "Bread", "Price": 2})
        service = world.open(Mapped(("Price",)))
        assert [record.fields for record in service.fetch().records] == [{"Price": 2}]

    def test_computed_properties_are_read_and_cannot_be_written(self, world: NotionWorld) -> None:
        columns: dict[str, Any] = {"Made": {"created_time": {}}, "Edited": {"last_edited_time": {}}}
        world.call("PATCH", f"data_sources/{world.source}", {"properties": columns})
        world.add({"Name": "Bread"})
        service = world.open(Mapped(("Name", "Made", "Edited")))

        (record,) = service.fetch().records

        assert isinstance(record.fields["Made"], datetime)
        assert record.modified == record.fields["Edited"]
        assert not service.schema()["Made"].writable
        with pytest.raises(RejectedError, match="to_other"):
            service.update(record, {"Made": datetime(2026, 1, 1, tzinfo=UTC)})

    def test_long_relations_are_whole_in_listings_reads_and_answers(self, world: NotionWorld) -> None:
        (shops,) = {s for s in world.notion.store.data_sources if s != world.source}
        many = [world.notion.add_page(shops, {"Name": str(number)}) for number in range(60)]
        page = world.add({"Name": "Bread", "Shop": many})
        service = world.open(Mapped(("Name", "Shop")))

        (listed,) = service.fetch().records
        read = service.read([page])[page]
        created = service.create({"Name": "Milk", "Shop": many}, "one")
        updated = service.update(listed, {"Shop": many[::-1]})

        assert listed.fields["Shop"] == many
        assert isinstance(read, Record)
        assert read.fields["Shop"] == many
        assert created.fields["Shop"] == many
        assert updated.fields["Shop"] == many[::-1]

    def test_long_text_comes_back_whole(self, world: NotionWorld) -> None:
        text = "🚀 fresh bread\n" * 5000
        service = world.open(Mapped(("Name", "Notes")))
        created = service.create({"Name": "Bread", "Notes": text}, "one")
        assert created.fields["Notes"] == text
        assert [record.fields["Notes"] for record in service.fetch().records] == [text]
