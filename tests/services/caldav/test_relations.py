"""Which to-do stands under which: by UID in the calendar, by record id for the sync."""

from __future__ import annotations

import pytest

from tests.services.caldav.test_service import shown
from tests.services.caldav.texts import parse
from tests.services.caldav.world import CaldavWorld


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
