from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.errors import RejectedError
from sync_workers.services.caldav.fields import FIELDS, values_of, with_values
from sync_workers.services.caldav.lines import patch
from sync_workers.services.caldav.todo import Setting, ToDo, UnreadableError
from sync_workers.values import DateRange, same

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

# What calendar programs write and this one knows nothing about, some of it against the rules.
FOREIGN = [
    "X-APPLE-SORT-ORDER:712345678",
    'x-lower;X-Param="quoted; , : text":raw;semi,comma\\;\\n',
    "RRULE:FREQ=WEEKLY;BYDAY=MO;X-THING=1",
    "RELATED-TO;RELTYPE=PARENT:someone-else",
    "ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY:aGVsbG8=",
    "GEO:52.5;13.4",
    "SEQUENCE:7",
    "X-BROKEN;VALUE=DATE:no date",
    "X-LONG:" + "0123456789" * 6 + "\r\n " + "0123456789" * 6 + "\r\n\tabc",
    "COMMENT:one",
    "COMMENT:two",
]
ALARM = "BEGIN:VALARM\r\nTRIGGER:-PT15M\r\nACTION:DISPLAY\r\nDESCRIPTION:Wake up\r\nSUMMARY:No\r\nEND:VALARM"
RULES = "BEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0300\r\nTZOFFSETTO:+0300\r\nEND:STANDARD"
ODD_ZONE = f"BEGIN:VTIMEZONE\r\nTZID:Odd\r\nX-A:b\r\n{RULES}\r\nEND:VTIMEZONE"
OTHER_DAY = "BEGIN:VTODO\r\nUID:1\r\nRECURRENCE-ID:20260708T090000Z\r\nSUMMARY:Only that day\r\nEND:VTODO"


def object_text(own: Sequence[str] = (), before: str = "", inside: str = "", after: str = "") -> str:
    todo = ["BEGIN:VTODO", "UID:1", *own, *filter(None, [inside]), "END:VTODO"]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", *filter(None, [before]), *todo, *filter(None, [after])]
    return "".join(f"{line}\r\n" for line in [*lines, "END:VCALENDAR"])


def parse(*own: str, setting: Setting | None = None) -> ToDo:
    todo = ToDo.parse(object_text(own), setting or Setting())
    assert todo is not None
    return todo


def value(todo: ToDo, name: str) -> Any:
    return values_of(todo, [name])[name]


def foreign_lines(text: str, *, own: set[str]) -> list[str]:
    """All lines of the text except the master's own of these names."""
    kept = []
    path: list[str] = []
    for line in re.split(r"\r\n(?![ \t])", text):
        name = re.split("[:;]", line)[0].upper()
        if name == "BEGIN":
            path.append(line)
        if path[-1:] != ["BEGIN:VTODO"] or name not in own:
            kept.append(line)
        if name == "END":
            path.pop()
    return kept


WRITES: dict[str, st.SearchStrategy[Any]] = {
    "summary": st.text(min_size=1),
    "description": st.none() | st.text(),
    "status": st.sampled_from([None, "NEEDS-ACTION", "IN-PROCESS", "COMPLETED", "CANCELLED"]),
    "due": st.none() | st.dates(),
    "priority": st.none() | st.integers(0, 9),
    "categories": st.lists(st.text(), max_size=3),
}
STAMPS = {"LAST-MODIFIED", "DTSTAMP"}
WITH_STATUS = {"STATUS", "COMPLETED", "PERCENT-COMPLETE"}


@given(
    own=st.permutations(FOREIGN).flatmap(lambda lines: st.integers(0, 11).map(lambda n: lines[:n])),
    there=st.sets(st.sampled_from(["SUMMARY:Old", "DUE:20260101T000000Z", "PRIORITY:1", "CATEGORIES:a,b"])),
    inside=st.sampled_from(["", ALARM, f"{ALARM}\r\n{ALARM}"]),
    around=st.sampled_from(
        ["", OTHER_DAY, f"BEGIN:VTIMEZONE\r\nTZID:Odd\r\nX-A:b\r\n{RULES}\r\nEND:VTIMEZONE"]
    ),
    fields=st.fixed_dictionaries({}, optional=WRITES),
)
def test_a_patch_keeps_everything_else_byte_for_byte(
    own: list[str], there: set[str], inside: str, around: str, fields: dict[str, Any]
) -> None:
    text = object_text([*own, *there], before=around, inside=inside, after=around)
    todo = ToDo.parse(text, Setting())
    assert todo is not None

    patched = with_values(todo, fields, NOW).text

    written = {FIELDS[name].id for name in fields} | STAMPS | (WITH_STATUS if "status" in fields else set())
    assert foreign_lines(patched, own=written) == foreign_lines(text, own=written)


