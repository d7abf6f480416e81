"""What is not shared with a connection does not exist for it: absent and unshared look the same."""

from __future__ import annotations

import pytest

from sync_workers.sandbox.notion import TOKEN, Notion
from tests.sandbox.conftest import Api, Plain, title

OTHER = {"Authorization": "Bearer ntn_other"}


@pytest.fixture
def row(notion: Notion, tasks: str) -> str:
    return notion.add_page(tasks, {"Task": "Bread"})


@pytest.mark.parametrize("kept", ["table", "database"])
def test_a_table_that_is_not_shared_is_gone_with_its_rows(
    api: Api, plain: Plain, notion: Notion, row: str, kept: str
) -> None:
    # given
    database = notion.store.data_source(api.table).database_id
    view = plain.get("views", database_id=database)["results"][0]["id"]
    hidden = {"table": api.table, "database": database}[kept]
    # when
    notion.unshare(hidden, TOKEN)
    # then
    asked = [f"data_sources/{api.table}", f"pages/{row}", f"blocks/{row}", f"pages/{row}/properties/title"]
    asked += [f"blocks/{row}/children", f"pages/{row}/markdown", f"data_sources/{api.table}/templates"]
    asked += [f"databases/{database}", f"views/{view}"] if kept == "database" else []
    assert {plain.get(path).get("code") for path in asked} == {"object_not_found"}
    assert api.query().status_code == api.create(Task=title("Milk")).status_code == 404
    assert plain.patch(f"pages/{row}", in_trash=True)["code"] == "object_not_found"
    assert row not in {found["id"] for found in plain.post("search", query="Bread")["results"]}
    # but people and other connections see it
    notion.add_token("ntn_other")
    assert [r.values["Task"] for r in notion.pages(api.table)] == ["Bread"]
    assert api.http.get(f"/v1/pages/{row}", headers=OTHER).status_code == 200


def test_one_row_can_be_kept_from_a_connection_and_given_back(api: Api, notion: Notion, row: str) -> None:
    notion.add_page(api.table, {"Task": "Milk"})
    notion.unshare(row, TOKEN)
    assert api.found() == ["Milk"]
    assert api.get(row)["code"] == "object_not_found"
    notion.share(row, TOKEN)
    assert api.found() == ["Milk", "Bread"]


def test_a_relation_to_what_is_not_shared_reads_as_empty(api: Api, notion: Notion) -> None:
    # given
    relation = {"relation": {"data_source_id": api.table, "single_property": {}}}
    projects = notion.add_database("Projects", {"Name": "title", "Tasks": relation})
    bread = notion.add_page(api.table, {"Task": "Bread"})
    project = notion.add_page(projects, {"Name": "Kitchen", "Tasks": [bread]})
    assert api.get(project)["properties"]["Tasks"]["relation"] == [{"id": bread}]
    # when
    notion.unshare(api.table, TOKEN)
    # then the row has nothing there, and the schema no such property
    assert api.get(project)["properties"]["Tasks"]["relation"] == []
    assert list(api.http.get(f"/v1/data_sources/{projects}").json()["properties"]) == ["Name"]
    # while nothing was lost
    assert notion.page(project).values["Tasks"] == [bread]
