"""Relations of a real data source: where they lead, which row is above which, and what Notion hides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import RejectedError, SettingsError
from sync_workers.model import ID, Record
from sync_workers.services.base import Mapped, Reveals
from tests.services.notion.calls import PAGE, Calls, error, page, scripted_calls
from tests.services.notion.scripted_server import Answer
from tests.services.notion.world import NotionWorld, notion_world

NAMES = Mapped(("Name",), key="Name")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NotionWorld]:
    with notion_world(tmp_path) as world:
        dual = {"data_source_id": world.source, "dual_property": {"synced_property_name": "Sub-item"}}
        world.call(
            "PATCH", f"data_sources/{world.source}", {"properties": {"Parent item": {"relation": dual}}}
        )
        yield world


@pytest.fixture
def calls(tmp_path: Path) -> Iterator[Calls]:
    with scripted_calls(tmp_path) as calls:
        yield calls


def family(world: NotionWorld) -> tuple[ID, ID]:
    mother = world.notion.add_page(world.source, {"Name": "mother"})
    return mother, world.notion.add_page(world.source, {"Name": "child", "Parent item": [mother]})


def parents(world: NotionWorld, mapped: Mapped) -> dict[ID, ID | None]:
    world.own = {"parent": "Parent item"}
    return {record.id: record.about.parent for record in world.open(mapped).fetch().records}


@pytest.mark.parametrize("names", [("Name",), ("Name", "Parent item")], ids=["beside", "mapped"])
def test_a_row_is_shown_under_its_parent(world: NotionWorld, names: tuple[str, ...]) -> None:
    mother, child = family(world)
    mapped = Mapped(names, key="Name")
    assert parents(world, mapped) == {mother: None, child: mother}
    found = world.open(mapped).read([child])[child]
    assert isinstance(found, Record)
    assert found.about.parent == mother
    assert set(found.fields) == set(names)


def test_a_row_above_itself_is_under_none(world: NotionWorld) -> None:
    mother, _ = family(world)
    world.notion.edit_page(mother, {"Parent item": [mother]})
    assert parents(world, NAMES)[mother] is None


def test_the_parent_says_nothing_about_what_a_record_holds(world: NotionWorld) -> None:
    before = world.open(NAMES).setup()
    world.own = {"parent": "Parent item"}
    assert world.open(NAMES).setup() == before


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Parent itm", "there is no such property: did you mean 'Parent item'"),
        ("Shop", "it points to data source .*: there are 'Parent item', 'Sub-item'"),
        ("Price", "it has the type number: there are 'Parent item', 'Sub-item'"),
    ],
)
def test_a_parent_that_cannot_serve_is_named_with_the_remedy(
    world: NotionWorld, name: str, said: str
) -> None:
    world.own = {"parent": name}
    with pytest.raises(SettingsError, match=f"parent = {name!r} must name a relation .*{said}"):
        world.open(NAMES).setup()


def test_without_sub_items_the_remedy_is_to_turn_them_on(tmp_path: Path) -> None:
    with notion_world(tmp_path) as world:
        world.own = {"parent": "Parent item"}
        with pytest.raises(SettingsError, match="turn on sub-items in Notion, or leave `parent` out"):
            world.open(NAMES).setup()


def test_a_relation_says_where_it_leads_and_what_shows_it_there(world: NotionWorld) -> None:
    schema = world.open(NAMES).schema()
    shop, above, below = (schema[name] for name in ("Shop", "Parent item", "Sub-item"))
    assert (above.points_to, above.twin) == (world.source, "Sub-item")
    assert (below.points_to, below.twin) == (world.source, "Parent item")
    assert shop.points_to
    assert (shop.points_to == world.source, shop.twin) == (False, "")
    assert (schema["Owner"].points_to, schema["Name"].points_to) == ("", "")


def test_what_notion_shows_or_a_person_put_into_the_trash_is_revealed(world: NotionWorld) -> None:
    mother, child = family(world)
    world.notion.trash_page(child)
    service = world.open(NAMES)
    assert isinstance(service, Reveals)
    shop = world.samples["Shop"][0][0]
    assert service.revealed([mother, child, shop]) == {mother, child, shop}


@pytest.mark.parametrize(
    ("flags", "is_revealed"),
    [
        ({}, True),
        ({"in_trash": True}, True),
        ({"is_archived": True}, False),
        ({"in_trash": True, "is_archived": True}, True),
    ],
)
def test_of_an_archived_page_nothing_is_concluded(
    calls: Calls, flags: dict[str, Any], is_revealed: bool
) -> None:
    calls.shown = page(**flags)
    assert calls.service.revealed([PAGE]) == (frozenset([PAGE]) if is_revealed else frozenset())


@pytest.mark.parametrize("answer", [error(404, "object_not_found"), error(400, "validation_error")])
def test_what_notion_does_not_show_is_not_revealed(calls: Calls, answer: dict[str, Any]) -> None:
    calls.script.reply = lambda _: Answer(answer["status"], answer)
    assert calls.service.revealed([PAGE]) == frozenset()


def test_more_than_a_page_shows_is_read_and_more_than_a_write_takes_is_refused(world: NotionWorld) -> None:
    mapped = Mapped(("Name", "Sub-item"), key="Name")
    rows = [world.notion.add_page(world.source, {"Name": str(number)}) for number in range(101)]
    mother = world.notion.add_page(world.source, {"Name": "mother", "Sub-item": rows[:60]})
    service = world.open(mapped)
    found = service.read([mother])[mother]
    assert isinstance(found, Record)
    assert found.fields["Sub-item"] == rows[:60]
    assert service.update(found, {"Sub-item": rows[:100]}).fields["Sub-item"] == rows[:100]
    with pytest.raises(RejectedError, match=r"'Sub-item' .* takes at most 100 items"):
        service.create({"Name": "other", "Sub-item": rows}, "one")