def test_a_patch_reaches_only_the_todo_itself() -> None:
    text = object_text(["SUMMARY:Old"], before=OTHER_DAY, inside=ALARM, after=OTHER_DAY)
    todo = ToDo.parse(text, Setting())
    assert todo is not None
    patched = with_values(todo, {"summary": "New"}, NOW).text
    assert patched.count("SUMMARY:Only that day") == 2
    assert patched.count("SUMMARY:No\r\n") == 1
    assert patched.count("SUMMARY:New") == 1
    assert "SUMMARY:Old" not in patched


def test_a_patched_property_stays_in_its_place_and_a_new_one_stands_before_the_alarms() -> None:
    text = object_text(["SUMMARY;LANGUAGE=en:Old", "X-A:1"], inside="BEGIN:VALARM\r\nEND:VALARM")
    patched = patch(text, {"SUMMARY": ["SUMMARY:New"], "PRIORITY": ["PRIORITY:1"]})
    own = ["UID:1", "SUMMARY:New", "X-A:1", "PRIORITY:1", "BEGIN:VALARM"]
    assert "\r\n".join(own) in patched


def test_a_property_that_stands_there_twice_becomes_one() -> None:
    patched = with_values(parse("SUMMARY:One", "SUMMARY:Two"), {"summary": "New"}, NOW)
    assert patched.text.count("SUMMARY") == 1


def test_bare_line_feeds_are_read_and_written_as_icalendar_wants_them() -> None:
    todo = ToDo.parse(object_text(["SUMMARY:Old"]).replace("\r\n", "\n"), Setting())
    assert todo is not None
    patched = with_values(todo, {"summary": "New"}, NOW).text
    assert patched.count("\n") == patched.count("\r\n")


def test_there_is_nothing_to_patch_without_a_todo() -> None:
    with pytest.raises(ValueError, match="no to-do"):
        patch("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", {})


PLAIN = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x7f\ufffe\uffff").filter(
        lambda letter: letter in "\t\n" or letter >= " "
    )
)


@given(text=PLAIN, field=st.sampled_from(["summary", "description", "location"]))
def test_any_text_comes_back_as_it_was_written(text: str, field: str) -> None:
    patched = with_values(parse("SUMMARY:Old"), {field: text}, NOW)
    assert value(patched, field) == (text or None)


@given(st.text())
def test_what_would_break_the_calendar_is_left_out_of_texts(text: str) -> None:
    patched = with_values(parse(), {"summary": text + "\x00\x0b\ud800\r\nend"}, NOW)
    patched.text.encode()
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f]", patched.text)
    assert str(value(patched, "summary")).endswith("\nend")


@given(st.lists(PLAIN.filter(bool), max_size=5, unique=True))
def test_categories_come_back_as_they_were_written(names: list[str]) -> None:
    assert value(with_values(parse(), {"categories": names}, NOW), "categories") == names


def test_categories_in_several_lines_are_one_list() -> None:
    assert value(parse("CATEGORIES:a,b\\,c", "CATEGORIES:d,a"), "categories") == ["a", "b,c", "d"]


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


def test_done_sets_what_calendar_programs_expect() -> None:
    done = with_values(parse("STATUS:IN-PROCESS", "PERCENT-COMPLETE:30"), {"done": True}, NOW)
    for line in ("STATUS:COMPLETED", "COMPLETED:20261103T120000Z", "PERCENT-COMPLETE:100"):
        assert f"{line}\r\n" in done.text
    undone = with_values(done, {"done": False}, NOW)
    assert "STATUS:NEEDS-ACTION\r\n" in undone.text
    assert "COMPLETED" not in undone.text
    assert "PERCENT-COMPLETE" not in undone.text


@pytest.mark.parametrize("status", ["IN-PROCESS", "CANCELLED", "NEEDS-ACTION"])
def test_not_done_leaves_the_richer_status_that_is_there(status: str) -> None:
    todo = parse(f"STATUS:{status}")
    assert value(todo, "done") is False
    assert with_values(todo, {"done": False}, NOW) is todo
    assert with_values(todo, {"done": None}, NOW) is todo


def test_completing_again_keeps_the_time_of_completion() -> None:
    todo = parse("STATUS:COMPLETED", "COMPLETED:20260101T000000Z")
    assert with_values(todo, {"done": True}, NOW) is todo
    assert "COMPLETED:20260101T000000Z" in with_values(todo, {"status": "COMPLETED"}, NOW).text


def test_a_time_of_completion_without_a_status_means_done() -> None:
    todo = parse("COMPLETED:20260101T000000Z")
    assert value(todo, "done") is True
    assert value(with_values(todo, {"done": False}, NOW), "done") is False


