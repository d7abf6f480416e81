"""The bodies of pages: read, written in the smallest part, and never destroyed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import MovedError, RejectedError, SettingsError, UnknownOutcomeError
from sync_workers.model import Record
from sync_workers.services.base import Mapped
from sync_workers.services.local_budget import LocalBudget
from sync_workers.services.notion.bodies import Body
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.page_writes import write_body
from sync_workers.services.notion.service import NotionService
from sync_workers.services.notion.settings import NotionConnection
from tests.sandbox.replay import Clock
from tests.services.notion.world import NotionWorld, notion_world

MAPPED = Mapped(("Name", "Price", "content"), key="Name")
GET_PAGE, PATCH_PAGE = ("GET", "pages"), ("PATCH", "pages")
FILE = {"image": {"file_upload": {"id": "b52b8ed6-e029-4707-a671-832549c09de3"}}}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(tmp_path: Path, clock: Clock) -> Iterator[NotionWorld]:
    with notion_world(tmp_path, clock) as world:
        world.mapped = MAPPED
        yield world


@pytest.fixture
def service(world: NotionWorld) -> NotionService:
    return world.open()


def write(world: NotionWorld, page: str, markdown: str) -> None:
    world.notion.bodies.write(page, markdown)


def body(world: NotionWorld, page: str) -> str:
    return world.notion.bodies.read(page)


def blocks(world: NotionWorld, page: str) -> list[str]:
    return [item["id"] for item in world.call("GET", f"blocks/{page}/children")["results"]]


def only(service: NotionService) -> Record:
    (record,) = service.fetch().records
    return record


def paths(world: NotionWorld) -> list[tuple[str, str]]:
    """Method and the end of the path of each call since the last look."""
    seen = [(call.method, call.path.rpartition("/")[2]) for call in world.notion.seen_requests()]
    world.notion.forget_requests()
    return [(method, end if end in {"query", "markdown", "comments"} else "page") for method, end in seen]


class TestRead:
    def test_a_body_is_a_field(self, world: NotionWorld, service: NotionService) -> None:
        page = world.add({"Name": "Bread"})
        assert only(service).fields["content"] is None
        write(world, page, "# Plan\n- one")
        assert only(service).fields["content"] == "# Plan\n- one"
        assert service.read([page])[page] == only(service)

    def test_without_it_no_call_is_made_for_it(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread"})
        service = world.open(Mapped(("Name", "Price"), key="Name"))
        record = only(service)
        paths(world)
        service.fetch()
        service.update(record, {"Price": 2})
        assert paths(world) == [("POST", "query"), ("GET", "page"), ("PATCH", "page")]
        assert page == record.id

    def test_it_is_read_again_only_after_an_edit(
        self, world: NotionWorld, service: NotionService, clock: Clock
    ) -> None:
        pages = [world.add({"Name": name}) for name in ("Bread", "Milk")]
        clock.now += timedelta(minutes=5)
        known = {record.id: record for record in service.fetch().records}
        write(world, pages[0], "fresh")
        paths(world)
        again = service.fetch(None, known)
        assert paths(world) == [("POST", "query"), ("GET", "markdown")]
        assert {r.id: r.fields["content"] for r in again.records} == {pages[0]: "fresh", pages[1]: None}

    @pytest.mark.parametrize("seconds", [10, 50, 70])
    def test_an_edit_in_the_minute_of_the_last_read_is_not_missed(
        self, world: NotionWorld, service: NotionService, clock: Clock, seconds: int
    ) -> None:
        # given: the body is read in the minute of an edit, or so soon after it that clocks may differ
        page = world.add({"Name": "Bread"})
        clock.now += timedelta(seconds=seconds)
        known = {record.id: record for record in service.fetch().records}
        # when: that minute has another edit, which moves no time that Notion shows
        clock.now -= timedelta(seconds=seconds)
        write(world, page, "late")
        clock.now += timedelta(minutes=10)
        # then
        (record,) = service.fetch(None, known).records
        assert record.fields["content"] == "late"
        # and from now on it is known
        paths(world)
        service.fetch(None, {page: record})
        assert paths(world) == [("POST", "query")]

    def test_links_to_uploaded_files_are_the_same_each_time(
        self, world: NotionWorld, service: NotionService
    ) -> None:
        page = world.add({"Name": "Bread"})
        world.call("PATCH", f"blocks/{page}/children", {"children": [FILE]})
        first = only(service).fields["content"]
        assert first == only(service).fields["content"]
        assert "Signature" not in first
        assert "b52b8ed6" in first

    def test_a_page_that_goes_away_meanwhile_ends_no_run(
        self, world: NotionWorld, service: NotionService
    ) -> None:
        world.add({"Name": "Bread"})
        lost = world.add({"Name": "Milk"})
        world.notion.bodies.hide(lost)
        fetched = service.fetch()
        assert (len(fetched.records), list(fetched.unreadable)) == (1, [lost])


class TestWrite:
    def test_a_page_is_made_with_its_body_in_one_call(
        self, world: NotionWorld, service: NotionService
    ) -> None:
        service.fetch()
        paths(world)
        made = service.create({"Name": "Bread", "content": "# Plan\n\n* one\n"}, "one")
        assert paths(world) == [("POST", "page"), ("GET", "markdown")]
        assert made.fields == {"Name": "Bread", "Price": None, "content": "# Plan\n- one"}
        assert only(service).fields == made.fields

    def test_a_heading_never_becomes_the_title(self, world: NotionWorld) -> None:
        service = world.open(Mapped(("Price", "content")))
        made = service.create({"Price": 1, "content": "# Plan"}, "one")
        assert made.fields["content"] == "# Plan"
        assert world.notion.page(made.id).values["Name"] == ""

    def test_only_what_differs_is_sent(self, world: NotionWorld, service: NotionService) -> None:
        # given
        page = world.add({"Name": "Bread"})
        write(world, page, "\n".join(f"line {number}" for number in range(20)))
        record, before = only(service), blocks(world, page)
        paths(world)
        # when
        wanted = record.fields["content"].replace("line 7", "line seven")
        shown = service.update(record, {"content": wanted})
        # then
        one, two = ("GET", "page"), ("GET", "markdown")
        assert paths(world) == [one, two, ("PATCH", "markdown"), one]
        assert shown.fields["content"] == body(world, page) == wanted
        assert blocks(world, page) == before

    def test_body_and_properties_are_one_write_each(self, world: NotionWorld, service: NotionService) -> None:
        world.add({"Name": "Bread"})
        record = only(service)
        paths(world)
        shown = service.update(record, {"Price": 2, "content": "fresh"})
        assert shown.fields == {"Name": "Bread", "Price": 2, "content": "fresh"}
        assert [call for call in paths(world) if call[0] == "PATCH"] == [
            ("PATCH", "markdown"),
            ("PATCH", "page"),
        ]

    @pytest.mark.parametrize("text", ["- one\n- **two** at $5", "* one\n\n\n+ __two__ at \\$5\n"])
    def test_what_means_the_same_is_not_written(
        self, world: NotionWorld, service: NotionService, text: str
    ) -> None:
        page = world.add({"Name": "Bread"})
        write(world, page, "- one\n- **two** at $5")
        record = only(service)
        paths(world)
        assert service.update(record, {"content": text}).fields["content"] == "- one\n- **two** at \\$5"
        assert not [call for call in paths(world) if call[0] == "PATCH"]

    def test_it_can_be_emptied(self, world: NotionWorld, service: NotionService) -> None:
        page = world.add({"Name": "Bread"})
        write(world, page, "one\ntwo")
        assert service.update(only(service), {"content": None}).fields["content"] is None
        assert body(world, page) == ""

    def test_an_edit_since_the_plan_is_not_overwritten(
        self, world: NotionWorld, service: NotionService
    ) -> None:
        page = world.add({"Name": "Bread"})
        write(world, page, "one\ntwo")
        record = only(service)
        write(world, page, "one\ntwo\nthree")
        for attempt in (
            lambda: service.update(record, {"content": "1"}),
            lambda: service.delete(record),
            lambda: service.archive(record),
        ):
            with pytest.raises(MovedError):
                attempt()
        assert body(world, page) == "one\ntwo\nthree"


def child_page(world: NotionWorld, page: str) -> None:
    body = {"parent": {"page_id": page}, "properties": {"title": {"title": [{"text": {"content": "Child"}}]}}}
    world.call("POST", "pages", body)


def long_page(world: NotionWorld, page: str) -> None:
    world.notion.bodies.hide(world.notion.bodies.add(page, "divider"))


def uploaded(world: NotionWorld, page: str) -> None:
    world.call("PATCH", f"blocks/{page}/children", {"children": [FILE]})


def synced(world: NotionWorld, page: str) -> None:
    world.notion.bodies.add(page, "synced_block", {"synced_from": None})


def bookmark(world: NotionWorld, page: str) -> None:
    world.notion.bodies.add(page, "bookmark", {"url": "https://example.com", "caption": []})


def database(world: NotionWorld, page: str) -> None:
    world.notion.add_database("Table", {"Name": "title"}, page)


KEPT = [child_page, database, long_page, uploaded, synced, bookmark]


class TestKept:
    @pytest.mark.parametrize("add", KEPT)
    def test_what_markdown_cannot_say_is_never_destroyed(
        self, world: NotionWorld, service: NotionService, add: Any
    ) -> None:
        # given
        page = world.add({"Name": "Bread"})
        write(world, page, "above")
        add(world, page)
        record, before = only(service), blocks(world, page)
        # when
        assert record.fields["content"].startswith("above\n")
        world.notion.forget_requests()
        with pytest.raises(RejectedError, match="is not written"):
            service.update(record, {"content": "something else", "Price": 2})
        # then: not even the rest of the update
        assert world.notion.writes() == []
        assert blocks(world, page) == before
        # and its properties can be written all the same
        assert service.update(record, {"Price": 2}).fields["Price"] == 2

    @pytest.mark.parametrize("add", [child_page, database])
    def test_around_child_pages_a_body_can_be_written(
        self, world: NotionWorld, service: NotionService, add: Any
    ) -> None:
        page = world.add({"Name": "Bread"})
        add(world, page)
        record, before = only(service), blocks(world, page)
        tag = record.fields["content"]
        shown = service.update(record, {"content": f"above\n\n{tag}\n\nbelow"})
        assert shown.fields["content"] == f"above\n{tag}\nbelow"
        assert before[0] in blocks(world, page)

    def test_a_page_from_elsewhere_is_not_moved_here(
        self, world: NotionWorld, service: NotionService
    ) -> None:
        page, other = world.add({"Name": "Bread"}), world.add({"Name": "Milk"})
        tag = f'<page url="https://www.notion.so/{other.replace("-", "")}">Milk</page>'
        record = next(one for one in service.fetch().records if one.id == page)
        with pytest.raises(RejectedError, match="moved"):
            service.update(record, {"content": tag})
        with pytest.raises(RejectedError, match="other pages"):
            service.create({"Name": "New", "content": tag}, "one")

    @pytest.mark.parametrize("text", ['<unknown url="x"/>', "<synced_block>\n\tx\n</synced_block>"])
    def test_tags_of_notions_own_are_no_text(
        self, world: NotionWorld, service: NotionService, text: str
    ) -> None:
        world.add({"Name": "Bread"})
        record = only(service)
        world.notion.forget_requests()
        with pytest.raises(RejectedError, match="cannot be written"):
            service.update(record, {"content": text})
        assert world.notion.seen_requests() == []


class TestLostReplies:
    def test_a_body_that_notion_says_it_saved_counts_as_written(
        self, world: NotionWorld, service: NotionService
    ) -> None:
        page = world.add({"Name": "Bread"})
        world.notion.faults.add("saved", "PATCH", "/markdown$")
        shown = service.update(only(service), {"content": "* fresh", "Price": 2})
        assert shown.fields == {"Name": "Bread", "Price": 2, "content": "- fresh"}
        assert body(world, page) == "- fresh"

    @pytest.mark.parametrize("fault", ["cut", "not_saved", "dropped", "cut_json"])
    def test_otherwise_the_outcome_is_unknown(
        self, world: NotionWorld, service: NotionService, fault: str
    ) -> None:
        world.add({"Name": "Bread"})
        record = only(service)
        world.notion.faults.add(fault, "PATCH", "/markdown$")
        with pytest.raises(UnknownOutcomeError):
            service.update(record, {"content": "fresh"})

    @pytest.mark.parametrize("fault", ["forbidden", "dropped"])
    @pytest.mark.parametrize("fields", [{"content": "fresh"}, {"content": "fresh", "Price": 2}])
    def test_after_the_body_nothing_is_taken_for_undone(
        self, world: NotionWorld, service: NotionService, fault: str, fields: dict[str, Any]
    ) -> None:
        page = world.add({"Name": "Bread"})
        record = only(service)
        path = f"/v1/pages/{page}$"
        world.notion.faults.add("delay", "GET", path, seconds=0)
        world.notion.faults.add(fault, "GET" if len(fields) == 1 else "PATCH", path)
        with pytest.raises(UnknownOutcomeError):
            service.update(record, fields)
        assert body(world, page) == "fresh"

    def test_a_create_whose_reading_back_fails_is_never_repeated_blindly(
        self, world: NotionWorld, service: NotionService
    ) -> None:
        service.fetch()
        world.notion.faults.add("forbidden", "GET", "/markdown$")
        with pytest.raises(UnknownOutcomeError):
            service.create({"Name": "Bread", "content": "fresh"}, "one")
        assert only(service).fields["content"] == "fresh"


class TestNames:
    def test_they_are_listed_with_what_they_are(self, service: NotionService) -> None:
        schema = service.schema()
        assert [n for n in ("content", "icon", "parent", "url", "comments") if schema[n].writable] == [
            "content",
            "icon",
        ]
        assert schema["content"].markdown

    def test_a_property_of_that_name_wins(self, world: NotionWorld) -> None:
        world.call("PATCH", f"data_sources/{world.source}", {"properties": {"content": {"rich_text": {}}}})
        page = world.notion.add_page(world.source, {"Name": "Bread", "content": "a property"})
        write(world, page, "a body")
        record = only(world.open(Mapped(("content", "page:content"), key="content")))
        assert record.fields == {"content": "a property", "page:content": "a body"}
        schema = world.open().schema()
        assert (schema["content"].id, schema["page:content"].id) == (
            world.open().schema()["content"].id,
            "page:content",
        )
        assert schema["content"].id != "page:content"

    def test_what_it_was_it_stays_whatever_properties_come_and_go(self, world: NotionWorld) -> None:
        page = world.add({"Name": "Bread"})
        write(world, page, "a body")
        path = f"data_sources/{world.source}"
        # a property that takes the name of a mapped body
        body = Mapped(("Name", "content"), key="Name", ids={"content": "page:content"})
        world.call("PATCH", path, {"properties": {"content": {"rich_text": {}}}})
        assert only(world.open(body)).fields["content"] == "a body"
        # a mapped property that is gone
        text = Mapped(("Name", "content"), key="Name", ids={"content": "abcd"})
        world.call("PATCH", path, {"properties": {"content": None}})
        assert "content" not in only(world.open(text)).fields

    def test_what_is_no_part_of_a_page_is_none(self, world: NotionWorld) -> None:
        with pytest.raises(SettingsError, match="page:body"):
            world.open(Mapped(("Name", "page:body"), key="Name")).fetch()


class TestBetweenLookAndWrite:
    """What a person does in the moment after the look, which no look can see."""

    def late(self, world: NotionWorld, before: str, edited: str, wanted: str, *, moved: bool = False) -> str:
        """Write over a body that a person changes right after the look; what stands there then."""
        page = world.add({"Name": "Bread"})
        write(world, page, edited)

        def expect() -> None:
            if moved:
                msg = "changed"
                raise MovedError(msg)

        connection = NotionConnection.model_validate({"token": world.token, "url": world.server.url})
        with closing(Api(connection, LocalBudget())) as api:
            write_body(api, page, Body(before), wanted, expect)
        return body(world, page)

    def test_an_edit_elsewhere_on_the_page_stays(self, world: NotionWorld) -> None:
        lines = [f"line {number}" for number in range(9)]
        before = "\n".join(lines)
        edited = before.replace("line 8", "a person's line")
        shown = self.late(world, before, edited, before.replace("line 2", "line two"))
        assert shown == edited.replace("line 2", "line two")

    def test_an_edit_at_the_very_place_is_not_overwritten(self, world: NotionWorld) -> None:
        with pytest.raises(MovedError):
            self.late(world, "one\ntwo\nthree", "one\n2\nthree", "one\nzwei\nthree", moved=True)
        (page,) = world.notion.pages(world.source)
        assert page.body == "one\n2\nthree"

    def test_where_nobody_changed_it_the_whole_is_written(self, world: NotionWorld) -> None:
        # as if Notion did not find what it showed itself
        assert self.late(world, "one\nzwei\nthree", "one\n2\nthree", "one\ntwo\nthree") == "one\ntwo\nthree"

    def test_what_a_person_begins_on_an_empty_page_stays(self, world: NotionWorld) -> None:
        assert self.late(world, "", "a person's line", "ours") == "a person's line\nours"
