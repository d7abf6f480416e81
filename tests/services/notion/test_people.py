"""People by e-mail address or name, over HTTP against the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import MovedError, RejectedError, SettingsError
from sync_workers.model import Record
from sync_workers.services.base import Kind, Mapped
from sync_workers.services.notion.service import NotionService
from tests.services.notion.world import NotionWorld, notion_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[NotionWorld]:
    with notion_world(tmp_path) as world:
        yield world


def by(world: NotionWorld, form: str, *names: str) -> NotionService:
    names = ("Owner", *names)
    return world.open(Mapped(names, forms=dict.fromkeys(names, form)))


def owners(world: NotionWorld) -> list[str]:
    """The ids of grace and alan."""
    ids: list[str] = world.samples["Owner"][1]
    return ids


def only(service: NotionService) -> Record:
    (record,) = service.fetch().records
    return record


@pytest.mark.parametrize(
    ("form", "expected"),
    [("email", ["grace@example.com", "alan@example.com"]), ("name", ["grace", "alan"]), ("id", None)],
)
def test_people_are_read_and_found_in_the_form_that_the_task_chose(
    world: NotionWorld, form: str, expected: Any
) -> None:
    page = world.add({"Name": "Bread", "Owner": owners(world)})
    expected = expected or owners(world)
    service = by(world, form)
    assert service.schema()["Owner"].kind is (Kind.REFERENCES if form == "id" else Kind.CHOICES)
    record = only(service)
    assert record.fields["Owner"] == expected

    updated = service.update(record, {"Owner": expected[:1]})

    assert updated.fields["Owner"] == expected[:1]
    assert world.notion.page(page).values["Owner"] == owners(world)[:1]


def test_everyone_is_asked_for_once_and_only_when_somebody_is_looked_for(world: NotionWorld) -> None:
    world.add({"Name": "Bread", "Owner": owners(world)[:1]})
    service = by(world, "email")
    record = only(service)
    assert ("GET", "users") not in world.calls()

    record = service.update(record, {"Owner": ["ADA@example.com"]})  # addresses know no capitals
    service.update(record, {"Owner": ["alan@example.com"]})

    assert record.fields["Owner"] == ["ada@example.com"]
    assert world.calls().count(("GET", "users")) == 1


@pytest.mark.parametrize(
    ("form", "told", "why"),
    [
        ("email", "eve@example.com", "not in Notion by that e-mail address"),
        ("name", "eve", "not in Notion by that name"),
        ("name", "grace", "2 in Notion"),
    ],
)
def test_who_is_unknown_or_not_told_from_others_is_refused_and_not_guessed(
    world: NotionWorld, form: str, told: str, why: str
) -> None:
    world.notion.add_user("Grace", "grace.two@example.com")
    page = world.add({"Name": "Bread"})
    service = by(world, form)
    record = only(service)

    with pytest.raises(RejectedError, match=f"'Owner'.*{why}") as caught:
        service.update(record, {"Owner": [told]})

    assert "eve" not in str(caught.value)
    assert world.notion.page(page).values["Owner"] == []
    with pytest.raises(RejectedError):
        service.create({"Owner": [told]}, "one")


def test_somebody_whose_address_is_hidden_hides_the_field_and_not_the_row(world: NotionWorld) -> None:
    page = world.add({"Name": "Bread", "Owner": owners(world)[:1]})
    world.notion.store.shows_emails = False
    service = world.open(Mapped(("Name", "Owner"), forms={"Owner": "email"}))

    record = only(service)

    assert dict(record.fields) == {"Name": "Bread"}
    assert list(record.about.unread) == ["Owner"]
    assert "capability to read user information" in record.about.unread["Owner"]
    found = service.read([page])[page]
    assert isinstance(found, Record)
    assert found.about.unread == record.about.unread


def test_a_row_is_written_although_one_of_its_fields_cannot_be_read(world: NotionWorld) -> None:
    page = world.add({"Name": "Bread", "Owner": owners(world)[:1]})
    world.notion.store.shows_emails = False
    service = world.open(Mapped(("Name", "Owner"), forms={"Owner": "email"}))

    updated = service.update(only(service), {"Name": "Milk"})

    assert updated.fields == {"Name": "Milk"}
    assert world.notion.page(page).values["Owner"] == owners(world)[:1]


def test_a_field_that_is_hidden_since_it_was_read_may_have_been_edited(world: NotionWorld) -> None:
    world.add({"Name": "Bread", "Owner": owners(world)[:1]})
    record = only(world.open(Mapped(("Name", "Owner"), forms={"Owner": "email"})))
    world.notion.store.shows_emails = False
    service = world.open(Mapped(("Name", "Owner"), forms={"Owner": "email"}))

    with pytest.raises(MovedError):
        service.update(record, {"Name": "Milk"})
    with pytest.raises(MovedError):
        service.delete(record)


def test_somebody_who_cannot_be_seen_was_perhaps_put_where_nobody_was(world: NotionWorld) -> None:
    page = world.add({"Name": "Bread", "Owner": []})
    service = world.open(Mapped(("Name", "Owner"), forms={"Owner": "email"}))
    record = only(service)
    world.notion.store.shows_emails = False
    world.notion.edit_page(page, {"Owner": owners(world)[:1]})

    with pytest.raises(MovedError):
        service.update(record, {"Name": "Milk"})


def test_a_refusal_names_all_the_fields_that_it_is_about(world: NotionWorld) -> None:
    page = world.add({"Name": "Bread"})
    service = world.open(Mapped(("Name", "Owner", "Link"), forms={"Owner": "email"}))
    (record,) = service.fetch().records
    bad = {"Owner": ["eve@example.com"], "Link": "x" * 3000}

    with pytest.raises(RejectedError) as caught:
        service.create({"Name": "Milk", **bad}, "one")
    assert caught.value.fields == ("Owner", "Link")
    with pytest.raises(RejectedError) as caught:
        service.update(record, {"Name": "Milk", **bad})
    assert set(caught.value.fields) <= {"Owner", "Link"}
    assert caught.value.fields
    # without its title no row is written
    with pytest.raises(RejectedError) as caught:
        service.create({"Name": 5, **bad}, "one")
    assert caught.value.fields == ()
    assert [row.values["Name"] for row in world.notion.pages(world.source)] == ["Bread"]
    assert world.notion.page(page).values["Name"] == "Bread"


def test_a_guest_whom_the_list_of_users_does_not_show_is_found_where_they_are(world: NotionWorld) -> None:
    guest = owners(world)[0]
    page = world.add({"Name": "Bread", "Owner": [guest]})
    service = by(world, "email")
    record = only(service)
    world.notion.store.guests.add(guest)

    updated = service.update(record, {"Owner": ["alan@example.com", "grace@example.com"]})

    assert updated.fields["Owner"] == ["alan@example.com", "grace@example.com"]
    assert set(world.notion.page(page).values["Owner"]) == set(owners(world))


def test_the_bot_that_made_a_row_has_no_address_and_hides_none(world: NotionWorld) -> None:
    world.call("PATCH", f"data_sources/{world.source}", {"properties": {"Maker": {"created_by": {}}}})
    made = by(world, "id").create({"Owner": []}, "one")
    assert by(world, "email", "Maker").read([made.id])[made.id] == Record(
        made.id, {"Owner": [], "Maker": []}, made.modified, about=made.about
    )
    assert only(by(world, "name", "Maker")).fields["Maker"] == ["Sync"]


def test_a_form_that_does_not_fit_the_type_is_told_with_those_that_do(world: NotionWorld) -> None:
    with pytest.raises(SettingsError) as caught:
        world.open(Mapped(("Owner", "Price"), forms={"Owner": "markdown", "Price": "email"})).fetch()
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "form = \"markdown\" does not fit property 'Owner' of the type people",
        "form = \"email\" does not fit property 'Price' of the type number",
    ]
