"""What a run asks of Notion: one query where nothing changed, and all of it now and then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync_workers.engine.rules import FieldRule, OutOfScopePolicy
from sync_workers.errors import AccessError, LaterError, SettingsError
from sync_workers.model import Pair, Side
from sync_workers.runs.reading import Wish
from sync_workers.services.local_budget import LocalBudget
from sync_workers.services.notion.bookmark import Progress
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.listing import Listing
from sync_workers.services.notion.settings import NotionConnection
from tests.services.notion.calls import error, open_service, page, schema
from tests.services.notion.fed import RULES, Fed
from tests.services.notion.scripted_server import Answer, Asked, scripted
from tests.services.notion.world import NotionWorld, notion_world

QUERY, PAGE = ("POST", "data_sources"), ("GET", "pages")
START = datetime(2026, 6, 1, tzinfo=UTC)


class Minutes:
    """Notion's clock: ten seconds for each look."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=10)
        return self.now


@pytest.fixture
def clock() -> Minutes:
    return Minutes()


@pytest.fixture
def world(tmp_path: Path, clock: Minutes) -> Iterator[NotionWorld]:
    with notion_world(tmp_path, clock) as world:
        yield world


@pytest.fixture
def many(world: NotionWorld) -> Fed:
    """More rows than a page holds, in step with the other side."""
    for number in range(120):
        world.add({"Name": f"row {number}"})
    fed = Fed(world)
    fed.run()
    return fed


@pytest.mark.parametrize("number", [0, 3, 120])
def test_r10_a_run_in_which_nothing_changed_is_one_request(world: NotionWorld, number: int) -> None:
    for place in range(number):
        world.add({"Name": f"row {place}"})
    fed = Fed(world)
    fed.run()
    for _ in range(3):
        assert fed.calls_of_a_run() == [QUERY]
        assert fed.plan.operations == ()


def test_r1_what_we_wrote_is_no_edit_in_the_next_run(many: Fed) -> None:
    many.container.add(title="new")
    many.container.edit(many.other("row 7"), title="seven")
    many.run()
    for _ in range(3):
        assert many.calls_of_a_run() == [QUERY]
        assert many.plan.operations == ()
    assert {"new", "seven"} <= set(many.titles(Side.NOTION))


def test_r2_an_edit_in_the_minute_of_the_last_query_is_seen(many: Fed, clock: Minutes) -> None:
    page = next(iter(many.state.ids))
    many.world.edit(page, {"Name": "first"})
    many.run()
    clock.now -= timedelta(seconds=30)
    many.world.edit(page, {"Name": "second"})
    many.run()
    assert many.container.records[many.state.ids[page]].fields["title"] == "second"


def test_r4_a_deletion_is_noticed_when_all_is_compared(many: Fed) -> None:
    page = next(iter(many.state.ids))
    other = many.state.ids[page]
    many.world.remove(page)
    many.run()
    assert many.plan.operations == ()
    assert other in many.container.records

    many.now += RULES.full_every
    many.run()
    assert other not in many.container.records


def test_r4_among_few_rows_a_deletion_is_noticed_at_once(world: NotionWorld) -> None:
    gone, _ = world.add({"Name": "Bread"}), world.add({"Name": "Milk"})
    fed = Fed(world)
    fed.run()
    world.remove(gone)
    fed.run()
    assert [record.fields["title"] for record in fed.container.records.values()] == ["Milk"]


def test_a_look_asks_for_that_record_alone(many: Fed) -> None:
    page, gone, *_ = many.state.ids
    other = many.state.ids[gone]
    many.world.edit(page, {"Name": "looked at"})
    many.world.remove(gone)
    many.store.looks |= {(Side.NOTION, page.replace("-", "")), (Side.NOTION, gone)}

    asked = many.calls_of_a_run(Wish(looks=True))

    assert QUERY not in asked
    assert many.container.records[many.state.ids[page]].fields["title"] == "looked at"
    assert other not in many.container.records
    assert many.mirrors.looks == set()
    assert many.calls_of_a_run() == [QUERY]


def test_a_look_without_a_mirror_is_a_run_like_any_other(world: NotionWorld) -> None:
    page = world.add({"Name": "Bread"})
    fed = Fed(world)
    fed.store.looks.add((Side.NOTION, page))
    assert QUERY in fed.calls_of_a_run(Wish(looks=True))
    assert fed.titles(Side.NOTION) == ["Bread"]


