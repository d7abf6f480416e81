from __future__ import annotations

from typing import Any

import pytest

from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Api


@pytest.fixture
def projects(notion: Notion, tasks: str) -> str:
    """A second table, related to the tasks both ways."""
    related = {"relation": {"data_source_id": tasks, "dual_property": {"synced_property_name": "Project"}}}
    return notion.add_database("Projects", {"Name": "title", "Tasks": related})


def related(api: Api, page_id: str, name: str) -> Any:
    return [item["id"] for item in api.get(page_id)["properties"][name]["relation"]]


def test_a_two_way_relation_is_kept_at_both_ends(api: Api, notion: Notion, projects: str) -> None:
    # given
    bread, milk = (notion.add_page(api.table, {"Task": name}) for name in ("Bread", "Milk"))
    # when one end is written
    shopping = notion.add_page(projects, {"Name": "Shopping", "Tasks": [bread, milk]})
    # then the other end shows it
    assert related(api, bread, "Project") == [shopping]
    # and when the other end is cleared
    api.update(bread, Project={"relation": []})
    # then so is this one
    assert related(api, shopping, "Tasks") == [milk]


def test_more_than_25_relations_come_from_the_property_item_endpoint(
    api: Api, notion: Notion, projects: str
) -> None:
    # given
    rows = [notion.add_page(api.table, {"Task": str(number)}) for number in range(30)]
    shopping = notion.add_page(projects, {"Name": "Shopping", "Tasks": rows})
    # when
    shown = api.get(shopping)["properties"]["Tasks"]
    # then
    assert ([item["id"] for item in shown["relation"]], shown["has_more"]) == (rows[:25], True)
    first = api.http.get(f"/v1/pages/{shopping}/properties/{shown['id']}", params={"page_size": 20}).json()
    assert (len(first["results"]), first["has_more"]) == (20, True)
    assert first["property_item"]["next_url"].startswith(str(api.http.base_url))
    rest = api.http.get(first["property_item"]["next_url"]).json()
    assert [item["relation"]["id"] for item in first["results"] + rest["results"]] == rows


def test_a_relation_leads_only_into_its_own_table(api: Api, notion: Notion, projects: str) -> None:
    shopping = notion.add_page(projects, {"Name": "Shopping"})
    answer = api.update(shopping, Tasks={"relation": [{"id": shopping}]})
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")


def test_a_page_in_the_trash_is_not_shown_as_related(api: Api, notion: Notion, projects: str) -> None:
    bread = notion.add_page(api.table, {"Task": "Bread"})
    shopping = notion.add_page(projects, {"Name": "Shopping", "Tasks": [bread]})
    notion.trash_page(bread)
    assert related(api, shopping, "Tasks") == []
    notion.restore_page(bread)
    assert related(api, shopping, "Tasks") == [bread]


def test_removing_one_end_removes_the_other(api: Api, notion: Notion, projects: str) -> None:
    notion.add_page(projects, {"Name": "Shopping", "Tasks": [notion.add_page(api.table, {"Task": "Bread"})]})
    api.http.patch(f"/v1/data_sources/{projects}", json={"properties": {"Tasks": None}})
    assert "Project" not in api.http.get(f"/v1/data_sources/{api.table}").json()["properties"]
    assert api.found() == ["Bread"]


def test_values_other_than_lists_come_as_one_property_item(api: Api, notion: Notion) -> None:
    row = notion.add_page(api.table, {"Task": "Bread", "Effort": 3, "Who": [notion.person]})
    ids = {name: column["id"] for name, column in api.get(row)["properties"].items()}
    effort = api.http.get(f"/v1/pages/{row}/properties/{ids['Effort']}").json()
    assert (effort["object"], effort["number"]) == ("property_item", 3)
    task = api.http.get(f"/v1/pages/{row}/properties/title").json()
    assert task["results"][0]["title"]["plain_text"] == "Bread"
    who = api.http.get(f"/v1/pages/{row}/properties/{ids['Who']}").json()
    assert who["results"][0]["people"]["id"] == notion.person
    assert api.http.get(f"/v1/pages/{row}/properties/none").status_code == 404


def test_a_table_may_relate_to_itself_both_ways(api: Api, notion: Notion) -> None:
    # given
    path = f"/v1/data_sources/{api.table}"
    dual = {"data_source_id": api.table, "dual_property": {"synced_property_name": "Children"}}
    api.http.patch(path, json={"properties": {"Parent": {"relation": dual}}})
    parent = notion.add_page(api.table, {"Task": "Shopping"})
    # when
    child = notion.add_page(api.table, {"Task": "Bread", "Parent": [parent]})
    # then
    assert related(api, parent, "Children") == [child]
    # and both ends go together, also when one becomes something else
    columns = api.http.patch(path, json={"properties": {"Parent": {"number": {}}}}).json()["properties"]
    assert (columns["Parent"]["type"], "Children" in columns) == ("number", False)
    assert api.get(child)["properties"]["Parent"]["number"] is None
    api.http.patch(path, json={"properties": {"Parent": {"relation": dual}}})
    columns = api.http.patch(path, json={"properties": {"Children": None}}).json()["properties"]
    assert not {"Parent", "Children"} & set(columns)
