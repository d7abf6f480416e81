"""Views and their queries; the shapes are those of the official client's types."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Plain
from tests.sandbox.replay import Clock

FULL = {
    *("object", "id", "parent", "name", "type", "created_time", "last_edited_time", "created_by"),
    *("last_edited_by", "url", "data_source_id", "filter", "sorts", "quick_filters", "configuration"),
    "request_id",
}


@pytest.fixture
def database(notion: Notion, tasks: str) -> str:
    return notion.store.data_source(tasks).database_id


def create(plain: Plain, database: str, tasks: str, **more: Any) -> dict[str, Any]:
    body = {"database_id": database, "data_source_id": tasks, "name": "Mine", "type": "table", **more}
    return plain.post("views", **body)


def test_a_new_table_has_a_view_already(plain: Plain, database: str, tasks: str) -> None:
    (listed,) = plain.get("views", database_id=database)["results"]
    assert listed.keys() == {"object", "id"}
    shown = plain.get(f"views/{listed['id']}")
    assert (shown["type"], shown["data_source_id"]) == ("table", tasks)
    assert plain.get("views", data_source_id=tasks)["results"] == [listed]


def test_a_view_goes_its_whole_way(plain: Plain, database: str, tasks: str) -> None:
    # given
    made = create(plain, database, tasks, type="board")
    assert made.keys() == FULL
    assert made["parent"] == {"type": "database_id", "database_id": database}
    # when
    changed = plain.patch(f"views/{made['id']}", name="Ours", sorts=[{"property": "Task"}])
    # then
    assert (changed["name"], changed["sorts"]) == ("Ours", [{"property": "Task"}])
    assert plain.get(f"views/{made['id']}")["name"] == "Ours"
    gone = plain.delete(f"views/{made['id']}")
    assert gone.keys() == {"object", "id", "parent", "type", "request_id"}
    assert plain.get(f"views/{made['id']}")["code"] == "object_not_found"


def test_views_are_listed_page_by_page(plain: Plain, database: str, tasks: str) -> None:
    made = [create(plain, database, tasks)["id"] for _ in range(2)]
    first = plain.get("views", database_id=database, page_size=1)
    rest = plain.get("views", database_id=database, start_cursor=first["next_cursor"])
    assert [view["id"] for view in rest["results"]] == made
    assert (first["has_more"], rest["has_more"]) == (True, False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "pyramid"},
        {"name": None},
        {"database_id": None},
        {"filter": {"property": "Nothing", "number": {"equals": 1}}},
        {"sorts": [{"property": "Nothing"}]},
        {"color": "red"},
    ],
)
def test_a_view_that_cannot_be_is_refused(
    plain: Plain, database: str, tasks: str, wrong: dict[str, Any]
) -> None:
    assert create(plain, database, tasks, **wrong)["code"] == "validation_error"
    assert len(plain.get("views", database_id=database)["results"]) == 1


def test_a_list_of_views_is_of_something(plain: Plain) -> None:
    assert plain.get("views")["code"] == "validation_error"


def test_a_query_shows_what_the_view_shows(plain: Plain, notion: Notion, database: str, tasks: str) -> None:
    # given
    for number in range(5):
        notion.add_page(tasks, {"Task": str(number), "Effort": number})
    view = create(
        plain,
        database,
        tasks,
        filter={"property": "Effort", "number": {"greater_than": 1}},
        sorts=[{"property": "Effort", "direction": "ascending"}],
    )["id"]
    # when
    query = plain.post(f"views/{view}/queries", page_size=2)
    rest = plain.get(f"views/{view}/queries/{query['id']}", start_cursor=query["next_cursor"])
    # then
    rows = [notion.page(row["id"]).values["Task"] for row in query["results"] + rest["results"]]
    assert (rows, query["total_count"]) == (["2", "3", "4"], 3)
    assert (query["has_more"], rest["has_more"], rest["type"]) == (True, False, "page")
    assert "request_status" not in query


def test_a_query_lives_for_a_quarter_of_an_hour(
    plain: Plain, notion: Notion, database: str, clock: Clock
) -> None:
    view = plain.get("views", database_id=database)["results"][0]["id"]
    query = plain.post(f"views/{view}/queries")["id"]
    clock.advance_to(clock.now + timedelta(minutes=14))
    assert plain.get(f"views/{view}/queries/{query}")["object"] == "list"
    clock.advance_to(clock.now + timedelta(minutes=1))
    assert plain.get(f"views/{view}/queries/{query}")["code"] == "object_not_found"
    # deleting it is fine all the same, and it never was a write
    assert plain.delete(f"views/{view}/queries/{query}")["deleted"] is True
    assert [seen.path for seen in notion.writes() if not seen.path.endswith(query)] == []


def test_a_query_of_too_many_rows_says_so(plain: Plain, notion: Notion, database: str, tasks: str) -> None:
    notion.row_limit = 2
    for number in range(3):
        notion.add_page(tasks, {"Task": str(number)})
    view = plain.get("views", database_id=database)["results"][0]["id"]
    query = plain.post(f"views/{view}/queries")
    incomplete = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
    assert (query["total_count"], query["request_status"]) == (2, incomplete)
    assert plain.get(f"views/{view}/queries/{query['id']}")["request_status"] == incomplete
