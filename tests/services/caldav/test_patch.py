from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.services.caldav.fields import FIELDS, values_of, with_values
from sync_workers.services.caldav.lines import patch
from sync_workers.services.caldav.todo import Setting, ToDo, UnreadableError
from tests.services.caldav.texts import (
    ALARM,
    FOREIGN,
    NOW,
    ODD_ZONE,
    OTHER_DAY,
    object_text,
    parse,
)


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
    around=st.sampled_from(["", OTHER_DAY, ODD_ZONE]),
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