def test_a_rename_fits_the_schema_that_was_kept(many: Fed) -> None:
    path = f"data_sources/{many.world.source}"
    many.world.call("PATCH", path, {"properties": {"Name": {"name": "Title"}}})
    added = many.world.add({"Title": "renamed"})
    many.run()
    assert many.state.ids[added]
    assert many.calls_of_a_run() == [QUERY]


def test_what_does_not_fit_the_schema_that_was_kept_is_read_anew(many: Fed) -> None:
    many.rules = replace(RULES, fields=(*RULES.fields, FieldRule(Pair("Notes", "note"))))
    many.run()
    edited = next(iter(many.state.ids))
    path = f"data_sources/{many.world.source}"
    many.world.call("PATCH", path, {"properties": {"Notes": {"type": "number", "number": {}}}})
    many.world.edit(edited, {"Name": "edited"})

    asked = many.calls_of_a_run()

    assert ("GET", "data_sources") in asked
    assert many.container.records[many.state.ids[edited]].fields["title"] == "edited"
    assert many.calls_of_a_run() == [QUERY]


def test_a_data_source_that_went_to_the_trash_is_looked_at_and_told(many: Fed) -> None:
    many.world.call("PATCH", f"data_sources/{many.world.source}", {"in_trash": True})
    with pytest.raises(AccessError, match="in the trash"):
        many.run()


def test_r9_another_set_up_compares_all(many: Fed) -> None:
    many.place = {"marker": "Notes"}
    assert ("GET", "data_sources") not in many.calls_of_a_run()  # it says nothing about what a row holds
    many.place = {"filter": {"property": "Name", "title": {"is_not_empty": True}}}
    asked = many.calls_of_a_run()
    assert ("GET", "data_sources") in asked
    assert len([call for call in asked if call == QUERY]) > 1
    assert many.plan.operations == ()


def test_r3_a_create_whose_reply_was_lost_is_looked_for_before_it_is_tried_again(many: Fed) -> None:
    many.place = {"late": "5m"}
    many.world.notion.faults.add("dropped", method="POST", path="/v1/pages$")
    many.container.add(title="new")
    many.run()
    for _ in range(4):
        many.run()
        assert many.plan.operations == ()
        assert len(many.plan.held) == 1
    many.now += timedelta(minutes=2)
    many.run()
    assert "new" in {row.values["Name"] for row in many.world.notion.pages(many.world.source)}
    assert many.calls_of_a_run() == [QUERY]


class TestArchived:
    def test_rows_that_wait_cost_no_call_until_all_is_compared(self, many: Fed) -> None:
        pages = list(many.state.ids)[:5]
        for one in pages:
            many.world.call("PATCH", f"pages/{one}", {"is_archived": True})
        many.now += RULES.full_every

        asked = many.calls_of_a_run()

        assert PAGE not in asked  # one query tells all of them from what is gone
        assert many.plan.operations == ()
        assert len(many.plan.held) == len(pages)
        assert many.calls_of_a_run() == [QUERY]

    def test_one_alone_is_asked_for_by_its_id_and_then_waits_without_a_call(self, world: NotionWorld) -> None:
        page, _ = world.add({"Name": "Bread"}), world.add({"Name": "Milk"})
        fed = Fed(world)
        fed.run()
        world.call("PATCH", f"pages/{page}", {"is_archived": True})
        assert PAGE in fed.calls_of_a_run()
        assert fed.calls_of_a_run() == [QUERY]
        assert len(fed.container.records) == 2


FOOD = {"filter": {"property": "Kind", "select": {"equals": "Food"}}}


