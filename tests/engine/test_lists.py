"""Lists: against text, and with a value map that is applied item by item."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.rules import Direction, FieldRule
from sync_workers.fields import Field, Kind
from sync_workers.model import Pair, Side
from tests.engine.build import NAME, RULES, TEXT, Situation, told

TAGS = Field("tags", Kind.CHOICES)
PEOPLE = Field("people", Kind.REFERENCES)
LINE = Field("line", Kind.TEXT)
ANY = Field("any", Kind.ANY)

NAMES = (Pair("id-ada", "Ada"), Pair("id-bob", "Bob"), Pair("id-robert", "Bob"))
"""Two Notion people are one name elsewhere."""


def crossing(notion: Field | None, other: Field | None, **rule: Any) -> Crossing:
    return Crossing(FieldRule(TEXT, **rule), Pair(notion, other))


@pytest.mark.parametrize(
    ("value", "current", "expected"),
    [
        (["a", "b"], None, "a, b"),
        ([], "a, b", None),
        (["a"], None, "a"),
        # the text says the same already, with other blanks and in another order
        (["a", "b"], "b ,a", "b ,a"),
        (["a", "b"], "a, b, b", "a, b, b"),
        (["a", "c"], "a, b", "a, c"),
        ({"b", "a"}, None, "a, b"),
    ],
)
def test_a_list_crosses_to_a_text_with_commas(value: Any, current: Any, expected: Any) -> None:
    assert crossing(TAGS, LINE).to(Side.OTHER, value, current) == expected


@pytest.mark.parametrize(
    ("value", "current", "expected"),
    [
        ("a, b", None, ["a", "b"]),
        (" a ,, b,", None, ["a", "b"]),
        ("", ["a"], None),
        (None, ["a"], None),
        ("b, a", ["a", "b"], ["a", "b"]),  # nothing was edited: the list keeps its order
        ("a, c", ["a", "b"], ["a", "c"]),
    ],
)
def test_a_text_with_commas_crosses_to_a_list(value: Any, current: Any, expected: Any) -> None:
    assert crossing(TAGS, LINE).to(Side.NOTION, value, current) == expected


def test_an_item_with_a_comma_crosses_only_where_it_never_comes_back() -> None:
    with pytest.raises(UncrossableError):
        crossing(TAGS, LINE).to(Side.OTHER, ["Lovelace, Ada", "b"])
    one_way = crossing(ANY, LINE, direction=Direction.TO_OTHER)
    assert one_way.to(Side.OTHER, ["Lovelace, Ada", 3]) == "Lovelace, Ada, 3"


@pytest.mark.parametrize("item", [True, ["a"], {"a": 1}, None])
def test_an_item_that_is_no_text_is_held_instead_of_guessed(item: Any) -> None:
    with pytest.raises(UncrossableError):
        crossing(ANY, LINE, direction=Direction.TO_OTHER).to(Side.OTHER, [item])


def test_a_list_that_is_longer_than_the_text_may_be_is_held_instead_of_cut() -> None:
    short = replace(LINE, longest=6)
    assert crossing(TAGS, short).to(Side.OTHER, ["abc", "d"]) == "abc, d"
    with pytest.raises(UncrossableError):
        crossing(TAGS, short).to(Side.OTHER, ["abc", "de"])


PLAIN = st.text(st.characters(codec="utf-8", exclude_characters=","), min_size=1).filter(
    lambda text: text == text.strip()
)


@given(st.lists(PLAIN, unique=True))
def test_a_list_comes_back_from_a_text_as_it_was(items: list[str]) -> None:
    by_text = crossing(TAGS, LINE)
    text = by_text.to(Side.OTHER, items)
    assert (by_text.to(Side.NOTION, text) or []) == items
    assert by_text.agree(Pair(items, text))


@pytest.mark.parametrize(
    ("values", "agree"),
    [
        (Pair(["a", "b"], "b, a"), True),
        (Pair([], None), True),
        (Pair(["a", "b"], "a"), False),
        (Pair(["a"], "a b"), False),
    ],
)
def test_a_list_and_a_text_agree_on_what_they_hold(values: Pair[Any], *, agree: bool) -> None:
    assert crossing(TAGS, LINE).agree(values) is agree
    assert crossing(LINE, TAGS).agree(Pair(values.other, values.notion)) is agree


# --- value maps, item by item ---


@pytest.mark.parametrize("other", [TAGS, PEOPLE, ANY, None])
def test_a_value_map_on_a_list_maps_each_item(other: Field | None) -> None:
    mapped = crossing(PEOPLE, other, values=NAMES)
    assert mapped.to(Side.OTHER, ["id-bob", "id-ada"]) == ["Bob", "Ada"]
    assert mapped.to(Side.OTHER, ["id-bob", "id-robert"]) == ["Bob"]
    assert mapped.to(Side.OTHER, []) is None


def test_a_value_map_on_a_list_crosses_to_a_text_and_back() -> None:
    mapped = crossing(PEOPLE, LINE, values=NAMES)
    assert mapped.to(Side.OTHER, ["id-bob", "id-ada"]) == "Bob, Ada"
    assert mapped.to(Side.NOTION, "Ada, Bob") == ["id-ada", "id-bob"]


@pytest.mark.parametrize(
    ("value", "current", "expected"),
    [
        (["Bob"], ["id-robert"], ["id-robert"]),
        (["Bob"], ["id-bob", "id-robert"], ["id-bob", "id-robert"]),
        (["Bob", "Ada"], ["id-robert"], ["id-robert", "id-ada"]),
        (["Bob"], ["id-ada"], ["id-bob"]),
    ],
)
def test_of_several_values_that_mean_the_same_those_that_are_there_stay(
    value: Any, current: Any, expected: Any
) -> None:
    assert crossing(PEOPLE, TAGS, values=NAMES).to(Side.NOTION, value, current) == expected


@pytest.mark.parametrize(
    ("fields", "side", "value"),
    [
        (Pair(PEOPLE, TAGS), Side.OTHER, ["id-ada", "id-eve"]),
        (Pair(PEOPLE, LINE), Side.NOTION, "Ada, Eve"),
        (Pair(PEOPLE, Field("done", Kind.CHECKBOX)), Side.OTHER, ["id-ada"]),
    ],
)
def test_one_item_that_the_map_does_not_know_holds_the_whole_list(
    fields: Pair[Field], side: Side, value: Any
) -> None:
    with pytest.raises(UncrossableError):
        crossing(fields.notion, fields.other, values=NAMES).to(side, value)


def test_a_held_list_says_why_and_the_rest_of_the_record_flows() -> None:
    here = Situation(
        replace(RULES, fields=(FieldRule(NAME), FieldRule(TEXT))),
        fields=Pair({TEXT.notion: TAGS}, {TEXT.other: LINE}),
    )
    ids = here.linked(title="Bread")
    here.edit(Side.NOTION, ids.notion, title="Milk", text=["a, b"])

    plan = here.plan()

    assert told(plan) == [("update", "other", {"title": "Milk"})]
    assert "the value of 'Text' does not fit into what the other side keeps" in plan.held[0].reason


def test_a_list_and_a_text_in_step_stay_quiet_after_one_side_was_put_in_another_order() -> None:
    here = Situation(
        replace(RULES, fields=(FieldRule(NAME), FieldRule(TEXT))),
        fields=Pair({TEXT.notion: TAGS}, {TEXT.other: LINE}),
    )
    ids = here.linked(title="Bread")
    here.edit(Side.NOTION, ids.notion, text=["a", "b"])
    here.edit(Side.OTHER, ids.other, text="b,a")
    assert [(str(op.action), dict(op.fields)) for op in here.plan()] == [("advance", {})]
