from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from sync_workers.services.caldav.fields import with_values
from sync_workers.services.caldav.todo import Setting, ToDo
from tests.services.caldav.texts import (
    NOW,
    RULES,
    object_text,
    parse,
    value,
)

BERLIN = ZoneInfo("Europe/Berlin")


@given(st.dates(min_value=date(1, 1, 1)), st.sampled_from(["due", "start"]))
def test_a_day_stays_a_day(day: date, field: str) -> None:
    shown = value(with_values(parse(), {field: day}, NOW), field)
    assert shown == day
    assert not isinstance(shown, datetime)


ZONES = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]
MOMENTS = st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2037, 1, 1)).map(  # noqa: DTZ001 - the zone is added
    lambda moment: moment.replace(microsecond=0)
)


@given(MOMENTS, st.sampled_from(ZONES), st.booleans())
def test_a_moment_keeps_its_instant_and_its_zone(moment: datetime, key: str, second: bool) -> None:
    written = moment.replace(tzinfo=ZoneInfo(key), fold=int(second))
    shown = value(with_values(parse(), {"due": written}, NOW), "due")
    # Compared in UTC: times of one zone are compared by their hands alone.
    assert shown.astimezone(UTC) == written.astimezone(UTC)
    if written.utcoffset() == written.replace(fold=0).utcoffset():
        assert shown.tzinfo == ZoneInfo(key) or key == "UTC"


def test_the_second_of_two_equal_hours_is_written_in_utc() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    second = first.replace(fold=1)
    for written, line in (
        (first, "DUE;TZID=Europe/Berlin:20261025T023000"),
        (second, "DUE:20261025T013000Z"),
    ):
        todo = with_values(parse(), {"due": written}, NOW)
        assert f"{line}\r\n" in todo.text
        assert value(todo, "due").astimezone(UTC) == written.astimezone(UTC)


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_a_moment_with_an_offset_keeps_its_instant(moment: datetime, minutes: int) -> None:
    written = moment.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert value(with_values(parse(), {"due": written}, NOW), "due") == written


def test_a_moment_with_an_offset_is_written_in_the_zone_that_is_there() -> None:
    todo = parse("DUE;TZID=Europe/Berlin:20260701T090000")
    moved = with_values(todo, {"due": datetime(2026, 12, 1, 9, tzinfo=UTC)}, NOW)
    assert "DUE;TZID=Europe/Berlin:20261201T100000\r\n" in moved.text


def test_a_zone_that_is_named_is_described_once() -> None:
    once = with_values(parse(), {"due": NOW.astimezone(BERLIN)}, NOW)
    twice = with_values(once, {"start": NOW.astimezone(BERLIN)}, NOW)
    assert twice.text.count("TZID:Europe/Berlin\r\n") == 1
    assert twice.text.index("END:VTIMEZONE") < twice.text.index("BEGIN:VTODO")


def test_a_zone_whose_name_only_begins_alike_is_not_taken_for_it() -> None:
    there = f"BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin-ish\r\n{RULES}\r\nEND:VTIMEZONE"
    todo = ToDo.parse(object_text(before=there), Setting())
    assert todo is not None
    assert "TZID:Europe/Berlin\r\n" in with_values(todo, {"due": NOW.astimezone(BERLIN)}, NOW).text


def test_a_floating_time_is_meant_in_the_zone_of_the_calendar() -> None:
    todo = parse("DUE:20260701T090000", setting=Setting(zone=BERLIN))
    assert value(todo, "due") == datetime(2026, 7, 1, 9, tzinfo=BERLIN)
    assert value(parse("DUE:20260701T090000"), "due") == datetime(2026, 7, 1, 9, tzinfo=UTC)


def test_a_floating_time_stays_floating_while_other_fields_change() -> None:
    patched = with_values(parse("DUE:20260701T090000"), {"summary": "New"}, NOW)
    assert "DUE:20260701T090000\r\n" in patched.text


def test_a_zone_that_only_the_object_knows_gives_its_instant() -> None:
    zone = f"BEGIN:VTIMEZONE\r\nTZID:Our Office\r\n{RULES}\r\nEND:VTIMEZONE"
    todo = ToDo.parse(object_text(["DUE;TZID=Our Office:20260701T090000"], before=zone), Setting())
    assert todo is not None
    assert value(todo, "due") == datetime(2026, 7, 1, 6, tzinfo=UTC)
    assert isinstance(value(todo, "due").tzinfo, timezone)


def test_a_start_and_a_duration_say_when_it_is_due() -> None:
    todo = parse("DTSTART:20260701T090000Z", "DURATION:PT2H")
    assert value(todo, "due") == datetime(2026, 7, 1, 11, tzinfo=UTC)
    later = with_values(todo, {"due": datetime(2026, 7, 2, 11, tzinfo=UTC)}, NOW)
    assert "DURATION" not in later.text
    assert value(with_values(todo, {"due": None}, NOW), "due") is None
