from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest

from sync_workers.errors import MovedError
from sync_workers.model import Record
from sync_workers.services.base import Gone, OutOfScope
from tests.services.caldav.world import CaldavWorld

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VEVENT\r\nUID:event-1\r\n"
    "DTSTAMP:20260101T000000Z\r\nDTSTART:20260101T000000Z\r\nSUMMARY:Not a to-do\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)
RICH = textwrap.dedent("""\
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//x//EN
    BEGIN:VTODO
    UID:rich-1
    DTSTAMP:20260101T000000Z
    SUMMARY:Water the plants
    DTSTART;VALUE=DATE:20260105
    DUE;VALUE=DATE:20260106
    RRULE:FREQ=WEEKLY;BYDAY=MO
    X-APPLE-SORT-ORDER:712345678
    RELATED-TO;RELTYPE=PARENT:someone
    BEGIN:VALARM
    TRIGGER:-PT15M
    ACTION:DISPLAY
    DESCRIPTION:Wake up
    END:VALARM
    END:VTODO
    BEGIN:VTODO
    UID:rich-1
    DTSTAMP:20260101T000000Z
    RECURRENCE-ID;VALUE=DATE:20260112
    SUMMARY:Only on the twelfth
    END:VTODO
    END:VCALENDAR
    """)


def shown(world: CaldavWorld) -> dict[str, Record]:
    return {record.id: record for record in world.open().fetch().records}


# The change feed


def test_a_token_that_the_server_refuses_brings_everything_back(calendar: CaldavWorld) -> None:
    record_id = calendar.add({"summary": "Bread"})
    cursor = calendar.open().fetch().cursor
    assert cursor is not None
    for token in ("http://example.com/unknown", cursor[:-4] + "0000", "", "x"):
        fetched = calendar.open().fetch(f"9:{token}")
        assert [record.id for record in fetched.records] == [record_id]
        assert fetched.reset
        assert fetched.complete
        assert fetched.tombstones == ()


def test_a_feed_that_brings_most_of_the_calendar_is_replaced_by_a_complete_listing(
    calendar: CaldavWorld,
) -> None:
    ids = [calendar.add({"summary": name}) for name in ("a", "b", "c")]
    cursor = calendar.open().fetch().cursor
    for record_id in ids[:2]:
        calendar.edit(record_id, {"summary": "new"})
    fetched = calendar.open().fetch(cursor)
    assert {record.id for record in fetched.records} == set(ids)
    assert fetched.reset
    assert fetched.complete


def test_the_feed_goes_on_from_run_to_run(calendar: CaldavWorld) -> None:
    ids = [calendar.add({"summary": str(number)}) for number in range(5)]
    service = calendar.open()
    fetched = service.fetch()
    for step, record_id in enumerate(ids):
        if step % 2:
            calendar.remove(record_id)
        else:
            calendar.edit(record_id, {"summary": f"new {step}"})
        fetched = service.fetch(fetched.cursor)
        assert not fetched.reset
        assert [record.id for record in fetched.records] == ([] if step % 2 else [record_id])
        assert fetched.tombstones == ((record_id,) if step % 2 else ())


def test_events_are_no_records(calendar: CaldavWorld) -> None:
    record_id = calendar.add({"summary": "Bread"})
    calendar.add({"summary": "Milk"})
    cursor = calendar.open().fetch().cursor
    calendar.put("event.ics", EVENT)
    assert record_id in shown(calendar)
    assert "event.ics" not in shown(calendar)
    assert calendar.open().fetch(cursor).records == ()
    assert calendar.open().read(["event.ics"]) == {"event.ics": OutOfScope("event.ics", "not a to-do")}


# Writes


def test_an_update_keeps_alarms_rules_other_days_and_what_is_not_known(calendar: CaldavWorld) -> None:
    calendar.put("rich.ics", RICH)
    before = set(calendar.text("rich.ics").splitlines())
    record = shown(calendar)["rich.ics"]
    assert record.fields["summary"] == "Water the plants"

    calendar.open().update(record, {"summary": "Water all plants"})

    after = set(calendar.text("rich.ics").splitlines())
    gone = {line for line in before - after if not line.startswith(("DTSTAMP", "LAST-MODIFIED"))}
    new = {line for line in after - before if not line.startswith(("DTSTAMP", "LAST-MODIFIED"))}
    assert gone == {"SUMMARY:Water the plants"}
    assert new == {"SUMMARY:Water all plants"}


def test_a_repeated_create_finds_its_record_wherever_it_was_moved(calendar: CaldavWorld) -> None:
    made = calendar.open().create({"summary": "Bread"}, "one")
    text = calendar.text(made.id)
    calendar.remove(made.id)
    calendar.put("renamed.ics", text)

    again = calendar.open().create({"summary": "Bread"}, "one")

    assert again.id == "renamed.ics"
    assert calendar.names() == {"renamed.ics"}