def test_a_mapped_percentage_is_left_alone_by_done() -> None:
    todo = parse("PERCENT-COMPLETE:30", setting=Setting(percent_mapped=True))
    assert value(with_values(todo, {"done": True}, NOW), "percent") == 30


def test_values_are_none_where_nothing_is_said() -> None:
    empty = dict.fromkeys(FIELDS) | {"done": False, "categories": []}
    assert values_of(parse(), FIELDS) == empty
    assert values_of(parse("SUMMARY:", "DESCRIPTION:", "CATEGORIES:", "URL:"), FIELDS) == empty


@pytest.mark.parametrize("name", FIELDS)
def test_unset_removes_the_property(name: str) -> None:
    own = ["SUMMARY:a", "DESCRIPTION:b", "LOCATION:c", "URL:d", "STATUS:COMPLETED", "DUE:20260101T000000Z"]
    own += ["DTSTART:20260101T000000Z", "PRIORITY:1", "PERCENT-COMPLETE:100", "CATEGORIES:e"]
    assert same(value(with_values(parse(*own), {name: None}, NOW), name), False if name == "done" else None)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("summary", 5),
        ("url", "two\nlines"),
        ("status", "DOING"),
        ("done", "yes"),
        ("due", datetime(2026, 1, 1)),  # noqa: DTZ001 - a naive time is what is refused
        ("due", DateRange(date(2026, 1, 1), date(2026, 1, 2))),
        ("due", "tomorrow"),
        ("priority", 10),
        ("priority", 1.5),
        ("priority", True),
        ("percent", -1),
        ("percent", float("nan")),
        ("percent", float("inf")),
        ("categories", "food"),
        ("categories", [1]),
    ],
)
def test_a_value_that_does_not_fit_is_rejected_without_being_told(name: str, wrong: Any) -> None:
    with pytest.raises(RejectedError, match=name) as caught:
        with_values(parse(), {name: wrong}, NOW)
    assert str(wrong) not in str(caught.value) or name in {"done", "priority"}


def test_whole_numbers_may_come_as_floats() -> None:
    assert value(with_values(parse(), {"priority": 3.0}, NOW), "priority") == 3


def test_the_time_of_change_is_the_later_of_both_stamps() -> None:
    assert parse("LAST-MODIFIED:20260102T000000Z", "DTSTAMP:20260101T000000Z").modified == datetime(
        2026, 1, 2, tzinfo=UTC
    )
    assert parse("LAST-MODIFIED:20260101T000000", "DTSTAMP:20260103T000000").modified == datetime(
        2026, 1, 3, tzinfo=UTC
    )
    assert parse().modified is None


def test_every_write_is_stamped() -> None:
    assert with_values(parse("DTSTAMP:20260101T000000Z"), {"summary": "New"}, NOW).modified == NOW


@pytest.mark.parametrize(
    "text",
    [
        object_text().replace("VTODO", "VEVENT"),
        "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n",
        object_text(["RECURRENCE-ID:20260101T000000Z"]),
        "BEGIN:VCARD\r\nEND:VCARD\r\n",
    ],
)
def test_what_is_no_todo_is_none(text: str) -> None:
    assert ToDo.parse(text, Setting()) is None


@pytest.mark.parametrize("text", ["", "hello", object_text(["DUE:someday"]), object_text(["no colon"])])
def test_what_is_no_icalendar_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableError):
        ToDo.parse(text, Setting())


@given(
    st.lists(
        st.tuples(
            st.integers(0, 400), st.sampled_from(["", ":", ";", "=", "\r\n", '"', "\\", "BEGIN:", "T", "9"])
        ),
        max_size=6,
    )
)
@pytest.mark.filterwarnings("ignore::icalendar.error.GloballyUniqueTZIDGuessed")  # a guess, told as such
def test_a_damaged_text_is_read_or_unreadable_and_never_another_error(
    damage: list[tuple[int, str]],
) -> None:
    zone = "BEGIN:VTIMEZONE\r\nTZID:Odd\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100"
    zone += "\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE"
    own = ["SUMMARY:a", "DUE;TZID=Odd:20260101T000000", "PRIORITY:1", "CATEGORIES:e", "DURATION:PT1H"]
    text = object_text([*own, "DTSTART;VALUE=DATE:20260101", *FOREIGN[:4]], before=zone, inside=ALARM)
    for place, what in damage:
        text = text[:place] + what + text[place + 1 :]
    try:
        todo = ToDo.parse(text, Setting())
    except UnreadableError:
        return
    if todo is not None:
        values_of(todo, FIELDS)
        assert todo.modified is None or todo.modified.tzinfo is not None
