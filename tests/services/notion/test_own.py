"""The properties that are the sync's own: where a create leaves its mark, and where conflicts are told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sync_workers.errors import AccessError, LaterError, MovedError, RejectedError, SettingsError
from sync_workers.model import About, Record
from sync_workers.services.base import Mapped, mark_of
from sync_workers.services.notion.settings import NotionContainer
from tests.services.notion.calls import PAGE, Calls, error, page, scripted_calls
from tests.services.notion.scripted_server import Answer
from tests.services.notion.test_settings import ID
from tests.services.notion.world import OWN, NotionWorld, notion_world

GET_PAGE, PATCH_PAGE = ("GET", "pages"), ("PATCH", "pages")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NotionWorld]:
    with notion_world(tmp_path) as world:
        world.own = OWN
        yield world


@pytest.fixture
def calls(tmp_path: Path) -> Iterator[Calls]:
    with scripted_calls(tmp_path) as calls:
        yield calls


class TestSettings:
    @pytest.mark.parametrize(
        ("own", "said"),
        [
            ({"marker": "Sync-id"}, "marker = 'Sync-id': .* has no such property; did you mean 'Sync id'"),
            ({"conflicts": "Zzz"}, "conflicts = 'Zzz': .* add one of the type Text .* leave `conflicts` out"),
            ({"marker": "Price"}, "marker = 'Price' .* has the type number and must have the type Text"),
            ({"conflicts": "Name"}, "conflicts = 'Name' .* has the type title and must have the type Text"),
            ({"marker": "Notes"}, "marker = 'Notes' .* is mapped as a field, too: .* field map"),
        ],
    )
    def test_one_that_cannot_serve_is_named_with_the_remedy(
        self, world: NotionWorld, own: dict[str, str], said: str
    ) -> None:
        world.own = own
        world.add({"Name": "Bread"})
        for attempt in ("fetch", "setup"):
            with pytest.raises(SettingsError, match=said):
                getattr(world.open(), attempt)()

    def test_all_problems_come_at_once(self, world: NotionWorld) -> None:
        world.own = {"marker": "Price", "conflicts": "Zzz"}
        with pytest.raises(SettingsError) as caught:
            world.open(Mapped(("Nmae",))).fetch()
        assert len(caught.value.problems) == 3

    def test_both_in_one_property_is_a_problem(self) -> None:
        with pytest.raises(ValidationError, match="two different properties"):
            NotionContainer(data_source=ID, marker="Sync", conflicts="Sync")

    def test_they_are_no_fields_even_where_everything_is_mapped(self, world: NotionWorld) -> None:
        world.own = {}
        assert set(OWN.values()) <= set(world.open(Mapped()).create({"Name": "Bread"}, "one").fields)
        world.own = OWN
        service = world.open(Mapped())
        assert not set(OWN.values()) & set(service.create({"Name": "Bread"}, "two").fields)
        with pytest.raises(RejectedError, match="Sync id"):
            service.create({"Name": "Bread", "Sync id": "x"}, "three")

    def test_they_are_no_part_of_the_setup(self, world: NotionWorld) -> None:
        with_own = world.open().setup()
        world.own = {}
        assert world.open().setup() == with_own

    @pytest.mark.parametrize("name", OWN.values())
    def test_one_that_goes_while_the_task_runs_is_an_error(self, world: NotionWorld, name: str) -> None:
        world.add({"Name": "Bread"})
        service = world.open()
        service.schema()
        world.call("PATCH", f"data_sources/{world.source}", {"properties": {name: None}})
        with pytest.raises(LaterError, match=name):
            service.fetch()
        # The next run, which looks at the table first, says what to do about it.
        with pytest.raises(SettingsError, match=name):
            world.open().fetch()

    def test_a_rename_while_the_task_runs_changes_nothing(self, world: NotionWorld) -> None:
        service = world.open()
        service.schema()
        world.call("PATCH", f"data_sources/{world.source}", {"properties": {"Sync id": {"name": "Mark"}}})
        service.create({"Name": "Bread"}, "one")
        assert [record.about.mark for record in service.fetch().records] == [mark_of("one")]


class TestMark:
    def test_a_create_is_still_one_call(self, world: NotionWorld) -> None:
        service = world.open()
        service.schema()
        world.calls()
        record = service.create({"Name": "Bread"}, "one")
        assert world.calls() == [("POST", "pages")]
        assert world.notion.page(record.id).values["Sync id"] == mark_of("one")

    def test_a_person_s_edit_of_it_is_no_edit(self, world: NotionWorld) -> None:
        service = world.open()
        record = service.create({"Name": "Bread"}, "one")
        world.edit(record.id, {"Sync id": "mine"})
        (edited,) = service.fetch().records
        assert edited.fields == record.fields
        assert edited.about.mark == "mine"
        assert service.update(record, {"Name": "Milk"}).about.mark == "mine"

    def test_rows_that_differ_in_nothing_else_share_what_is_about_them(self, world: NotionWorld) -> None:
        for number in range(3):
            world.add({"Name": str(number)})
        abouts = [record.about for record in world.open().fetch().records]
        assert abouts[0].author is not None
        assert len({id(about) for about in abouts}) == 1

    def test_a_page_that_tells_no_author_has_nothing_else(self, calls: Calls) -> None:
        (record,) = calls.service.fetch().records
        assert record.about == About()


class TestNote:
    def test_it_is_one_look_and_one_write_and_none_where_it_stands(self, world: NotionWorld) -> None:
        page_id = world.add({"Name": "Bread"})
        service = world.open()
        service.schema()
        world.calls()
        service.annotate(page_id, "Which?")
        assert world.calls() == [GET_PAGE, PATCH_PAGE]
        service.annotate(page_id, "Which?")
        assert world.calls() == [GET_PAGE]
        service.annotate(page_id, "")
        assert world.calls() == [GET_PAGE, PATCH_PAGE]
        assert not world.notion.page(page_id).values["Sync conflict"]

    def test_it_goes_in_pieces_that_notion_takes(self, calls: Calls) -> None:
        calls.service.annotate(PAGE, "x" * 4500)
        sent = calls.script.asked[-1].body["properties"]["note"]["rich_text"]
        assert [len(item["text"]["content"]) for item in sent] == [2000, 2000, 500]

    def test_one_that_is_too_long_for_notion_makes_no_call(self, world: NotionWorld) -> None:
        page_id = world.add({"Name": "Bread"})
        service = world.open()
        service.schema()
        world.calls()
        with pytest.raises(RejectedError, match="Sync conflict"):
            service.annotate(page_id, "x" * 200_001)
        assert world.calls() == []

    def test_without_a_place_for_it_it_is_refused(self, world: NotionWorld) -> None:
        page_id = world.add({"Name": "Bread"})
        world.own = {"marker": "Sync id"}
        service = world.open()
        assert not service.capabilities.notes
        with pytest.raises(RejectedError, match="`conflicts`"):
            service.annotate(page_id, "Which?")

    @pytest.mark.parametrize("after", [page(in_trash=True), page(is_archived=True), None], ids=str)
    def test_a_page_that_goes_between_look_and_write_is_moved(self, calls: Calls, after: Any) -> None:
        calls.service.fetch()
        looks = iter([page(), after])

        def reply(asked: Any) -> Answer:
            if asked.method == "PATCH":
                return Answer(400, error(400, "validation_error", "Can't edit block that is archived."))
            shown = next(looks)
            return Answer(body=shown) if shown else Answer(404, error(404, "object_not_found"))

        calls.script.reply = reply
        with pytest.raises(MovedError, match=PAGE):
            calls.service.annotate(PAGE, "Which?")


class TestRestore:
    def test_it_is_one_look_and_one_write(self, world: NotionWorld) -> None:
        page_id = world.add({"Name": "Bread"})
        service = world.open()
        service.schema()
        world.remove(page_id)
        world.calls()
        service.restore(page_id)
        assert world.calls() == [GET_PAGE, PATCH_PAGE]
        service.restore(page_id)
        assert world.calls() == [GET_PAGE]

    def test_what_is_in_the_trash_and_archived_comes_out_of_both(self, world: NotionWorld) -> None:
        page_id = world.add({"Name": "Bread"})
        world.call("PATCH", f"pages/{page_id}", {"is_archived": True})
        world.remove(page_id)
        assert world.open().restore(page_id) == world.open().fetch().records[0]

    @pytest.mark.parametrize("place", ["data_source_id", "page_id"])
    @pytest.mark.parametrize("trashed", [True, False])
    def test_what_was_moved_elsewhere_stays_as_it_is(
        self, world: NotionWorld, place: str, trashed: bool
    ) -> None:
        page_id = world.add({"Name": "Bread"})
        store = world.notion.store
        to = (
            world.notion.add_database("Others", {"Name": "title"})
            if place != "page_id"
            else world.notion.root
        )
        store.pages[page_id] = replace(
            store.pages[page_id], parent={"type": place, place: to}, in_trash=trashed
        )
        service = world.open()
        with pytest.raises(MovedError, match="moved"):
            service.restore(page_id)
        assert store.pages[page_id].in_trash is trashed

    def test_what_goes_for_good_between_look_and_write_is_moved(self, calls: Calls) -> None:
        calls.faults = {"write": Answer(404, error(404, "object_not_found"))}
        with pytest.raises(MovedError):
            calls.restore()

    def test_one_that_notion_leaves_in_the_trash_is_not_restored(self, calls: Calls) -> None:
        with pytest.raises(MovedError, match="leaves it"):
            calls.restore()

    def test_a_refusal_says_what_it_is(self, calls: Calls) -> None:
        for answer, kind in (
            (Answer(403, error(403, "restricted_resource")), AccessError),
            (Answer(400, error(400, "validation_error")), RejectedError),
            # The last one, since after it no call is made for a while.
            (Answer(429, error(429, "rate_limited")), LaterError),
        ):
            calls.faults = {"write": answer}
            with pytest.raises(kind):
                calls.restore()

    def test_what_comes_back_is_read_as_a_listing_reads_it(self, world: NotionWorld) -> None:
        (shops,) = {s for s in world.notion.store.data_sources if s != world.source}
        many = [world.notion.add_page(shops, {"Name": str(number)}) for number in range(30)]
        page_id = world.add({"Name": "Bread", "Shop": many})
        world.remove(page_id)
        restored = world.open().restore(page_id)
        assert isinstance(restored, Record)
        assert restored.fields["Shop"] == many
