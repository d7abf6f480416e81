"""What people do to a table behind a client's back, in Python and over the page's own endpoints."""

from __future__ import annotations

from typing import Any

import pytest

from sync_workers.sandbox.errors import Refusal
from sync_workers.sandbox.notion import TOKEN, Notion
from tests.sandbox.conftest import Api, title


def schema(api: Api) -> dict[str, Any]:
    read: dict[str, Any] = api.http.get(f"/v1/data_sources/{api.table}").json()["properties"]
    return read


def control(api: Api, method: str, path: str, body: dict[str, Any]) -> int:
    return api.http.request(method, f"/_sandbox/{path}", json=body).status_code


@pytest.fixture
def row(api: Api, notion: Notion) -> str:
    return notion.add_page(api.table, {"Task": "Bread", "Effort": 2, "Kind": "Home", "State": "Done"})


def test_a_renamed_property_keeps_its_id_and_values(api: Api, notion: Notion, row: str) -> None:
    before = schema(api)["Effort"]["id"]
    notion.table(api.table).rename("Effort", "Hours")
    assert schema(api)["Hours"]["id"] == before
    assert api.get(row)["properties"]["Hours"] == {"id": before, "type": "number", "number": 2}
    # it can be named by its id as well
    notion.table(api.table).rename(before, "Days")
    assert "Effort" not in schema(api)
    # and a client that still writes the old name is told so
    assert api.update(row, Effort={"number": 3}).status_code == 400
    assert api.update(row, **{before: {"number": 3}}).status_code == 200


def test_two_names_change_places(api: Api, notion: Notion) -> None:
    ids = {name: schema(api)[name]["id"] for name in ("Link", "Mail")}
    columns = notion.table(api.table)
    for old, new in (("Link", "Other"), ("Mail", "Link"), ("Other", "Mail")):
        columns.rename(old, new)
    assert {name: schema(api)[name]["id"] for name in ids} == {"Link": ids["Mail"], "Mail": ids["Link"]}
    with pytest.raises(Refusal):
        columns.rename("Mail", "Link")


def test_a_property_of_another_type_keeps_its_id(api: Api, notion: Notion, row: str) -> None:
    before = schema(api)["Effort"]["id"]
    notion.table(api.table).retype("Effort", "checkbox")
    assert (schema(api)["Effort"]["id"], schema(api)["Effort"]["type"]) == (before, "checkbox")
    assert api.get(row)["properties"]["Effort"]["type"] == "checkbox"


def test_a_removed_property_is_gone_and_one_of_the_same_name_is_another(
    api: Api, notion: Notion, row: str
) -> None:
    before = schema(api)["Effort"]["id"]
    columns = notion.table(api.table)
    columns.remove("Effort")
    assert "Effort" not in schema(api)
    columns.add("Effort", "number")
    assert schema(api)["Effort"]["id"] != before
    assert api.get(row)["properties"]["Effort"]["number"] is None


@pytest.mark.parametrize(("column", "new"), [("Kind", "Garden"), ("State", "Waiting"), ("Tags", "a")])
def test_options_come_and_go(api: Api, notion: Notion, column: str, new: str) -> None:
    # given
    kind = schema(api)[column]["type"]
    before = schema(api)[column][kind]["options"]
    # when
    notion.table(api.table).add_option(column, new)
    # then those that were there keep their ids
    options = schema(api)[column][kind]["options"]
    assert options[:-1] == before
    assert options[-1]["name"] == new
    notion.table(api.table).remove_option(column, new)
    assert schema(api)[column][kind]["options"] == before


def test_a_removed_option_leaves_its_rows_empty(api: Api, notion: Notion, row: str) -> None:
    notion.table(api.table).remove_option("Kind", "Home")
    assert api.get(row)["properties"]["Kind"]["select"] is None


def test_an_archived_row_is_in_the_other_partition_and_not_in_the_trash(
    api: Api, notion: Notion, row: str
) -> None:
    notion.archive_page(row)
    assert (api.found(), api.found(is_archived=True)) == ([], ["Bread"])
    read = api.get(row)
    assert (read["is_archived"], read["in_trash"]) == (True, False)
    # archived is not locked: it can be written
    assert api.update(row, Task=title("Milk")).status_code == 200
    notion.archive_page(row, archived=False)
    assert (api.found(), api.found(is_archived=True)) == (["Milk"], [])


def test_all_of_it_can_be_asked_for_over_http(api: Api, notion: Notion, row: str) -> None:
    other = notion.add_database("Other", {"Name": "title"})
    columns = f"data_sources/{api.table}/columns"
    assert control(api, "PATCH", columns, {"Effort": {"name": "Hours"}, "Mail": None}) == 200
    assert ("Hours" in schema(api), "Mail" in schema(api)) == (True, False)
    assert control(api, "POST", f"pages/{row}/archive", {"archived": True}) == 200
    assert api.found(is_archived=True) == ["Bread"]
    assert control(api, "POST", f"pages/{row}/move", {"data_source_id": other}) == 200
    assert [r.id for r in notion.pages(other)] == [row]
    sharing = {"token": TOKEN, "object_id": other}
    assert control(api, "POST", "sharing", {**sharing, "shared": False}) == 200
    assert api.http.get(f"/v1/pages/{row}").status_code == 404
    assert control(api, "POST", "sharing", {**sharing, "shared": True}) == 200
    assert api.http.get(f"/v1/pages/{row}").status_code == 200
    assert control(api, "POST", "capabilities", {"token": TOKEN, "allowed": []}) == 200
    assert api.http.get(f"/v1/pages/{row}").status_code == 403


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("sharing", {"token": "ntn_nobody", "object_id": "x", "shared": False}),
        ("capabilities", {"token": "ntn_nobody", "allowed": []}),
        ("capabilities", {"token": TOKEN, "allowed": ["fly"]}),
    ],
)
def test_what_nobody_understands_is_refused(api: Api, path: str, body: dict[str, Any]) -> None:
    assert control(api, "POST", path, body) == 400
