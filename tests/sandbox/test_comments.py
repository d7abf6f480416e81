"""Comments on pages and blocks, in threads."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Api
from tests.sandbox.replay import Clock


@pytest.fixture
def page_id(api: Api, notion: Notion) -> str:
    return notion.add_page(api.table, {"Task": "Bread"})


def say(http: httpx.Client, page_id: str, text: str, **more: Any) -> dict[str, Any]:
    said = {"parent": {"page_id": page_id}, "rich_text": [{"text": {"content": text}}], **more}
    made: dict[str, Any] = http.post("/v1/comments", json=said).json()
    return made


def listed(http: httpx.Client, block_id: str) -> list[str]:
    found = http.get("/v1/comments", params={"block_id": block_id}).json()["results"]
    return ["".join(item["plain_text"] for item in comment["rich_text"]) for comment in found]


def test_comments_are_listed_oldest_first(http: httpx.Client, notion: Notion, page_id: str) -> None:
    first = say(http, page_id, "one")
    notion.bodies.comment(page_id, "two")
    answer = {"discussion_id": first["discussion_id"], "markdown": "**three**"}
    third = http.post("/v1/comments", json=answer).json()
    assert listed(http, page_id) == ["one", "two", "three"]
    assert third["rich_text"][0]["annotations"]["bold"] is True
    assert (third["discussion_id"], third["parent"]) == (first["discussion_id"], first["parent"])
    assert http.get(f"/v1/comments/{third['id']}").json()["id"] == third["id"]


def test_a_comment_stands_on_a_block(http: httpx.Client, notion: Notion, page_id: str) -> None:
    block = notion.bodies.add(page_id, "divider")
    http.post("/v1/comments", json={"parent": {"block_id": block}, "markdown": "here"})
    assert (listed(http, block), listed(http, page_id)) == (["here"], [])


def test_the_one_who_said_it_is_named(http: httpx.Client, page_id: str) -> None:
    assert say(http, page_id, "a")["display_name"] == {"type": "integration", "resolved_name": "Sync"}
    custom = {"type": "custom", "custom": {"name": "Robot"}}
    shown = say(http, page_id, "b", display_name=custom)["display_name"]
    assert shown == {"type": "custom", "resolved_name": "Robot"}


def test_a_connection_changes_its_own_comments_only(http: httpx.Client, notion: Notion, page_id: str) -> None:
    own, other = say(http, page_id, "own")["id"], notion.bodies.comment(page_id, "a person's")
    assert http.patch(f"/v1/comments/{own}", json={"markdown": "edited"}).status_code == 200
    assert http.patch(f"/v1/comments/{other}", json={"markdown": "edited"}).status_code == 404
    assert http.delete(f"/v1/comments/{other}").status_code == 404
    assert listed(http, page_id) == ["edited", "a person's"]


def test_the_first_of_a_thread_takes_the_others_with_it(http: httpx.Client, page_id: str) -> None:
    first = say(http, page_id, "one")
    second = {"discussion_id": first["discussion_id"], "markdown": "two"}
    reply = http.post("/v1/comments", json=second).json()
    http.delete(f"/v1/comments/{reply['id']}")
    assert listed(http, page_id) == ["one"]
    http.post("/v1/comments", json=second)
    http.delete(f"/v1/comments/{first['id']}")
    assert listed(http, page_id) == []


def test_a_comment_is_no_edit_of_its_page(
    http: httpx.Client, notion: Notion, page_id: str, clock: Clock
) -> None:
    before = notion.page(page_id).edited
    clock.now += timedelta(minutes=5)
    say(http, page_id, "one")
    assert notion.page(page_id).edited == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"rich_text": []},
        {"parent": {"page_id": "x"}, "markdown": "x"},
        {"parent": {}, "markdown": "x"},
        {"discussion_id": "00000000-0000-4000-8000-00000000dead", "markdown": "x"},
        {"parent": {}, "discussion_id": "x", "markdown": "x"},
    ],
)
def test_a_comment_that_makes_no_sense_is_refused(http: httpx.Client, body: dict[str, Any]) -> None:
    assert http.post("/v1/comments", json=body).status_code in {400, 404}


def test_a_comment_has_one_form(http: httpx.Client, page_id: str) -> None:
    both = say(http, page_id, "x", markdown="x")
    assert both["code"] == "validation_error"
    assert http.get("/v1/comments").status_code == 404
