"""Blocks of a page: their tree, their order, what they hold. Every answer is judged by its shape."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from sync_workers.sandbox.body.kinds import DEFAULTS, MEDIA
from sync_workers.sandbox.notion import Notion
from tests.sandbox.conftest import Api
from tests.sandbox.replay import Clock


def text(words: str) -> list[dict[str, Any]]:
    return [{"text": {"content": words}}]


def paragraph(words: str, **more: Any) -> dict[str, Any]:
    return {"paragraph": {"rich_text": text(words), **more}}


def words(blocks: list[dict[str, Any]]) -> list[str]:
    return ["".join(item["plain_text"] for item in block["paragraph"]["rich_text"]) for block in blocks]


class Page:
    """One row, and short ways to ask about its blocks."""

    def __init__(self, http: httpx.Client, page_id: str) -> None:
        self.http, self.id = http, page_id

    def append(self, *children: Any, under: str = "", **more: Any) -> httpx.Response:
        body = {"children": list(children), **more}
        return self.http.patch(f"/v1/blocks/{under or self.id}/children", json=body)

    def children(self, under: str = "") -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = self.http.get(f"/v1/blocks/{under or self.id}/children").json()[
            "results"
        ]
        return listed


@pytest.fixture
def page(api: Api, notion: Notion) -> Page:
    return Page(api.http, notion.add_page(api.table, {"Task": "Bread"}))


def test_blocks_stand_under_blocks(page: Page) -> None:
    # when
    made = page.append(paragraph("one", children=[paragraph("two", children=[paragraph("three")])])).json()
    # then
    (one,) = page.children()
    assert made["results"] == [one]
    assert (one["has_children"], one["parent"]) == (True, {"type": "page_id", "page_id": page.id})
    (two,) = page.children(one["id"])
    assert two["parent"] == {"type": "block_id", "block_id": one["id"]}
    (three,) = page.children(two["id"])
    assert (three["has_children"], words([one, two, three])) == (False, ["one", "two", "three"])


def test_blocks_are_put_where_they_are_wanted(page: Page) -> None:
    first, last = page.append(paragraph("a"), paragraph("d")).json()["results"]
    after = {"type": "after_block", "after_block": {"id": first["id"]}}
    page.append(paragraph("b"), paragraph("c"), position=after)
    page.append(paragraph("0"), position={"type": "start"})
    page.append(paragraph("z"), position={"type": "end"})
    assert words(page.children()) == ["0", "a", "b", "c", "d", "z"]
    page.http.delete(f"/v1/blocks/{last['id']}")
    assert words(page.children()) == ["0", "a", "b", "c", "z"]


def test_child_pages_and_databases_stand_among_the_blocks(page: Page, notion: Notion) -> None:
    page.append(paragraph("a"))
    child = {"parent": {"page_id": page.id}, "properties": {"title": {"title": text("Child")}}}
    page.http.post("/v1/pages", json=child)
    notion.add_database("Table", {"Name": "title"}, page.id)
    page.append(paragraph("b"))
    listed = [block["type"] for block in page.children()]
    assert listed == ["paragraph", "child_page", "child_database", "paragraph"]


def test_a_block_is_changed_in_the_parts_that_are_named(page: Page) -> None:
    (made,) = page.append({"to_do": {"rich_text": text("bread"), "color": "blue"}}).json()["results"]
    changed = page.http.patch(f"/v1/blocks/{made['id']}", json={"to_do": {"checked": True}}).json()
    assert (changed["to_do"]["checked"], changed["to_do"]["color"]) == (True, "blue")
    assert changed["to_do"]["rich_text"][0]["plain_text"] == "bread"
    assert page.http.patch(f"/v1/blocks/{made['id']}", json=paragraph("x")).status_code == 400


def test_a_deleted_block_comes_back(page: Page) -> None:
    (made,) = page.append(paragraph("one")).json()["results"]
    assert page.http.delete(f"/v1/blocks/{made['id']}").json()["in_trash"] is True
    assert page.http.patch(f"/v1/blocks/{made['id']}", json=paragraph("two")).status_code == 400
    page.http.patch(f"/v1/blocks/{made['id']}", json={"in_trash": False})
    assert words(page.children()) == ["one"]


@pytest.mark.parametrize("kind", [*DEFAULTS, *sorted(MEDIA)])
def test_every_type_of_block_has_its_shape(page: Page, kind: str) -> None:
    contents = {"table_row": {"cells": [text("a"), text("b")]}, "equation": {"expression": "e=mc^2"}}
    media = {"external": {"url": "https://example.com/a"}, "caption": text("a")}
    content = media if kind in MEDIA else contents.get(kind, {})
    assert page.append({"type": kind, kind: content}).status_code == 200
    assert [block["type"] for block in page.children()] == [kind]


def test_every_change_of_a_block_is_an_edit_of_the_page(page: Page, clock: Clock, notion: Notion) -> None:
    def edited() -> bool:
        was = notion.page(page.id).edited
        clock.now += timedelta(minutes=1)
        return was + timedelta(minutes=1) == clock.now and was != clock.now

    (made,) = page.append(paragraph("one")).json()["results"]
    assert edited()
    page.http.patch(f"/v1/blocks/{made['id']}", json=paragraph("two"))
    assert edited()
    page.http.delete(f"/v1/blocks/{made['id']}")
    assert edited()


@pytest.mark.parametrize(
    "child",
    [
        {"paragraph": {"rich_text": "x"}},
        {"paragraph": {"words": []}},
        {"child_page": {"title": "x"}},
        {"to_do": {"checked": "yes"}},
        {"image": {"external": {}}},
        paragraph("ok", children=[{"paragraph": 1}]),
    ],
)
def test_what_makes_no_block_makes_none_at_all(page: Page, child: dict[str, Any]) -> None:
    assert page.append(paragraph("first"), child).json()["code"] == "validation_error"
    assert page.children() == []


def test_a_page_begins_with_children_and_can_be_emptied(api: Api, notion: Notion) -> None:
    body = {"parent": {"page_id": notion.root}, "properties": {}, "children": [paragraph("one")]}
    page = Page(api.http, api.http.post("/v1/pages", json=body).json()["id"])
    assert words(page.children()) == ["one"]
    api.patch(page.id, erase_content=True)
    assert page.children() == []
    refused = api.http.post("/v1/pages", json={**body, "markdown": "# One"})
    assert refused.json()["code"] == "validation_error"


ICONS: list[tuple[dict[str, Any], str]] = [
    ({"emoji": "🥖"}, "emoji"),
    ({"type": "external", "external": {"url": "https://example.com/i.png"}}, "external"),
    ({"type": "icon", "icon": {"name": "pizza"}}, "icon"),
    ({"type": "file_upload", "file_upload": {"id": "b52b8ed6-e029-4707-a671-832549c09de3"}}, "file"),
    ({"custom_emoji": {"id": "b52b8ed6-e029-4707-a671-832549c09de3"}}, "custom_emoji"),
]


@pytest.mark.parametrize(("icon", "kind"), ICONS)
def test_a_page_has_an_icon(api: Api, notion: Notion, icon: dict[str, Any], kind: str) -> None:
    page_id = notion.add_page(api.table, {"Task": "Bread"})
    assert api.patch(page_id, icon=icon).json()["icon"]["type"] == kind
    assert api.get(page_id)["icon"]["type"] == kind
    assert api.patch(page_id, icon=None).json()["icon"] is None


@pytest.mark.parametrize("icon", ["x", {"emoji": "x"}, {"emoji": ""}, {"external": 1}, {"icon": {}}, {}])
def test_what_is_no_icon_is_refused(api: Api, notion: Notion, icon: Any) -> None:
    page_id = notion.add_page(api.table, {"Task": "Bread"})
    assert api.patch(page_id, icon=icon).json()["code"] == "validation_error"
    cover = api.patch(page_id, cover={"external": {"url": "https://example.com/c.png"}}).json()["cover"]
    assert cover == {"type": "external", "external": {"url": "https://example.com/c.png"}}
