from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Api, title
from tests.sandbox.replay import Clock


def test_times_of_change_are_floored_to_the_minute(api: Api, clock: Clock) -> None:
    # given a row made in the last second of a minute
    clock.advance_to(datetime(2026, 6, 27, 17, 1, 59, 999999, tzinfo=UTC))
    page = api.create(Task=title("Bread")).json()
    assert (page["created_time"], page["last_edited_time"]) == ("2026-06-27T17:01:00.000Z",) * 2
    # when it is edited one second later
    clock.advance_to(clock.now + timedelta(seconds=1))
    edited = api.update(page["id"], Task=title("Milk")).json()
    # then only the time of the edit has moved, to the next minute
    assert edited["created_time"] == "2026-06-27T17:01:00.000Z"
    assert edited["last_edited_time"] == "2026-06-27T17:02:00.000Z"
    assert edited["properties"]["Edited"]["last_edited_time"] == "2026-06-27T17:02:00.000Z"


@pytest.mark.parametrize(
    ("written", "start"),
    [
        ({"start": "2026-01-31"}, "2026-01-31"),
        (
            {"start": "2026-06-27T18:01:15.377824", "time_zone": "Europe/London"},
            "2026-06-27T18:01:00.000+01:00",
        ),
        ({"start": "2026-01-27T18:01:59", "time_zone": "Europe/London"}, "2026-01-27T18:01:00.000+00:00"),
        ({"start": "2026-06-27T18:01:59Z"}, "2026-06-27T18:01:00.000+00:00"),
        ({"start": "2026-06-27T18:01:59.999-07:00"}, "2026-06-27T18:01:00.000-07:00"),
        ({"start": "2026-06-27T18:01:59"}, "2026-06-27T18:01:00.000+00:00"),
    ],
)
def test_a_date_is_cut_to_the_minute_and_its_zone_folded_in(
    api: Api, written: dict[str, str], start: str
) -> None:
    shown = api.create(Due={"date": written}).json()["properties"]["Due"]["date"]
    assert shown == {"start": start, "end": None, "time_zone": None}


def test_a_span_keeps_both_ends(api: Api) -> None:
    shown = api.create(Due={"date": {"start": "2026-01-01", "end": "2026-01-03"}}).json()
    assert shown["properties"]["Due"]["date"]["end"] == "2026-01-03"


VALUES: list[tuple[str, Any, Any]] = [
    ("Effort", {"number": 2.5}, 2.5),
    ("Kind", {"select": {"name": "work"}}, "Work"),
    ("State", {"status": {"name": "Done"}}, "Done"),
    ("Tags", {"multi_select": [{"name": "a"}, {"name": "b"}, {"name": "A"}]}, ["a", "b"]),
    ("Done", {"checkbox": True}, True),
    ("Link", {"url": "https://example.com"}, "https://example.com"),
    ("Mail", {"email": "a@example.com"}, "a@example.com"),
    ("Phone", {"phone_number": "+1 2"}, "+1 2"),
    ("Note", {"rich_text": [{"text": {"content": "a"}}, {"text": {"content": ""}}]}, "a"),
    ("Files", {"files": [{"name": "f", "external": {"url": "https://example.com/f"}}]}, ["f"]),
]


@pytest.mark.parametrize(("name", "written", "read"), VALUES, ids=[value[0] for value in VALUES])
def test_a_value_reads_as_it_was_written(
    api: Api, notion: Notion, name: str, written: Any, read: Any
) -> None:
    page = api.create(**{name: written}).json()
    assert notion.page(page["id"]).values[name] == read
    assert api.get(page["id"])["properties"][name] == page["properties"][name]


@pytest.mark.parametrize("name", ["Effort", "Kind", "State", "Due", "Link", "Mail", "Phone"])
def test_null_clears(api: Api, notion: Notion, name: str) -> None:
    # given
    values = {"Effort": 1, "Kind": "Home", "State": "Done", "Due": "2026-01-01"}
    row = notion.add_page(api.table, {**values, "Link": "x", "Mail": "x", "Phone": "x"})
    column = api.get(row)["properties"][name]["type"]
    # when
    api.update(row, **{name: {column: None}})
    # then
    assert api.get(row)["properties"][name][column] is None


def test_properties_are_reached_by_id_and_survive_renaming(api: Api, notion: Notion) -> None:
    # given
    row = notion.add_page(api.table, {"Task": "Bread", "Effort": 1})
    effort = api.get(row)["properties"]["Effort"]["id"]
    # when
    body = {"properties": {effort: {"name": "Hours"}}}
    api.http.patch(f"/v1/data_sources/{api.table}", json=body)
    api.update(row, **{effort: {"number": 7}})
    # then
    assert api.get(row)["properties"]["Hours"] == {"id": effort, "type": "number", "number": 7}


def test_a_new_select_name_makes_an_option_without_editing_the_schema(api: Api, notion: Notion) -> None:
    before = api.http.get(f"/v1/data_sources/{api.table}").json()
    api.create(Kind={"select": {"name": "Garden"}})
    after = api.http.get(f"/v1/data_sources/{api.table}").json()
    options = [option["name"] for option in after["properties"]["Kind"]["select"]["options"]]
    assert options == ["Home", "Work", "Garden"]
    assert after["last_edited_time"] == before["last_edited_time"]
    assert notion.tables()[0].columns[3].options == options


