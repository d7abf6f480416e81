"""A page that moves keeps its id; as a row of another table it keeps what that table has room for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Api, title

COLUMNS: dict[str, Any] = {
    "Name": "title",
    "Note": "rich_text",
    "Effort": "rich_text",
    "Kind": ["Garden"],
    "Tags": "multi_select",
    "State": {"status": {"options": [{"name": "Open"}, {"name": "Done"}]}},
    "Number": {"unique_id": {"prefix": "O"}},
}


def move(http: httpx.Client, row: str, /, **parent: Any) -> httpx.Response:
    return http.post(f"/v1/pages/{row}/move", json={"parent": parent})


def test_a_page_moves_under_another_page(http: httpx.Client, notion: Notion) -> None:
    made = []
    for name in ("Bread", "Shelf"):
        body = {"parent": {"page_id": notion.root}, "properties": {"title": title(name)}}
        made.append(http.post("/v1/pages", json=body).json()["id"])
    moved = move(http, made[0], page_id=made[1]).json()
    assert (moved["id"], moved["parent"]) == (made[0], {"type": "page_id", "page_id": made[1]})
    # where it stands as a block, and no more on its old page
    on = [http.get(f"/v1/blocks/{above}/children").json()["results"] for above in (made[1], notion.root)]
    assert [[block["id"] for block in blocks if block["id"] in made] for blocks in on] == [made[:1], made[1:]]
    # but not under itself
    assert move(http, made[1], page_id=made[0]).status_code == 400


def test_a_row_moves_to_another_table(api: Api, notion: Notion) -> None:
    # given
    other = notion.add_database("Other", COLUMNS)
    notion.add_page(other, {"Name": "First"})
    values = {"Task": "Bread", "Note": "Rye", "Effort": 2, "Kind": "Work", "Tags": ["a"], "State": "Done"}
    row = notion.add_page(api.table, values)
    # when
    moved = move(api.http, row, type="data_source_id", data_source_id=other).json()
    # then it left the one and is in the other
    assert moved["parent"]["data_source_id"] == other
    assert api.found() == []
    assert [r.id for r in notion.pages(other)][-1] == row
    # with what has the same name and type there; options go by name
    kept = notion.page(row).values
    assert [kept[name] for name in ("Name", "Note", "Kind", "Tags", "State")] == [
        "Bread",
        "Rye",
        "Work",
        ["a"],
        "Done",
    ]
    assert (kept["Effort"], kept["Number"]) == ("", "O-2")


def test_a_status_that_the_table_does_not_know_is_lost(api: Api, notion: Notion) -> None:
    other = notion.add_database("Other", COLUMNS)
    row = notion.add_page(api.table, {"Task": "Bread", "State": "In progress"})
    notion.move_page(row, other)
    assert notion.page(row).values["State"] is None


@pytest.mark.parametrize("parent", [{}, {"workspace": True}, {"page_id": "first"}])
def test_a_move_to_nowhere_is_refused(api: Api, notion: Notion, parent: dict[str, Any]) -> None:
    row = notion.add_page(api.table, {"Task": "Bread"})
    assert move(api.http, row, **parent).json()["code"] == "validation_error"
    assert api.found() == ["Bread"]


def test_what_is_in_the_trash_does_not_move(api: Api, notion: Notion) -> None:
    row = notion.add_page(api.table, {"Task": "Bread"})
    notion.trash_page(row)
    assert move(api.http, row, page_id=notion.root).status_code == 400
