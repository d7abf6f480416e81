from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Api, titled
from tests.sandbox.replay import Clock

START = datetime(2026, 6, 27, 17, 1, 30, tzinfo=UTC)  # a Saturday

Rows = dict[str, str]


@pytest.fixture
def rows(api: Api, notion: Notion, clock: Clock) -> Rows:
    """Three rows made a minute apart, and an empty one."""
    values: list[dict[str, Any]] = [
        {
            "Task": "Bread",
            "Effort": 1,
            "State": "Done",
            "Done": True,
            "Due": "2026-06-27",
            "Tags": ["a", "b"],
        },
        {
            "Task": "apple",
            "Effort": 3,
            "State": "In progress",
            "Due": datetime(2026, 6, 28, 9, 30, tzinfo=UTC),
        },
        {"Task": "Milk", "Effort": 2, "Kind": "Home", "Tags": ["b"], "Who": [notion.person], "Files": ["f"]},
        {},
    ]
    made = {}
    for minutes, row in enumerate(values):
        clock.advance_to(START + timedelta(minutes=minutes))
        made[row.get("Task", "")] = notion.add_page(api.table, row)
    return made


def p(name: str, kind: str, **condition: Any) -> dict[str, Any]:
    return {"property": name, kind: condition}


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    (p("Effort", "number", equals=2), ["Milk"]),
    (p("Effort", "number", does_not_equal=2), ["Bread", "apple", ""]),
    (p("Effort", "number", greater_than=1), ["apple", "Milk"]),
    (p("Effort", "number", greater_than_or_equal_to=1), ["Bread", "apple", "Milk"]),
    (p("Effort", "number", less_than=2), ["Bread"]),
    (p("Effort", "number", less_than_or_equal_to=2), ["Bread", "Milk"]),
    (p("Effort", "number", is_empty=True), [""]),
    (p("Effort", "number", is_not_empty=True), ["Bread", "apple", "Milk"]),
    (p("Done", "checkbox", equals=True), ["Bread"]),
    (p("Done", "checkbox", does_not_equal=True), ["apple", "Milk", ""]),
    (p("State", "status", equals="Done"), ["Bread"]),
    (p("State", "status", does_not_equal="Done"), ["apple", "Milk", ""]),
    (p("State", "status", is_empty=True), ["Milk", ""]),
    (p("Kind", "select", equals="Home"), ["Milk"]),
    (p("Tags", "multi_select", contains="b"), ["Bread", "Milk"]),
    (p("Files", "files", is_not_empty=True), ["Milk"]),
    (p("Task", "title", contains="AP"), ["apple"]),
    (p("Due", "date", equals="2026-06-28"), ["apple"]),
    (p("Due", "date", equals="2026-06-28T09:30:59Z"), ["apple"]),
    (p("Due", "date", before="2026-06-28"), ["Bread"]),
    (p("Due", "date", on_or_after="2026-06-27T00:00:00Z"), ["Bread", "apple"]),
    (p("Due", "date", after="2026-06-27T00:00:00Z"), ["apple"]),
    (p("Due", "date", this_week={}), ["Bread"]),
    (p("Due", "date", next_week={}), ["Bread", "apple"]),
    (p("Due", "date", past_week={}), ["Bread"]),
    (p("Due", "date", this_month={}), ["Bread", "apple"]),
    (p("Due", "date", this_year={}), ["Bread", "apple"]),
    (p("Number", "unique_id", greater_than=2), ["Milk", ""]),
    (p("Made", "created_time", before="2026-06-27T17:03:00Z"), ["Bread", "apple"]),
    ({"timestamp": "created_time", "created_time": {"on_or_after": "2026-06-27T17:03:59Z"}}, ["Milk", ""]),
    ({"timestamp": "last_edited_time", "last_edited_time": {"equals": "2026-06-27T17:01:00Z"}}, ["Bread"]),
    ({"and": [p("Effort", "number", greater_than=1), p("Effort", "number", less_than=3)]}, ["Milk"]),
    ({"or": [p("Effort", "number", equals=1), p("Effort", "number", equals=3)]}, ["Bread", "apple"]),
    (
        {
            "and": [
                p("Done", "checkbox", equals=False),
                {"or": [p("Effort", "number", equals=n) for n in (1, 2)]},
            ]
        },
        ["Milk"],
    ),
]


@pytest.mark.parametrize(("condition", "expected"), FILTERS, ids=[str(f[0]) for f in FILTERS])
@pytest.mark.usefixtures("rows")
def test_a_filter_finds_its_rows(api: Api, condition: dict[str, Any], expected: list[str]) -> None:
    assert api.found(filter=condition) == expected[::-1]  # newest first


def test_people_are_found_by_id(api: Api, notion: Notion, rows: Rows) -> None:
    assert rows
    assert api.found(filter=p("Who", "people", contains=notion.person)) == ["Milk"]
    assert api.found(filter=p("Maker", "created_by", does_not_contain=notion.person)) == []


