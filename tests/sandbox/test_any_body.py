"""Whatever JSON comes: the sandbox answers, and answers as Notion does."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sync_workers.sandbox.api import Answer, Call, answer
from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import COLUMNS
from tests.sandbox.replay import HEADERS

WORDS = st.sampled_from(
    [
        *(
            "text",
            "content",
            "name",
            "id",
            "start",
            "end",
            "type",
            "options",
            "equals",
            "contains",
            "is_empty",
        ),
        *("and", "or", "property", "timestamp", "created_time", "direction", "link", "annotations", "title"),
        *("rich_text", "number", "select", "status", "multi_select", "date", "checkbox", "people", "files"),
        *("relation", "formula", "rollup", "unique_id", "dual_property", "data_source_id", "expression"),
        *COLUMNS,
    ]
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5) | WORDS,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(WORDS, inside, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(WORDS, ANYTHING, max_size=3)

NOTION = Notion(requests_per_minute=None)
TABLE = NOTION.add_database("Tasks", COLUMNS)
ROW = NOTION.add_page(TABLE, {"Task": "Bread"})
PARENT = {"data_source_id": TABLE}
DATABASE = NOTION.store.data_source(TABLE).database_id
VIEW = {"database_id": DATABASE, "data_source_id": TABLE, "name": "Mine", "type": "table"}


def ask(method: str, path: str, body: Any) -> Answer:
    headers = {name.lower(): value for name, value in HEADERS.items()}
    return answer(NOTION, Call(method, f"/v1/{path}", "", headers, json.dumps(body).encode()))


ASKED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@ASKED
@given(OBJECTS)
def test_any_values(values: dict[str, Any]) -> None:
    for given_answer in (
        ask("PATCH", f"pages/{ROW}", {"properties": values}),
        ask("POST", "pages", {"parent": PARENT, "properties": values}),
    ):
        assert given_answer.status in {200, 400, 404}


@ASKED
@given(st.sampled_from(list(COLUMNS)), ANYTHING)
def test_any_value_of_a_property(name: str, value: Any) -> None:
    kind = next(column.type for column in NOTION.tables()[0].columns if column.name == name)
    assert ask("PATCH", f"pages/{ROW}", {"properties": {name: {kind: value}}}).status in {200, 400, 404}


@ASKED
@given(st.sampled_from(list(COLUMNS)), ANYTHING, ANYTHING)
def test_any_query(name: str, condition: Any, sort: Any) -> None:
    kind = next(column.type for column in NOTION.tables()[0].columns if column.name == name)
    for body in (
        {"filter": {"property": name, kind: condition}},
        {"filter": condition},
        {"sorts": sort},
        {"sorts": [sort]},
        {"start_cursor": sort},
        {"page_size": sort},
    ):
        assert ask("POST", f"data_sources/{TABLE}/query", body).status in {200, 400}


@example(None, {"type": []})
@ASKED
@given(ANYTHING, ANYTHING)
def test_any_body(one: Any, other: Any) -> None:
    asked = [
        ("POST", "pages", {"parent": one, "properties": other}),
        ("PATCH", f"pages/{ROW}", one),
        (
            "POST",
            "databases",
            {"parent": {"page_id": NOTION.root}, "initial_data_source": one, "title": other},
        ),
        ("POST", "databases", {"parent": one}),
        ("POST", "data_sources", {"parent": one, "properties": other}),
        ("POST", "search", {"query": one, "filter": other}),
        ("POST", "search", {"sort": one, "start_cursor": other}),
        ("PATCH", f"blocks/{NOTION.root}/children", {"children": one}),
        ("PATCH", f"blocks/{NOTION.root}/children", {"children": [{"to_do": one}], "position": other}),
        ("PATCH", f"pages/{ROW}", {"icon": one, "cover": other}),
        ("PATCH", f"pages/{ROW}/markdown", {"type": "update_content", "update_content": one}),
        ("PATCH", f"pages/{ROW}/markdown", {"type": "insert_content", "insert_content": {"content": one}}),
        ("POST", "comments", {"parent": one, "rich_text": other}),
        ("POST", "comments", {"parent": {"page_id": ROW}, "display_name": one, "markdown": other}),
        ("POST", "views", {**VIEW, "filter": one, "sorts": other}),
        ("POST", "views", {**VIEW, "name": one, "type": other}),
        ("POST", f"pages/{ROW}/move", {"parent": one}),
        ("POST", "file_uploads", {"filename": one, "content_type": other}),
        ("POST", "file_uploads", {"mode": "multi_part", "filename": "a", "number_of_parts": one}),
        ("POST", "file_uploads", {"mode": "external_url", "filename": one, "external_url": other}),
    ]
    for method, path, body in asked:
        assert ask(method, path, body).status in {200, 400, 404}


@ASKED
@given(
    st.sampled_from(["formula", "rollup", "relation", "select", "status", "number", "unique_id"]), ANYTHING
)
def test_any_schema(kind: str, config: Any) -> None:
    columns = {"Name": {"title": {}}, "X": {kind: config}}
    body = {"parent": {"page_id": NOTION.root}, "initial_data_source": {"properties": columns}}
    assert ask("POST", "databases", body).status in {200, 400, 404}
    assert ask("PATCH", f"data_sources/{TABLE}", {"properties": {"Task": config}}).status in {200, 400, 404}


def test_a_filter_that_makes_no_sense_is_a_validation_error() -> None:
    notion = Notion(requests_per_minute=None)
    columns = {"Name": "title", "Points": "number", "Tags": {"multi_select": {"options": [{"name": "a"}]}}}
    table = notion.add_database("Tasks", columns)
    notion.add_page(table, {"Name": "Bread", "Points": 1, "Tags": ["a"]})
    headers = {name.lower(): value for name, value in HEADERS.items()}
    for body in (
        {"filter": {"property": "Points", "number": {"greater_than": "abc"}}},
        {"filter": {"property": "Tags", "multi_select": {"contains": ["a"]}}},
        {"filter": {"property": "Tags", "multi_select": {"does_not_contain": {"name": "a"}}}},
    ):
        path = f"/v1/data_sources/{table}/query"
        found = answer(notion, Call("POST", path, "", headers, json.dumps(body).encode()))
        assert (found.status, found.body["code"]) == (400, "validation_error")
