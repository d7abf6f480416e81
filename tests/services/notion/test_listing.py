"""Full listings: through pages, past the row limit, and never a part taken for the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import LaterError, MovedError, SettingsError, UnknownOutcomeError
from sync_workers.services.base import Mapped, OutOfScope
from tests.services.notion.calls import BREAD, MAPPED, PAGE, error, open_service, page, schema, scripted_calls
from tests.services.notion.scripted_server import Answer, Asked, scripted
from tests.services.notion.world import NotionWorld, notion_world

START = datetime(2026, 1, 1, tzinfo=UTC)


def listing(*rows: dict[str, Any], cursor: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "object": "list",
        "results": list(rows),
        "has_more": cursor is not None,
        "next_cursor": cursor,
        **more,
    }


def fetch(tmp_path: Path, reply: Callable[[Asked], Answer]) -> tuple[list[str], list[Asked]]:
    """What one listing brings from a server that answers its queries so, and what it asked."""

    def answer(asked: Asked) -> Answer:
        if not asked.path.endswith("/query"):
            return schema()
        return Answer(body=listing(page())) if asks_for_newest(asked) else reply(asked)

    with scripted(answer) as script:
        service = open_service(script.url, tmp_path, MAPPED)
        try:
            parts = [service.fetch()]
            while (more := parts[-1].more) is not None:
                parts.append(service.fetch(more))
        finally:
            service.close()
        asked = [a for a in script.asked if a.path.endswith("/query") and not asks_for_newest(a)]
        return [record.id for part in parts for record in part.records], asked


def asks_for_newest(asked: Asked) -> bool:
    """The look at what the newest edit is, when a listing begins that is longer than a page."""
    return bool(asked.body["page_size"] == 1)


class TestPages:
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[NotionWorld]:
        with notion_world(tmp_path) as world:
            yield world

    @pytest.mark.parametrize("number", [99, 100, 101, 250])
    def test_every_row_comes_once_in_the_order_of_creation(self, world: NotionWorld, number: int) -> None:
        made = [world.add({"Name": str(place)}) for place in range(number)]
        fetched = world.open(Mapped(("Name",))).fetch()
        assert sorted(record.id for record in fetched.records) == sorted(made)
        assert fetched.complete
        assert fetched.cursor is not None

    def test_a_row_that_is_shown_twice_stands_twice(self, tmp_path: Path) -> None:
        answers = iter([listing(page(), cursor="next"), listing(page())])
        ids, _ = fetch(tmp_path, lambda _: Answer(body=next(answers)))
        assert ids == [PAGE, PAGE]

    def test_a_page_with_few_or_no_rows_does_not_end_it(self, tmp_path: Path) -> None:
        answers = iter([listing(cursor="a"), listing(page(id="one"), cursor="b"), listing(page(id="two"))])
        ids, asked = fetch(tmp_path, lambda _: Answer(body=next(answers)))
        assert ids == ["one", "two"]
        assert [a.body.get("start_cursor") for a in asked] == [None, "a", "b"]

    def test_data_sources_of_a_wiki_are_no_rows(self, tmp_path: Path) -> None:
        nested = {"object": "data_source", "id": "x"}
        ids, _ = fetch(tmp_path, lambda _: Answer(body=listing(nested, page())))
        assert ids == [PAGE]

    @pytest.mark.parametrize("cursor", [None, "", 3])
    def test_more_without_a_place_to_go_on_is_never_the_end(self, tmp_path: Path, cursor: Any) -> None:
        body = {**listing(page()), "has_more": True, "next_cursor": cursor}
        with pytest.raises(LaterError, match="go on"):
            fetch(tmp_path, lambda _: Answer(body=body))

    def test_a_cursor_that_leads_to_itself_is_no_endless_loop(self, tmp_path: Path) -> None:
        with pytest.raises(LaterError):
            fetch(tmp_path, lambda _: Answer(body=listing(page(), cursor="same")))

    @pytest.mark.parametrize("fault", [500, 502])
    def test_a_page_that_fails_fails_the_listing(self, tmp_path: Path, fault: int) -> None:
        def reply(asked: Asked) -> Answer:
            is_first = "start_cursor" not in asked.body
            return Answer(body=listing(page(), cursor="next")) if is_first else failed

        failed = Answer(fault, error(fault, "rate_limited"))
        with pytest.raises(LaterError):
            fetch(tmp_path, reply)


class TestLongValues:
    """A page shows the first 25 of some lists; the rest is asked for, through all pages of it."""

    @pytest.mark.parametrize(
        ("kind", "item", "expected"),
        [
            ("people", lambda number: {"object": "user", "id": str(number)}, [str(n) for n in range(40)]),
            ("relation", lambda number: {"id": str(number)}, [str(n) for n in range(40)]),
            (
                "rich_text",
                lambda number: {"type": "mention", "plain_text": f"{number} "},
                "".join(f"{n} " for n in range(40)),
            ),
        ],
    )
    def test_it_is_whole(
        self, tmp_path: Path, kind: str, item: Callable[[int], dict[str, Any]], expected: Any
    ) -> None:
        shown = {"id": "a%3Fb", "type": kind, kind: [item(n) for n in range(25)], "has_more": True}
        items = [{"object": "property_item", "type": kind, kind: item(n)} for n in range(40)]
        source = {"Long": {"id": "a%3Fb", "name": "Long", "type": kind, kind: {}}}

        def reply(asked: Asked) -> Answer:
            if "/properties/" in asked.path:
                second = "start_cursor" in asked.query
                return Answer(body=listing(*items[30:]) if second else listing(*items[:30], cursor="next"))
            if asked.path.endswith("/query"):
                return Answer(body=listing(page(properties={"Renamed": shown})))
            return Answer(body={"object": "data_source", "properties": source})

        with scripted(reply) as script:
            service = open_service(script.url, tmp_path, Mapped(("Long",)))
            (record,) = service.fetch().records
            service.close()

        assert record.fields == {"Long": expected}
        assert [a.path for a in script.asked[2:]] == [f"/v1/pages/{PAGE}/properties/a%3Fb"] * 2


class TestUnreadableRows:
    """R8: a row that cannot be read stops itself only, and is never taken for gone."""

    @pytest.fixture
    def shown(self) -> dict[str, Any]:
        title = {"id": "title", "type": "title", "title": [{"type": "text", "text": {"content": "secret"}}]}
        return page(properties={**page()["properties"], "Name": title})

    def test_the_others_are_listed_and_it_is_named(self, tmp_path: Path, shown: dict[str, Any]) -> None:
        with scripted_calls(tmp_path) as calls:
            calls.faults = {"read": Answer(body=listing(page(id="good"), shown))}
            fetched = calls.service.fetch()
        assert [record.id for record in fetched.records] == ["good"]
        assert list(fetched.unreadable) == [PAGE]
        assert "Name" in fetched.unreadable[PAGE]
        assert "secret" not in fetched.unreadable[PAGE]

    def test_a_value_that_cannot_be_read_hides_its_field_alone(self, tmp_path: Path) -> None:
        late = {"start": "10000-01-01", "end": None, "time_zone": None}
        properties = {**page()["properties"], "Due Date": {"id": "Mn%3CA", "type": "date", "date": late}}
        with scripted_calls(tmp_path) as calls:
            calls.faults = {"read": Answer(body=listing(page(properties=properties)))}
            (record,) = calls.service.fetch().records
        assert dict(record.fields) == {"Name": "Bread"}
        assert list(record.about.unread) == ["Due Date"]
        assert "10000" not in record.about.unread["Due Date"]

    @pytest.mark.parametrize("status", [400, 404])
    def test_a_page_that_goes_before_it_is_read_whole_ends_no_run(self, tmp_path: Path, status: int) -> None:
        long = {"id": "a", "type": "relation", "relation": [], "has_more": True}
        short = {**long, "has_more": False}

        def reply(asked: Asked) -> Answer:
            if "/properties/" in asked.path:
                return Answer(status, error(status, "object_not_found"))
            if asked.path.endswith("/query"):
                rows = (page(properties={"Shop": long}), page(id="good", properties={"Shop": short}))
                return Answer(body=listing(*rows))
            source = {"Shop": {"id": "a", "name": "Shop", "type": "relation", "relation": {}}}
            return Answer(body={"object": "data_source", "properties": source})

        with scripted(reply) as script:
            service = open_service(script.url, tmp_path, Mapped(("Shop",)))
            fetched = service.fetch()
            service.close()

        assert [record.id for record in fetched.records] == ["good"]
        assert list(fetched.unreadable) == [PAGE]

    def test_it_is_out_of_scope_and_not_written(self, tmp_path: Path, shown: dict[str, Any]) -> None:
        with scripted_calls(tmp_path) as calls:
            calls.faults = {"read": Answer(body=shown)}
            assert isinstance(calls.service.read([PAGE])[PAGE], OutOfScope)
            with pytest.raises(MovedError):
                calls.service.update(BREAD, {"Name": "Milk"})
            with pytest.raises(MovedError):
                calls.service.delete(BREAD)

    def test_one_that_a_write_made_is_an_unknown_outcome(self, tmp_path: Path, shown: dict[str, Any]) -> None:
        with scripted_calls(tmp_path) as calls:
            calls.faults = {"write": Answer(body=shown)}
            with pytest.raises(UnknownOutcomeError):
                calls.service.create({"Name": "Bread"}, "one")


class TestRowLimit:
    """Notion gives 10,000 rows a query and then says `incomplete`, without an error."""

    def test_rows_beyond_the_limit_are_found_and_come_once(self, tmp_path: Path) -> None:
        moments = iter(START + timedelta(seconds=20 * number) for number in range(10_000))
        with notion_world(tmp_path, lambda: next(moments)) as world:
            made = [world.add({"Name": str(place)}) for place in range(95)]
            world.notion.row_limit = 20
            fetched = world.open(Mapped(("Name",))).fetch()
        assert sorted(record.id for record in fetched.records) == sorted(made)
        assert fetched.complete

    def test_as_many_rows_as_the_limit_are_complete(self, tmp_path: Path) -> None:
        moments = iter(START + timedelta(minutes=number) for number in range(10_000))
        with notion_world(tmp_path, lambda: next(moments)) as world:
            made = [world.add({"Name": str(place)}) for place in range(20)]
            world.notion.row_limit = 20
            assert [record.id for record in world.open().fetch().records] == made

    def test_more_rows_in_one_minute_than_a_query_gives_is_an_error(self, tmp_path: Path) -> None:
        with notion_world(tmp_path, lambda: START) as world:
            for place in range(30):
                world.add({"Name": str(place)})
            world.notion.row_limit = 20
            with pytest.raises(SettingsError, match="minute"):
                world.open().fetch()

    def test_an_incomplete_listing_without_rows_is_an_error(self, tmp_path: Path) -> None:
        body = listing(
            request_status={"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
        )
        with pytest.raises(SettingsError):
            fetch(tmp_path, lambda _: Answer(body=body))

    def test_a_listing_that_says_it_is_complete_is(self, tmp_path: Path) -> None:
        ids, asked = fetch(
            tmp_path, lambda _: Answer(body=listing(page(), request_status={"type": "complete"}))
        )
        assert ids == [PAGE]
        assert len(asked) == 1


class TestSlowQueries:
    def test_a_query_that_takes_too_long_asks_for_fewer_rows_and_stays_there(self, tmp_path: Path) -> None:
        answers = iter([listing(page(id="one"), cursor="next"), listing(page(id="two"))])

        def reply(asked: Asked) -> Answer:
            slow = asked.body["page_size"] > 25
            return Answer(504, error(504, "gateway_timeout")) if slow else Answer(body=next(answers))

        ids, asked = fetch(tmp_path, reply)

        assert ids == ["one", "two"]
        assert [a.body["page_size"] for a in asked] == [100, 50, 25, 25]

    def test_one_that_is_always_too_slow_is_tried_later(self, tmp_path: Path) -> None:
        with pytest.raises(LaterError):
            fetch(tmp_path, lambda _: Answer(504, b""))