SORTS: list[tuple[list[dict[str, str]], list[str]]] = [
    ([{"property": "Task", "direction": "ascending"}], ["apple", "Bread", "Milk", ""]),
    ([{"property": "Task", "direction": "descending"}], ["Milk", "Bread", "apple", ""]),
    ([{"property": "Effort", "direction": "descending"}], ["apple", "Milk", "Bread", ""]),
    ([{"property": "Due", "direction": "ascending"}], ["Bread", "apple", "", "Milk"]),
    ([{"property": "State", "direction": "ascending"}], ["apple", "Bread", "", "Milk"]),
    ([{"timestamp": "created_time", "direction": "ascending"}], ["Bread", "apple", "Milk", ""]),
    ([{"timestamp": "last_edited_time", "direction": "descending"}], ["", "Milk", "apple", "Bread"]),
    (
        [{"property": "Done", "direction": "descending"}, {"property": "Effort", "direction": "ascending"}],
        ["Bread", "Milk", "apple", ""],
    ),
]


@pytest.mark.parametrize(("sorts", "expected"), SORTS, ids=[str(sort[0]) for sort in SORTS])
@pytest.mark.usefixtures("rows")
def test_rows_come_in_the_order_that_is_asked(api: Api, sorts: Any, expected: list[str]) -> None:
    assert api.found(sorts=sorts) == expected


@pytest.mark.usefixtures("rows")
def test_an_edit_moves_only_the_time_of_the_edit(api: Api, notion: Notion, rows: Rows, clock: Clock) -> None:
    clock.advance_to(START + timedelta(minutes=10))
    notion.edit_page(rows["Bread"], {"Effort": 9})
    since = {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-06-27T17:11:00Z"}}
    assert api.found(filter=since) == ["Bread"]
    since = {"timestamp": "created_time", "created_time": {"on_or_after": "2026-06-27T17:11:00Z"}}
    assert api.found(filter=since) == []


@pytest.mark.parametrize(
    "body",
    [
        {"page_size": 0},
        {"page_size": -1},
        {"page_size": "many"},
        {"start_cursor": "x"},
        {"filter": p("Color", "select", equals="red")},
        {"filter": p("Effort", "rich_text", equals="1")},
        {"filter": p("Effort", "number", about=1)},
        {"filter": p("State", "status", equals="Blocked")},
        {"filter": p("Due", "date", equals="tomorrow")},
        {"filter": {"property": "Effort"}},
        {"filter": {"timestamp": "created_time"}},
        {"filter": {"and": [{"or": [{"and": [p("Effort", "number", equals=1)]}]}]}},
        {"sorts": [{"property": "Color"}]},
        {"sorts": [{"property": "Task", "direction": "up"}]},
        {"in_trash": True},
    ],
)
@pytest.mark.usefixtures("rows")
def test_a_wrong_query_is_refused(api: Api, body: dict[str, Any]) -> None:
    answer = api.query(**body)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


def scan(api: Api, size: int, **body: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = api.query(page_size=size, **body, **cursor).json()
        pages.append([titled(row) for row in answer["results"]])
        if not answer["has_more"]:
            assert answer["next_cursor"] is None
            return pages
        cursor = {"start_cursor": answer["next_cursor"]}


@pytest.mark.usefixtures("rows")
def test_cursors_lead_through_all_rows_once(api: Api) -> None:
    by_name = [{"property": "Task", "direction": "ascending"}]
    assert scan(api, 3, sorts=by_name) == [["apple", "Bread", "Milk"], [""]]
    assert scan(api, 2, filter=p("Effort", "number", is_not_empty=True)) == [["Milk", "apple"], ["Bread"]]


@pytest.mark.parametrize("gone", ["apple", "Bread"])
def test_a_cursor_survives_the_end_of_its_row(api: Api, notion: Notion, rows: Rows, gone: str) -> None:
    # given a scan that stands before two more rows
    first = api.query(page_size=2).json()
    # when one of them goes
    notion.trash_page(rows[gone])
    # then the scan goes on with the other
    rest = api.query(page_size=2, start_cursor=first["next_cursor"]).json()
    assert [titled(row) for row in rest["results"]] == [{"apple": "Bread", "Bread": "apple"}[gone]]


def test_a_page_holds_100_rows_at_most(api: Api, notion: Notion) -> None:
    for number in range(101):
        notion.add_page(api.table, {"Task": str(number)})
    assert [len(page) for page in scan(api, 1000)] == [100, 1]


@pytest.mark.usefixtures("rows")
def test_a_query_ends_at_its_limit_and_says_so(api: Api, notion: Notion) -> None:
    # given
    notion.row_limit = 3
    # when
    first = api.query(page_size=2).json()
    last = api.query(page_size=2, start_cursor=first["next_cursor"]).json()
    # then
    assert "request_status" not in first
    assert (len(last["results"]), last["has_more"]) == (1, False)
    assert last["request_status"]["type"] == "incomplete"


def test_search_finds_by_words_and_kind(api: Api, notion: Notion) -> None:
    notion.add_page(api.table, {"Task": "Task of today"})
    found = api.http.post("/v1/search", json={"query": "tasks"}).json()["results"]
    assert {item["object"] for item in found} == {"page", "data_source"}
    only = {"filter": {"property": "object", "value": "data_source"}}
    assert [i["id"] for i in api.http.post("/v1/search", json=only).json()["results"]] == [api.table]
    assert api.http.post("/v1/search", json={"query": "nothing"}).json()["results"] == []
    assert api.http.post("/v1/search", json={"filter": {"value": "database"}}).status_code == 400


@pytest.mark.parametrize("direction", [[], {}, "sideways", None])
def test_a_sort_in_no_direction_is_refused(api: Api, direction: Any) -> None:
    assert api.query(sorts=[{"property": "Task", "direction": direction}]).status_code == 400
