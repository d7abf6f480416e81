"""Texts with formatting, written by the service over HTTP: what did not change stays as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import RejectedError
from sync_workers.services.base import Mapped
from tests.services.notion.world import NotionWorld, notion_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NotionWorld]:
    with notion_world(tmp_path) as world:
        yield world


def write(world: NotionWorld, page: str, name: str, items: list[dict[str, Any]]) -> None:
    """As a person does in Notion."""
    kind = "title" if name == "Name" else "rich_text"
    world.call("PATCH", f"pages/{page}", {"properties": {name: {kind: items}}})


def shown(world: NotionWorld, page: str, name: str) -> list[tuple[str, str, list[str]]]:
    """Each item of a text: its kind, its plain text and what is special about it."""
    place = world.call("GET", f"pages/{page}")["properties"][name]
    items = world.call("GET", f"pages/{page}/properties/{place['id']}")["results"]
    return [
        (
            item["type"],
            item["plain_text"],
            [key for key, said in item["annotations"].items() if said not in {False, "default"}],
        )
        for item in (item[place["type"]] for item in items)
    ]


@pytest.mark.parametrize("name", ["Name", "Notes"])
def test_an_edit_of_the_plain_text_keeps_mentions_equations_and_formatting(
    world: NotionWorld, name: str
) -> None:
    page = world.add({"Name": "Bread"})
    person = world.notion.person
    items = [
        {"type": "text", "text": {"content": "Ask "}},
        {"type": "mention", "mention": {"user": {"id": person}}, "annotations": {"color": "red"}},
        {"type": "text", "text": {"content": " about "}},
        {"type": "equation", "equation": {"expression": "x^2"}},
        {"type": "text", "text": {"content": " today"}, "annotations": {"bold": True}},
    ]
    write(world, page, name, items)
    service = world.open(Mapped((name,)))
    (record,) = service.fetch().records
    assert record.fields[name] == "Ask @Ada about x^2 today"

    updated = service.update(record, {name: "Please ask @Ada about x^2 tomorrow"})

    assert updated.fields[name] == "Please ask @Ada about x^2 tomorrow"
    assert shown(world, page, name) == [
        ("text", "Please ask ", []),
        ("mention", "@Ada", ["color"]),
        ("text", " about ", []),
        ("equation", "x^2", []),
        ("text", " tomorrow", ["bold"]),
    ]


def test_a_text_as_markdown_crosses_with_its_formatting_and_keeps_its_colours(world: NotionWorld) -> None:
    page = world.add({"Name": "Bread"})
    items = [
        {"type": "text", "text": {"content": "Ask "}, "annotations": {"color": "red"}},
        {"type": "mention", "mention": {"user": {"id": world.notion.person}}},
        {"type": "text", "text": {"content": " soon"}, "annotations": {"bold": True}},
    ]
    write(world, page, "Notes", items)
    service = world.open(Mapped(("Notes",), forms={"Notes": "markdown"}))
    (record,) = service.fetch().records
    person = f"[@Ada](notion://user/{world.notion.person})"
    assert record.fields["Notes"] == f"Ask {person} **soon**"

    updated = service.update(record, {"Notes": f"Ask {person} __very soon__ or *later*"})

    assert updated.fields["Notes"] == f"Ask {person} **very soon** or *later*"
    assert shown(world, page, "Notes") == [
        ("text", "Ask ", ["color"]),
        ("mention", "@Ada", []),
        ("text", " very soon", ["bold"]),  # the blank was bold before, and nobody changed it
        ("text", " or ", []),
        ("text", "later", ["italic"]),
    ]
    world.notion.forget_requests()
    service.update(updated, updated.fields)
    assert world.notion.writes() == []


def test_a_text_with_more_mentions_than_a_page_shows_keeps_all_of_them(world: NotionWorld) -> None:
    page = world.add({"Name": "Bread"})
    person = world.notion.person
    write(world, page, "Notes", [{"type": "mention", "mention": {"user": {"id": person}}}] * 40)
    service = world.open(Mapped(("Notes",)))
    (record,) = service.fetch().records

    service.update(record, {"Notes": f"{record.fields['Notes']} and that is all"})

    assert [kind for kind, _, _ in shown(world, page, "Notes")] == ["mention"] * 40 + ["text"]


def test_an_edit_that_would_need_too_many_items_is_refused_and_leaves_the_page(world: NotionWorld) -> None:
    page = world.add({"Name": "Bread"})
    striped = [
        {"type": "text", "text": {"content": f"{number} "}, "annotations": {"bold": number % 2 == 0}}
        for number in range(100)
    ]
    write(world, page, "Notes", striped)
    service = world.open(Mapped(("Notes",)))
    (record,) = service.fetch().records

    with pytest.raises(RejectedError, match="'Notes'"):
        service.update(record, {"Notes": f"{record.fields['Notes']}{'x' * 3000}"})

    assert len(shown(world, page, "Notes")) == 100
