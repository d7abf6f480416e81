from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from sync_workers.errors import AccessError, MovedError, RejectedError, SettingsError
from sync_workers.model import Record
from sync_workers.services.base import Gone, Mapped, OutOfScope
from sync_workers.services.caldav import KIND, connect
from sync_workers.services.caldav.settings import CaldavCalendar, CaldavConnection
from tests.services.caldav.servers import PASSWORD, Servers
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


# Where the calendar is


def test_a_calendar_is_found_by_its_url_path_or_display_name(calendar: CaldavWorld) -> None:
    record_id = calendar.add({"summary": "Bread"})
    names = [
        calendar.url + calendar.path,
        calendar.path,
        calendar.path.rstrip("/"),
        f"To-dos {calendar.name}",
    ]
    for name in names:
        service = calendar.open(name)
        assert [record.id for record in service.fetch().records] == [record_id]
        assert service.setup()["container"] == calendar.url + calendar.path


def test_an_unknown_display_name_lists_those_that_are_there(calendar: CaldavWorld) -> None:
    with pytest.raises(SettingsError, match=rf"To-dos {calendar.name}.*{calendar.path}"):
        calendar.open("Nobody's").setup()


def test_a_display_name_that_two_calendars_have_is_refused_with_both_paths(calendar: CaldavWorld) -> None:
    twin = f"{calendar.server.home}{calendar.name}-twin/"
    calendar.make(twin, f"To-dos {calendar.name}")
    with pytest.raises(SettingsError, match="several") as caught:
        calendar.open(f"To-dos {calendar.name}").setup()
    assert twin in str(caught.value)
    assert calendar.path in str(caught.value)
    calendar.person.delete(twin)


def test_a_calendar_for_events_only_is_refused(calendar: CaldavWorld) -> None:
    events = f"{calendar.server.home}{calendar.name}-events/"
    calendar.make(events, "Events", "VEVENT")
    with pytest.raises(SettingsError, match="no to-dos"):
        calendar.open(events).fetch()
    calendar.person.delete(events)


def test_what_is_no_calendar_is_refused(calendar: CaldavWorld) -> None:
    with pytest.raises(SettingsError, match="no calendar"):
        calendar.open(calendar.server.home).fetch()


def test_a_calendar_that_is_not_there_is_a_matter_of_access_and_never_of_gone_records(
    calendar: CaldavWorld,
) -> None:
    record_id = calendar.add({"summary": "Bread"})
    service = calendar.open()
    start = service.fetch()
    calendar.person.delete(calendar.path)
    for call in (
        service.fetch,
        lambda: service.fetch(start.cursor),
        lambda: service.read([record_id]),
        lambda: service.create({"summary": "Milk"}, "one"),
        lambda: service.update(start.records[0], {"summary": "Milk"}),
    ):
        with pytest.raises(AccessError, match=calendar.path):
            call()


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


@pytest.mark.parametrize(
    "name", ["a b.ics", "100%41.ics", "x@y.ics", "käse+brot.ics", "a,b=c.ics", "(a)~b.ics"]
)
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


# The set-up


def test_a_wrong_login_is_refused_without_telling_it(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = CaldavWorld(servers.get("radicale"))
    monkeypatch.setenv("THEIR_PASSWORD", f"not {PASSWORD}")
    for login in ({}, {"username": "person", "password": {"env": "THEIR_PASSWORD"}}):
        connection = CaldavConnection.model_validate({"url": world.url, **login})
        service = connect(connection, CaldavCalendar(calendar=world.path), world.mapped)
        with pytest.raises(AccessError, match="login") as caught:
            service.fetch()
        assert PASSWORD not in str(caught.value)
        service.close()
    world.close()


def test_the_credential_s_fingerprint_changes_with_the_login_and_tells_nothing(
    calendar: CaldavWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    prints = set()
    for username, password in (("person", "a"), ("person", "b"), ("another", "a")):
        monkeypatch.setenv("THEIR_PASSWORD", password)
        login = {"url": calendar.url, "username": username, "password": {"env": "THEIR_PASSWORD"}}
        place = CaldavCalendar(calendar=calendar.path)
        service = connect(CaldavConnection.model_validate(login), place, calendar.mapped)
        prints.add(service.setup()["credential"])
        assert username not in str(service.setup()["credential"])
        service.close()
    assert len(prints) == 3


def test_a_login_in_a_url_is_refused() -> None:
    with pytest.raises(ValueError, match="login"):
        CaldavConnection.model_validate({"url": "http://person:hunter2@example.com/"})
    with pytest.raises(ValueError, match="login"):
        CaldavCalendar(calendar="http://person:hunter2@example.com/work/")


def test_two_views_of_one_property_cannot_both_be_mapped() -> None:
    connection = CaldavConnection.model_validate({"url": "http://localhost/"})
    with pytest.raises(SettingsError, match="map only one"):
        connect(connection, CaldavCalendar(calendar="/a/"), Mapped(("status", "done")))


def test_a_mapped_field_that_todos_do_not_have_is_named() -> None:
    connection = CaldavConnection.model_validate({"url": "http://localhost/"})
    with pytest.raises(SettingsError, match="sumary; there are summary"):
        connect(connection, CaldavCalendar(calendar="/a/"), Mapped(("sumary",)))


def test_fields_outside_the_map_are_not_written(calendar: CaldavWorld) -> None:
    with pytest.raises(RejectedError, match="location"):
        calendar.open().create({"summary": "a", "location": "b"}, "one")
    assert calendar.names() == set()


def test_records_are_matched_by_their_summary() -> None:
    assert KIND.title == "summary"


@pytest.mark.parametrize("missing", ["caldav", "icalendar"])
def test_a_missing_library_names_the_extra(missing: str, tmp_path: Path) -> None:
    program = textwrap.dedent(f"""
        import sys
        sys.modules[{missing!r}] = None
        from sync_workers.errors import MissingExtraError
        from sync_workers.services import find
        from sync_workers.services.base import Mapped
        kind = find("caldav")
        place = kind.container(calendar="/a/")
        try:
            kind.connect(kind.connection(url="http://localhost/"), place, Mapped())
        except MissingExtraError as error:
            print(error)
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert "pip install 'sync-workers[caldav]'" in done.stdout, done.stderr


def test_the_libraries_are_not_imported_before_they_are_needed(tmp_path: Path) -> None:
    program = (
        "import sys; from sync_workers.services import find; find('caldav'); "
        "print(sorted({'caldav', 'icalendar', 'niquests'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"
