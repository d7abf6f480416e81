"""What a token may do: 403 for the rest, and answers without what it may not see."""

from __future__ import annotations

from typing import Any

import pytest

from sync_workers.sandbox.capabilities import ALL, Capability
from sync_workers.sandbox.notion import TOKEN, Notion
from tests.sandbox.conftest import Api, Plain, title

NAMES = {"title": [{"text": {"content": "Bread"}}]}
TEXT = [{"text": {"content": "Fresh?"}}]


def calls(api: Api, notion: Notion) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """One good call for each capability, and for each way to ask."""
    row = notion.add_page(api.table, {"Task": "Bread"})
    child = {"parent": {"page_id": notion.root}, "properties": {"title": NAMES}}
    paragraph = {"children": [{"paragraph": {"rich_text": TEXT}}]}
    return {
        "read a page": ("GET", f"pages/{row}", {}),
        "read by a query": ("POST", f"data_sources/{api.table}/query", {}),
        "read by a search": ("POST", "search", {}),
        "insert a page": ("POST", "pages", child),
        "insert a block": ("PATCH", f"blocks/{row}/children", paragraph),
        "insert a file": ("POST", "file_uploads", {"filename": "a.txt"}),
        "update a page": ("PATCH", f"pages/{row}", {"icon": None}),
        "update by a move": ("POST", f"pages/{row}/move", {"parent": {"page_id": notion.root}}),
        "update a schema": ("PATCH", f"data_sources/{api.table}", {"title": TEXT}),
        "update by a delete": ("DELETE", f"blocks/{row}", {}),
        "comment": ("POST", "comments", {"parent": {"page_id": notion.root}, "rich_text": TEXT}),
        "see comments": ("GET", f"comments?block_id={notion.root}", {}),
        "users": ("GET", "users", {}),
        "itself": ("GET", "users/me", {}),
    }


REFUSED = {
    Capability.READ_CONTENT: "read ",
    Capability.INSERT_CONTENT: "insert ",
    Capability.UPDATE_CONTENT: "update ",
    Capability.INSERT_COMMENTS: "comment",
    Capability.READ_COMMENTS: "see comments",
    Capability.READ_USERS: "users",
    Capability.READ_EMAILS: "nothing",
}


@pytest.mark.parametrize("missing", Capability)
def test_what_a_token_may_not_do_is_refused_and_nothing_else(
    api: Api, plain: Plain, notion: Notion, missing: Capability
) -> None:
    asked = calls(api, notion)
    notion.allow(TOKEN, ALL - {missing})
    for what, (method, path, body) in asked.items():
        answer = plain.http.request(method, f"/v1/{path}", json=body or None)
        expected = 403 if what.startswith(REFUSED[missing]) else 200
        assert answer.status_code == expected, (what, answer.text)
        if expected == 403:
            assert answer.json()["code"] == "restricted_resource"


def test_a_refused_write_changes_nothing(api: Api, notion: Notion) -> None:
    notion.allow(TOKEN, ALL - {Capability.INSERT_CONTENT})
    assert api.create(Task=title("Bread")).status_code == 403
    assert notion.pages(api.table) == []


def test_who_may_not_read_gets_the_id_of_what_it_wrote(api: Api, plain: Plain, notion: Notion) -> None:
    notion.allow(TOKEN, {Capability.INSERT_CONTENT})
    body = {"parent": {"data_source_id": api.table}, "properties": {"Task": title("Bread")}}
    made = plain.post("pages", **body)
    assert made.keys() == {"object", "id", "request_id"}
    assert notion.page(made["id"]).values["Task"] == "Bread"


def test_people_are_shown_as_far_as_the_token_may_know_them(api: Api, plain: Plain, notion: Notion) -> None:
    row = notion.add_page(api.table, {"Task": "Bread", "Who": [notion.person]})
    shown = {"object": "user", "id": notion.person}
    full = plain.get(f"pages/{row}")["properties"]["Who"]["people"][0]
    assert full["person"] == {"email": "ada@example.com"}
    # without emails
    notion.allow(TOKEN, ALL - {Capability.READ_EMAILS})
    assert plain.get(f"pages/{row}")["properties"]["Who"]["people"] == [{**full, "person": {}}]
    assert plain.get(f"users/{notion.person}")["person"] == {}
    # without any information
    notion.allow(TOKEN, ALL - {Capability.READ_EMAILS, Capability.READ_USERS})
    assert plain.get(f"pages/{row}")["properties"]["Who"]["people"] == [shown]
    assert plain.get(f"pages/{row}")["properties"]["Maker"]["created_by"] == shown
    assert plain.get("users/me")["bot"]["owner"] == {"type": "workspace", "workspace": True}