class TestFilter:
    @pytest.fixture
    def fed(self, world: NotionWorld) -> Fed:
        for number in range(110):
            world.add({"Name": f"food {number}", "Kind": "Food"})
        world.add({"Name": "car", "Kind": "Other"})
        fed = Fed(world, place=FOOD)
        fed.run()
        return fed

    def test_only_rows_that_pass_are_there(self, fed: Fed) -> None:
        assert len(fed.container.records) == 110
        fed.world.add({"Name": "bus", "Kind": "Other"})
        fed.world.add({"Name": "pear", "Kind": "Food"})
        assert QUERY in fed.calls_of_a_run()
        assert "pear" in fed.titles(Side.NOTION)
        assert not {"bus", "car"} & set(fed.titles(Side.NOTION))

    def test_r4_a_row_that_leaves_the_filter_is_out_of_scope_and_not_deleted(self, fed: Fed) -> None:
        page = next(iter(fed.state.ids))
        other = fed.state.ids[page]
        fed.world.edit(page, {"Kind": "Other"})
        fed.now += RULES.full_every
        fed.run()
        assert other in fed.container.records
        assert fed.state.ids[page] == other
        assert fed.calls_of_a_run() == [QUERY]

        fed.world.edit(page, {"Kind": "Food", "Name": "back"})
        fed.run()
        assert fed.container.records[other].fields["title"] == "back"

    def test_one_that_leaves_it_for_good_loses_its_link_if_the_task_says_so(self, fed: Fed) -> None:
        fed.rules = replace(RULES, out_of_scope=OutOfScopePolicy.UNLINK)
        page = next(iter(fed.state.ids))
        other = fed.state.ids[page]
        fed.world.edit(page, {"Kind": "Other"})
        for _ in range(3):
            fed.now += RULES.full_every
            fed.run()
        assert page not in fed.state.ids
        assert other in fed.container.records

    def test_a_look_at_a_row_that_does_not_pass_brings_nothing_in(self, fed: Fed) -> None:
        page = fed.world.add({"Name": "bus", "Kind": "Other"})
        fed.store.looks.add((Side.NOTION, page))
        fed.run(Wish(looks=True))
        assert "bus" not in {record.fields["title"] for record in fed.container.records.values()}

    def test_one_that_notion_does_not_take_is_a_mistake_in_the_settings(self, world: NotionWorld) -> None:
        fed = Fed(world, place={"filter": {"property": "Nothing", "select": {"equals": "Food"}}})
        with pytest.raises(SettingsError, match="filter"):
            fed.run()


class TestParts:
    """A listing that is longer than a slice, or that is broken off, goes on where it was."""

    @pytest.fixture
    def api(self, world: NotionWorld) -> Iterator[Api]:
        connection = NotionConnection.model_validate({"token": world.token, "url": world.server.url})
        api = Api(connection, LocalBudget())
        yield api
        api.close()

    def test_rows_that_are_made_and_edited_meanwhile_are_there_once(
        self, world: NotionWorld, api: Api
    ) -> None:
        made = [world.add({"Name": str(number)}) for number in range(250)]
        listing, found = Listing(api, world.source, ["title"]), list[str]()
        rows, at, is_end = listing.part(Progress(), 1)
        found += [row["id"] for row in rows]
        made.append(world.add({"Name": "made meanwhile"}))
        while not is_end:
            world.edit(made[10], {"Name": f"edited {len(found)}"})
            world.edit(made[240], {"Name": f"edited {len(found)}"})
            rows, at, is_end = listing.part(at, 1)
            found += [row["id"] for row in rows]
        assert sorted(found) == sorted(made)

    def test_a_cursor_that_has_expired_goes_on_by_the_time_of_creation(
        self, world: NotionWorld, api: Api
    ) -> None:
        made = [world.add({"Name": str(number)}) for number in range(250)]
        listing = Listing(api, world.source, ["title"])
        rows, at, _ = listing.part(Progress(), 1)
        at.start = "has expired"
        rest, _, is_end = listing.part(at)
        assert sorted(row["id"] for row in [*rows, *rest]) == sorted(made)
        assert is_end

    def test_one_that_breaks_off_gives_what_it_has_and_goes_on_later(self, tmp_path: Path) -> None:
        broken = [True]

        def reply(asked: Asked) -> Answer:
            if not asked.path.endswith("/query"):
                return schema()
            start = asked.body.get("start_cursor")
            if start == "b" and broken:
                broken.pop()
                return Answer(503, error(503, "service_unavailable"))
            rows, cursor = {None: ("one", "a"), "a": ("two", "b"), "b": ("three", None)}[start]
            shown = {"results": [page(id=rows)], "has_more": cursor is not None, "next_cursor": cursor}
            return Answer(body={"object": "list", **shown})

        with scripted(reply) as script:
            first = open_service(script.url, tmp_path)
            part = first.fetch()
            first.close()
            second = open_service(script.url, tmp_path)  # in another worker
            rest = second.fetch(part.more)
            second.close()

        assert [record.id for record in part.records] == ["one", "two"]
        assert not part.complete
        assert [record.id for record in rest.records] == ["three"]
        assert rest.complete
        assert rest.more is None

    def test_one_that_fails_at_its_beginning_is_an_error(self, tmp_path: Path) -> None:
        def reply(asked: Asked) -> Answer:
            is_query = asked.path.endswith("/query")
            return Answer(503, error(503, "service_unavailable")) if is_query else schema()

        with scripted(reply) as script:
            service = open_service(script.url, tmp_path)
            with pytest.raises(LaterError):
                service.fetch()
            service.close()