def test_a_repeated_create_leaves_what_a_person_wrote_meanwhile(calendar: CaldavWorld) -> None:
    made = calendar.open().create({"summary": "Bread"}, "one")
    calendar.edit(made.id, {"summary": "Fresh bread"})
    assert calendar.open().create({"summary": "Bread"}, "one").fields["summary"] == "Fresh bread"


def test_a_create_after_the_deletion_of_the_first_one_makes_it_again(calendar: CaldavWorld) -> None:
    made = calendar.open().create({"summary": "Bread"}, "one")
    calendar.remove(made.id)
    assert calendar.open().create({"summary": "Bread"}, "one").id == made.id
    assert len(calendar.names()) == 1


def test_the_same_idempotency_makes_different_records_in_different_calendars(calendar: CaldavWorld) -> None:
    other = f"{calendar.server.home}{calendar.name}-other/"
    calendar.make(other, "Other")
    one = calendar.open().create({"summary": "Bread"}, "one")
    two = calendar.open(other).create({"summary": "Bread"}, "one")
    assert one.id != two.id
    calendar.person.delete(other)


def test_archived_records_stay_in_the_calendar_out_of_the_task_s_sight(calendar: CaldavWorld) -> None:
    record_id = calendar.add({"summary": "Bread"})
    calendar.add({"summary": "Milk"})
    calendar.add({"summary": "Butter"})
    service = calendar.open()
    start = service.fetch()

    service.archive({record.id: record for record in start.records}[record_id])

    assert "STATUS:CANCELLED" in calendar.text(record_id)
    assert record_id not in shown(calendar)
    assert service.fetch(start.cursor).tombstones == (record_id,)
    assert service.read([record_id]) == {record_id: OutOfScope(record_id, "archived")}
    record = {record.id: record for record in start.records}[record_id]
    with pytest.raises(MovedError):
        service.update(record, {"summary": "New"})


def test_what_was_archived_comes_back_when_it_is_created_again(calendar: CaldavWorld) -> None:
    service = calendar.open()
    service.archive(service.create({"summary": "Bread"}, "one"))
    back = service.create({"summary": "Fresh bread"}, "one")
    assert shown(calendar)[back.id].fields["summary"] == "Fresh bread"
    assert "STATUS" not in calendar.text(back.id)
    assert len(calendar.names()) == 1


def test_a_cancelled_todo_of_a_person_is_still_a_record(calendar: CaldavWorld) -> None:
    record_id = calendar.add({"summary": "Bread", "status": "CANCELLED"})
    assert record_id in shown(calendar)


def test_archiving_or_deleting_what_is_gone_is_success(calendar: CaldavWorld) -> None:
    record_id = calendar.add({"summary": "Bread"})
    record = shown(calendar)[record_id]
    calendar.remove(record_id)
    calendar.open().archive(record)
    calendar.open().delete(record)
    calendar.open().delete(replace(record, version=None))


def test_without_a_version_the_fields_decide_whether_it_moved(calendar: CaldavWorld) -> None:
    record_id = calendar.add({"summary": "Bread"})
    record = replace(shown(calendar)[record_id], version=None)
    calendar.edit(record_id, {"description": "not mapped"})
    updated = calendar.open().update(record, {"summary": "Milk"})
    with pytest.raises(MovedError):
        calendar.open().update(record, {"summary": "Butter"})
    with pytest.raises(MovedError):
        calendar.open().delete(record)
    calendar.open().delete(replace(updated, version=None))
    assert calendar.names() == set()


@pytest.mark.parametrize("name", ["a b.ics", "100%41.ics", "x@y.ics", "käse+brot.ics", "(a)~b.ics"])
def test_odd_names_are_ids_like_any_other(calendar: CaldavWorld, name: str) -> None:
    calendar.put(name, RICH)
    service = calendar.open()
    assert list(shown(calendar)) == [name]
    assert isinstance(service.read([name])[name], Record)
    updated = service.update(shown(calendar)[name], {"summary": "New"})
    assert updated.id == name
    service.delete(updated)
    assert service.read([name]) == {name: Gone(name)}


def test_many_ids_are_asked_for_in_parts(calendar: CaldavWorld) -> None:
    there = calendar.add({"summary": "Bread"})
    ids = [f"missing-{number}.ics" for number in range(250)]
    found = calendar.open().read([*ids, there, there])
    assert {record_id for record_id in ids if found[record_id] == Gone(record_id)} == set(ids)
    assert isinstance(found[there], Record)
