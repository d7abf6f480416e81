"""Values that Notion refuses: 400, and nothing is changed."""

from __future__ import annotations

from typing import Any

import pytest

from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Api, title

TEXT = {"text": {"content": "x"}}
NOBODY = "00000000-0000-4000-8000-00000000dead"

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("a title over 2000 characters", {"Task": title("x" * 2001)}, "≤ `2000`"),
    ("a text over 2000 characters", {"Note": {"rich_text": [{"text": {"content": "x" * 2001}}]}}, "≤ `2000`"),
    ("over 100 texts", {"Note": {"rich_text": [TEXT] * 101}}, "≤ `100`"),
    ("a text without content", {"Note": {"rich_text": [{"text": {}}]}}, "should be a string"),
    ("a text that is a string", {"Note": {"rich_text": "x"}}, "should be an array"),
    ("a number as text", {"Effort": {"number": "3"}}, "should be a number"),
    ("a bool as number", {"Effort": {"number": True}}, "should be a number"),
    ("an unset checkbox", {"Done": {"checkbox": None}}, "should be a boolean"),
    ("a comma in a new option", {"Kind": {"select": {"name": "a, b"}}}, "commas not allowed"),
    ("an option name over 100 characters", {"Kind": {"select": {"name": "x" * 101}}}, "≤ `100`"),
    ("an unknown option id", {"Kind": {"select": {"id": "nothing"}}}, "no option"),
    ("over 100 options", {"Tags": {"multi_select": [{"name": str(i)} for i in range(101)]}}, "≤ `100`"),
    (
        "a comma in one of several options",
        {"Tags": {"multi_select": [{"name": "a,b"}]}},
        "commas not allowed",
    ),
    ("an unknown status", {"State": {"status": {"name": "Blocked"}}}, "does not exist"),
    ("an empty url", {"Link": {"url": ""}}, "≥ `1`"),
    ("a url over 2000 characters", {"Link": {"url": "x" * 2001}}, "≤ `2000`"),
    ("an email over 200 characters", {"Mail": {"email": "x" * 201}}, "≤ `200`"),
    ("a phone number over 200 characters", {"Phone": {"phone_number": "1" * 201}}, "≤ `200`"),
    ("a date without start", {"Due": {"date": {"end": "2026-01-01"}}}, "should be defined"),
    ("a date that is none", {"Due": {"date": {"start": "tomorrow"}}}, "ISO 8601"),
    ("an end before the start", {"Due": {"date": {"start": "2026-01-02", "end": "2026-01-01"}}}, "before"),
    (
        "a day until a moment",
        {"Due": {"date": {"start": "2026-01-01", "end": "2026-01-01T10:00:00Z"}}},
        "both",
    ),
    ("an unknown zone", {"Due": {"date": {"start": "2026-01-01T10:00:00", "time_zone": "Mars"}}}, "IANA"),
    (
        "a zone beside an offset",
        {"Due": {"date": {"start": "2026-01-01T10:00:00Z", "time_zone": "Europe/London"}}},
        "no UTC offset",
    ),
    ("people without ids", {"Who": {"people": [{"name": "Ada"}]}}, "valid uuid"),
    ("over 100 people", {"Who": {"people": [{"id": NOBODY}] * 101}}, "≤ `100`"),
    ("an unknown property", {"Color": {"select": {"name": "red"}}}, "is not a property that exists"),
    ("another type", {"Effort": {"rich_text": []}}, "expected to be number"),
    ("another type beside the right one", {"Effort": {"type": "date", "number": 1}}, "expected to be number"),
    ("a computed value", {"Number": {"unique_id": {"number": 7}}}, "cannot be written"),
    ("a time of change", {"Edited": {"last_edited_time": "2026-01-01T00:00:00Z"}}, "cannot be written"),
    ("a bare value", {"Effort": 3}, "should be an object"),
]


@pytest.mark.parametrize(("properties", "sentence"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_a_wrong_value_is_refused(
    api: Api, notion: Notion, properties: dict[str, Any], sentence: str
) -> None:
    # given
    row = notion.add_page(api.table, {"Task": "Bread", "Kind": "Home"})
    columns = notion.tables()
    # when: the wrong one comes last, after values that are right and would make an option
    good = {"Tags": {"multi_select": [{"name": "new"}]}, "Phone": {"phone_number": "1"}}
    created = api.create(**{**good, **properties})
    updated = api.update(row, **{**good, **properties})
    # then
    for answer in (created, updated):
        assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
        assert sentence in answer.json()["message"]
    assert [r.values["Phone"] for r in notion.pages(api.table)] == [None]
    assert notion.tables() == columns


def test_unknown_people_and_pages_are_not_found(api: Api) -> None:
    assert api.create(Who={"people": [{"id": NOBODY}]}).status_code == 404


@pytest.mark.parametrize("body", [{"archived": True}, {"after": "x"}, {"propertys": {}}])
def test_what_the_version_does_not_know_is_refused(api: Api, notion: Notion, body: dict[str, Any]) -> None:
    row = notion.add_page(api.table, {"Task": "Bread"})
    answer = api.patch(row, **body)
    assert answer.status_code == 400
    assert "should be not present" in answer.json()["message"]


@pytest.mark.parametrize(
    "parent", [{}, {"page_id": NOBODY}, {"data_source_id": NOBODY}, {"database_id": "x"}]
)
def test_a_page_needs_a_parent_that_is_there(api: Api, parent: dict[str, Any]) -> None:
    answer = api.http.post("/v1/pages", json={"parent": parent, "properties": {}})
    assert answer.status_code in {400, 404}


@pytest.mark.parametrize(
    "columns",
    [
        {"Name": {"rich_text": {}}},
        {"Name": {"title": {}}, "Other": {"title": {}}},
        {"Name": {"title": {}}, "X": {"colour": {}}},
        {"Name": {"title": {}}, "X": {"relation": {"data_source_id": NOBODY, "single_property": {}}}},
        {"Name": {"title": {}}, "X": {"rollup": {"relation_property_name": "Name"}}},
        {"Name": {"title": {}}, "X": {"select": {"options": [{"name": "a,b"}]}}},
    ],
)
def test_a_wrong_schema_leaves_nothing_behind(api: Api, notion: Notion, columns: dict[str, Any]) -> None:
    body = {"parent": {"page_id": notion.root}, "initial_data_source": {"properties": columns}}
    before = notion.tables()
    assert api.http.post("/v1/databases", json=body).status_code in {400, 404}
    assert notion.tables() == before
    assert len(notion.store.databases) == 1
