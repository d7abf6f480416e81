"""A filter of the task and the windows that the sync adds, within the two levels that Notion takes."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.services.notion.filters import combined, plain, problems

A, B, C = ({"property": name, "checkbox": {"equals": True}} for name in "ABC")
WINDOW = {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-01-01"}}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (None, WINDOW),
        (A, {"and": [A, WINDOW]}),
        ({"and": [A, B]}, {"and": [A, B, WINDOW]}),
        ({"or": [A, B]}, {"and": [{"or": [A, B]}, WINDOW]}),
        ({"and": [A, {"or": [B, C]}]}, {"and": [A, {"or": [B, C]}, WINDOW]}),
        ({"or": [{"and": [A, B]}, C]}, {"or": [{"and": [A, B, WINDOW]}, {"and": [C, WINDOW]}]}),
        ({"and": [{"and": [A, B]}, C]}, {"and": [A, B, C, WINDOW]}),
        ({"or": [{"or": [A, B]}, C]}, {"and": [{"or": [A, B, C]}, WINDOW]}),
        ({"or": [{"and": [A]}, B]}, {"and": [{"or": [A, B]}, WINDOW]}),
    ],
)
def test_a_window_goes_around_or_into_a_filter(condition: Any, expected: Any) -> None:
    assert combined(condition, [WINDOW]) == expected


SINGLE = st.sampled_from("ABC").map(lambda name: {"property": name})


def _group(member: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    members = st.lists(member, min_size=1, max_size=3)
    return st.builds(lambda kind, inner: {kind: inner}, st.sampled_from(["and", "or"]), members)


def depth(condition: Any) -> int:
    inner = condition.get("and") or condition.get("or")
    return 1 + max(map(depth, inner)) if inner else 0


def passes(condition: Any, true: set[str]) -> bool:
    if "and" in condition:
        return all(passes(one, true) for one in condition["and"])
    if "or" in condition:
        return any(passes(one, true) for one in condition["or"])
    return condition.get("property", "window") in true


@given(SINGLE | _group(SINGLE | _group(SINGLE)), st.sets(st.sampled_from(["A", "B", "C", "window"])))
def test_any_filter_stays_within_two_levels_and_means_the_same(condition: Any, true: set[str]) -> None:
    asked = combined(condition, [WINDOW, {"timestamp": "created_time"}])
    assert asked is not None
    assert depth(asked) <= 2
    assert passes(asked, true) == (passes(condition, true) and "window" in true)


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("Open", "table"),
        ({"Name": "x"}, "property"),
        ({"and": []}, "not empty"),
        ({"and": [A], "or": [B]}, "nothing but"),
        ({"and": [{"or": [{"and": [A]}]}]}, "third level"),
    ],
)
def test_what_is_no_filter_is_told_with_what_it_has_to_be(condition: Any, said: str) -> None:
    assert said in next(problems(condition))


def test_a_filter_of_two_levels_is_fine_and_dates_of_toml_are_text() -> None:
    condition = {"or": [{"and": [A, {"property": "Due", "date": {"after": date(2026, 1, 2)}}]}, B]}
    assert list(problems(condition)) == []
    assert plain(condition)["or"][0]["and"][1]["date"] == {"after": "2026-01-02"}
