from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.errors import RejectedError
from sync_workers.services.caldav.fields import FIELDS, values_of, with_values
from sync_workers.services.caldav.todo import Setting
from sync_workers.values import DateRange, same
from tests.services.caldav.texts import (
    NOW,
    parse,
    value,
)

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


def test_a_refusal_names_all_the_fields_that_it_is_about() -> None:
    with pytest.raises(RejectedError) as caught:
        with_values(parse(), {"summary": "Bread", "priority": 10, "due": "tomorrow"}, NOW)
    assert caught.value.fields == ("priority", "due")


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
