"""The state as a value: links, changes, JSON."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sync_workers.model import Side
from sync_workers.state import Change, Pending, State

ids = st.text("abc", min_size=1, max_size=2)
shown = st.dictionaries(
    st.sampled_from("xyz"),
    st.none()
    | st.text(max_size=3)
    | st.dates()
    | st.datetimes(timezones=st.just(UTC))
    | st.lists(st.integers()),
    max_size=2,
)
links = st.dictionaries(ids, st.none() | st.tuples(ids, shown, shown), max_size=3)
places = st.tuples(st.sampled_from(Side), ids)
begun = st.none() | st.builds(Pending, source=shown, sent=shown, key=st.none() | st.text(max_size=2))
changes = st.builds(
    Change, links, st.dictionaries(places, begun, max_size=2),
    st.dictionaries(places, st.booleans(), max_size=2),
    st.none() | st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=2),
)  # fmt: skip


def after(*made: Change) -> State:
    state = State()
    for change in made:
        change.apply(state)
    return state


@settings(max_examples=200, deadline=None)
@given(st.lists(changes, max_size=4))
def test_a_state_comes_back_from_json_as_it_was(made: list[Change]) -> None:
    state = after(*made)
    assert State.model_validate_json(state.model_dump_json()) == state


@settings(max_examples=200, deadline=None)
@given(st.lists(changes, max_size=4))
def test_the_notion_bases_are_those_of_the_links(made: list[Change]) -> None:
    state = after(*made)
    assert state.objs.keys() == state.ids.keys()
    assert state.linked(Side.NOTION) == set(state.ids)


def test_dates_and_times_stay_dates_and_times() -> None:
    base = {"day": date(2026, 3, 1), "moment": datetime(2026, 3, 1, 8, tzinfo=UTC), "tags": ("a", {"b"})}
    state = State(ids={"n": "o"}, objs={"n": base}, other_objs={"o": base})
    assert State.model_validate_json(state.model_dump_json()).objs["n"] == base


@pytest.mark.parametrize("version", ["2", "0", "-1", '"1"', "null", "[]"])
def test_an_unknown_version_is_refused_with_the_remedy(version: str) -> None:
    with pytest.raises(ValidationError, match=r"not known here \(only 1\): upgrade sync-workers"):
        State.model_validate_json(f'{{"version": {version}}}')


def test_linking_another_record_forgets_the_base_of_the_former_one() -> None:
    state = State()
    state.link("n", "o1", {"x": 1}, {"x": 1})
    state.link("n", "o2", {"x": 2}, {"x": 2})
    assert (state.ids, state.objs, state.other_objs) == ({"n": "o2"}, {"n": {"x": 2}}, {"o2": {"x": 2}})


@pytest.mark.parametrize("order", [("n1", "n2"), ("n2", "n1")])
def test_a_record_moves_from_one_link_to_another_in_one_change(order: tuple[str, str]) -> None:
    """R5: whichever comes first in the change, the base of the record that stays is not lost."""
    state = State()
    state.link("n1", "o", {"x": 1}, {"x": 1})
    steps: dict[str, Any] = {"n1": None, "n2": ("o", {"x": 2}, {"x": 2})}
    Change(links={notion_id: steps[notion_id] for notion_id in order}).apply(state)
    assert (state.ids, state.objs, state.other_objs) == ({"n2": "o"}, {"n2": {"x": 2}}, {"o": {"x": 2}})


def test_the_callers_dicts_are_copied() -> None:
    base: dict[str, Any] = {"x": 1}
    state = State()
    state.link("n", "o", base, base)
    base["x"] = 2
    assert (state.objs, state.other_objs) == ({"n": {"x": 1}}, {"o": {"x": 1}})


def test_r11_neither_a_state_nor_a_pending_create_shows_values_when_printed() -> None:
    pending = Pending(source={"x": "secret"}, sent={"x": "secret"}, key="secret")
    state = State(ids={"n": "o"}, objs={"n": {"x": "secret"}}, pending={Side.OTHER: {"n": pending}})
    assert "secret" not in repr(state)
