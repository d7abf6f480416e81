"""Which to-do stands under which: by UID in the calendar, by record id for the sync."""

from __future__ import annotations

import pytest

from sync_workers.errors import RejectedError
from sync_workers.model import ID, Record
from sync_workers.services.base import Mapped
from sync_workers.services.caldav.service import CaldavService
from tests.services.caldav.test_service import shown
from tests.services.caldav.texts import parse
from tests.services.caldav.world import CaldavWorld

MAPPED = Mapped(("summary", "parent"), key="summary")


def put(calendar: CaldavWorld, name: str, *own: str) -> str:
    body = "".join(f"{line}\r\n" for line in (f"UID:uid-of-{name}", "DTSTAMP:20260101T000000Z", *own))
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VTODO\r\n{body}END:VTODO\r\n"
    return calendar.put(f"{name}.ics", f"{text}END:VCALENDAR\r\n")


@pytest.mark.parametrize(
    ("own", "uid"),
    [
        (["RELATED-TO:above"], "above"),
        (["RELATED-TO;RELTYPE=PARENT:above"], "above"),
        (["RELATED-TO;RELTYPE=parent:above"], "above"),
        (["RELATED-TO;RELTYPE=SIBLING:beside", "RELATED-TO;RELTYPE=PARENT:above"], "above"),
        (["RELATED-TO;RELTYPE=CHILD:below"], None),
        (["RELATED-TO:"], None),
        ([], None),
    ],
)
def test_the_parent_is_the_relation_that_says_so_or_says_nothing(own: list[str], uid: str | None) -> None:
    assert parse(*own).parent_uid == uid


def test_a_listing_shows_each_record_under_its_parent(calendar: CaldavWorld) -> None:
    put(calendar, "a-child", "RELATED-TO;RELTYPE=PARENT:uid-of-mother")
    put(calendar, "mother")
    put(calendar, "z-child", "RELATED-TO:uid-of-mother")
    put(calendar, "orphan", "RELATED-TO:uid-of-nobody")
    put(calendar, "own-mother", "RELATED-TO:uid-of-own-mother")

    parents = {name: record.about.parent for name, record in shown(calendar).items()}

    assert parents == {
        "a-child.ics": "mother.ics",
        "z-child.ics": "mother.ics",
        **dict.fromkeys(["mother.ics", "orphan.ics", "own-mother.ics"]),
    }


def test_a_parent_that_is_archived_is_none(calendar: CaldavWorld) -> None:
    put(calendar, "child", "RELATED-TO:uid-of-mother")
    mother = put(calendar, "mother")
    service = calendar.open()
    service.archive({record.id: record for record in service.fetch().records}[mother])
    assert shown(calendar)["child.ics"].about.parent is None


def test_a_child_that_leaves_its_parent_has_none(calendar: CaldavWorld) -> None:
    put(calendar, "mother")
    child = put(calendar, "child", "RELATED-TO:uid-of-mother")
    service = calendar.open()
    service.fetch()
    put(calendar, "child")
    assert {record.about.parent for record in service.fetch().records} == {None}
    assert shown(calendar)[child].about.parent is None


# --- the parent as a field ---


def fetched(service: CaldavService) -> dict[ID, Record]:
    return {record.id: record for record in service.fetch().records}


def test_the_field_names_the_parent_by_its_record_whether_that_is_shown_or_not(calendar: CaldavWorld) -> None:
    put(calendar, "child", "RELATED-TO:uid-of-mother")
    mother = put(calendar, "mother")
    put(calendar, "orphan", "RELATED-TO:uid-of-nobody")
    put(calendar, "own-mother", "RELATED-TO:uid-of-own-mother")
    put(calendar, "other child", "RELATED-TO:uid-of-away")
    away = put(calendar, "away")
    service = calendar.open(mapped=MAPPED)
    service.archive(fetched(service)[away])

    parents = {name: record.fields["parent"] for name, record in fetched(service).items()}

    assert parents == {
        "child.ics": mother,
        "orphan.ics": "uid-of-nobody.ics",
        "other child.ics": away,
        **dict.fromkeys(["mother.ics", "own-mother.ics"]),
    }


def test_a_child_that_comes_alone_finds_its_parent(calendar: CaldavWorld) -> None:
    mother = put(calendar, "mother")
    put(calendar, "mother-in-law")
    for number in range(8):
        put(calendar, f"more {number}")
    cursor = calendar.open(mapped=MAPPED).fetch().cursor
    assert cursor is not None
    child = put(calendar, "child", "RELATED-TO:uid-of-mother")

    service = calendar.open(mapped=MAPPED)
    (change,) = service.fetch(cursor).records
    read = service.read([child])[child]

    assert change.id == child
    assert change.fields["parent"] == mother
    assert isinstance(read, Record)
    assert read.fields["parent"] == mother


def test_a_parent_that_goes_leaves_its_name_to_its_children(calendar: CaldavWorld) -> None:
    service = calendar.open(mapped=MAPPED)
    mother = service.create({"summary": "mother"}, "one")
    child = service.create({"summary": "child", "parent": mother.id}, "two")
    service.delete(mother)
    again = fetched(calendar.open(mapped=MAPPED))[child.id]
    assert (again.fields["parent"], again.about.parent) == (mother.id, None)


def test_a_to_do_is_made_put_elsewhere_and_taken_away_below_others(calendar: CaldavWorld) -> None:
    service = calendar.open(mapped=MAPPED)
    mother = put(calendar, "mother")
    other = put(calendar, "odd name")
    child = service.create({"summary": "child", "parent": mother}, "one")
    assert (child.fields["parent"], child.about.parent) == (mother, mother)
    assert "RELATED-TO;RELTYPE=PARENT:uid-of-mother\r\n" in calendar.text(child.id)

    child = calendar.open(mapped=MAPPED).update(child, {"parent": other})
    assert child.fields["parent"] == other
    assert "RELATED-TO;RELTYPE=PARENT:uid-of-odd name\r\n" in calendar.text(child.id)

    child = service.update(child, {"parent": None})
    assert (child.fields["parent"], child.about.parent) == (None, None)
    assert "RELATED-TO" not in calendar.text(child.id)


def test_relations_of_other_kinds_stay(calendar: CaldavWorld) -> None:
    lines = (
        "RELATED-TO;RELTYPE=SIBLING:uid-of-sister",
        "RELATED-TO;X-ODD=1:uid-of-mother",
        "RELATED-TO;RELTYPE=CHILD:uid-of-daughter",
    )
    put(calendar, "mother")
    new = put(calendar, "new mother")
    child = put(calendar, "child", *lines)
    service = calendar.open(mapped=MAPPED)

    record = service.update(fetched(service)[child], {"parent": new})

    assert record.fields["parent"] == new
    related = [line for line in calendar.text(child).split("\r\n") if line.startswith("RELATED-TO")]
    assert related == [lines[0], "RELATED-TO;RELTYPE=PARENT:uid-of-new mother", lines[2]]


def test_the_same_parent_writes_nothing(calendar: CaldavWorld) -> None:
    mother = put(calendar, "mother")
    child = put(calendar, "child", "RELATED-TO:uid-of-mother")
    service = calendar.open(mapped=MAPPED)
    text = calendar.text(child)
    service.update(fetched(service)[child], {"parent": mother})
    assert calendar.text(child) == text


def test_what_names_no_to_do_is_refused(calendar: CaldavWorld) -> None:
    service = calendar.open(mapped=MAPPED)
    for value in (["a.ics"], 3, "a\nb"):
        with pytest.raises(RejectedError, match="the id of one to-do"):
            service.create({"summary": "child", "parent": value}, "one")