def test_the_trash_keeps_a_page_but_not_in_queries(api: Api, notion: Notion) -> None:
    # given
    row = notion.add_page(api.table, {"Task": "Bread"})
    # when
    trashed = api.patch(row, in_trash=True).json()
    # then
    assert trashed["in_trash"] is True
    assert api.get(row)["in_trash"] is True
    assert api.found() == []
    # and brought back
    assert api.patch(row, in_trash=False).json()["in_trash"] is False
    assert api.found() == ["Bread"]


def test_a_page_in_the_trash_cannot_be_edited(api: Api, notion: Notion) -> None:
    row = notion.add_page(api.table, {"Task": "Bread"})
    notion.trash_page(row)
    for answer in (api.update(row, Task=title("Milk")), api.patch(row, in_trash=True)):
        assert answer.status_code == 400
        assert answer.json()["message"].startswith("Can't edit block that is archived")
    assert notion.page(row).values["Task"] == "Bread"


def test_an_archived_row_is_shown_only_when_asked_for(api: Api, notion: Notion) -> None:
    row = notion.add_page(api.table, {"Task": "Bread"})
    api.patch(row, is_archived=True)
    assert api.found() == []
    assert api.found(is_archived=True) == ["Bread"]
    assert api.get(row)["in_trash"] is False


def test_a_database_goes_into_the_trash_as_a_block(api: Api, notion: Notion) -> None:
    database = api.http.get(f"/v1/data_sources/{api.table}").json()["parent"]["database_id"]
    block = api.http.delete(f"/v1/blocks/{database}").json()
    assert (block["type"], block["in_trash"]) == ("child_database", True)
    assert api.http.get(f"/v1/databases/{database}").json()["in_trash"] is True
    assert api.http.get(f"/v1/data_sources/{api.table}").json()["in_trash"] is True
    assert api.query().status_code == 404
    assert api.create(Task=title("Bread")).status_code == 404
    assert notion.tables() == []


def test_a_row_can_be_made_by_the_id_of_its_database(api: Api) -> None:
    database = api.http.get(f"/v1/data_sources/{api.table}").json()["parent"]["database_id"]
    body = {"parent": {"database_id": database}, "properties": {"Task": title("Bread")}}
    page = api.http.post("/v1/pages", json=body).json()
    assert page["parent"] == {"type": "data_source_id", "data_source_id": api.table, "database_id": database}
    # but not when there are two tables
    two = api.http.post("/v1/data_sources", json={"parent": {"database_id": database}}).json()
    assert two["properties"].keys() == {"Name"}
    assert len(api.http.get(f"/v1/databases/{database}").json()["data_sources"]) == 2
    assert api.http.post("/v1/pages", json=body).status_code == 400


def test_pages_and_blocks_stand_on_pages(api: Api, notion: Notion) -> None:
    # given
    body = {"parent": {"page_id": notion.root}, "properties": {"title": title("Notes")}}
    page = api.http.post("/v1/pages", json=body).json()
    # when
    paragraph = {"type": "paragraph", "paragraph": {"rich_text": [{"text": {"content": "Hello"}}]}}
    made = api.http.patch(f"/v1/blocks/{page['id']}/children", json={"children": [paragraph]}).json()
    # then
    children = api.http.get(f"/v1/blocks/{page['id']}/children").json()["results"]
    assert children == made["results"]
    assert (
        api.http.get(f"/v1/blocks/{children[0]['id']}").json()["paragraph"]["rich_text"][0]["plain_text"]
        == "Hello"
    )
    assert api.http.get(f"/v1/blocks/{page['id']}").json()["child_page"] == {"title": "Notes"}
    # and in the trash they are not listed
    api.http.delete(f"/v1/blocks/{children[0]['id']}")
    assert api.http.get(f"/v1/blocks/{page['id']}/children").json()["results"] == []
    assert api.http.delete(f"/v1/blocks/{page['id']}").json()["in_trash"] is True


def test_the_one_who_wrote_is_named(api: Api, notion: Notion) -> None:
    row = notion.add_page(api.table, {"Task": "Bread"})
    bot = api.http.get("/v1/users/me").json()["id"]
    edited = api.update(row, Task=title("Milk")).json()
    assert edited["created_by"] == {"object": "user", "id": notion.person}
    assert edited["last_edited_by"] == {"object": "user", "id": bot}
    assert edited["properties"]["Editor"]["last_edited_by"]["id"] == bot


def test_only_the_asked_properties_are_shown(api: Api, notion: Notion) -> None:
    row = notion.add_page(api.table, {"Task": "Bread", "Effort": 3})
    effort = api.get(row)["properties"]["Effort"]["id"]
    asked = {"filter_properties": [effort, "title"]}
    assert api.http.get(f"/v1/pages/{row}", params=asked).json()["properties"].keys() == {"Task", "Effort"}
    found = api.http.post(f"/v1/data_sources/{api.table}/query", params=asked, json={}).json()["results"]
    assert found[0]["properties"].keys() == {"Task", "Effort"}
