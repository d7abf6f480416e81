"""Which records without a link belong together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync_workers.engine.rules import AmbiguousPolicy
from sync_workers.fields import Field, Kind
from sync_workers.model import Pair, Side
from tests.engine.build import RULES, Situation, actions, created_from, linked_by
from tests.engine.test_adopt import lost

BOTH = pytest.mark.parametrize("side", list(Side))
HOOKS = replace(RULES, key=())  # the records bring their keys with them


@pytest.fixture
def here() -> Situation:
    return Situation()


# --- by key ---


def test_a_key_that_is_unique_on_both_sides_links(here: Situation) -> None:
    for name in ("Bread", "Milk"):
        here.has(Side.NOTION, f"n-{name}", title=name)
        here.has(Side.OTHER, f"o-{name}", title=name)
    assert linked_by(here.plan()) == {("n-Bread", "o-Bread"), ("n-Milk", "o-Milk")}


@pytest.mark.parametrize("blank", [None, "", "  ", "\n"])
def test_empty_keys_never_match(here: Situation, blank: str | None) -> None:
    here.has(Side.NOTION, "n", title=blank, text="two")
    here.has(Side.OTHER, "o", title=blank, text="two")
    assert actions(here.plan()) == ["create", "create"]


@pytest.mark.parametrize("key", [None, ""])
def test_empty_keys_of_hooks_never_match(key: str | None) -> None:
    here = Situation(HOOKS)
    here.has(Side.NOTION, "n", title="Bread", key=key)
    here.has(Side.OTHER, "o", title="Bread", key=key)
    assert linked_by(here.plan()) == set()


def test_the_hooks_key_is_used_where_there_is_one() -> None:
    here = Situation(HOOKS)
    here.has(Side.NOTION, "n", title="Bread", key="k")
    here.has(Side.OTHER, "o", title="Brot", key="k")
    assert linked_by(here.plan()) == {("n", "o")}


def test_a_key_of_several_fields_needs_all_of_them() -> None:
    here = Situation(replace(RULES, key=("Name", "Text")))
    here.has(Side.NOTION, "n", title="Bread", text="two")
    here.has(Side.OTHER, "o", title="Bread", text="two")
    here.has(Side.OTHER, "p", title="Bread", text="three")
    assert linked_by(here.plan()) == {("n", "o")}


@pytest.mark.parametrize(("one", "another"), [("Bröt", "Bro\u0308t"), (5, 5.0), ("Bread ", "Bread")])
def test_keys_match_in_canonical_form(here: Situation, one: Any, another: Any) -> None:
    here.has(Side.NOTION, "n", title=one)
    here.has(Side.OTHER, "o", title=another)
    assert linked_by(here.plan()) == {("n", "o")}


def test_a_key_that_one_side_cuts_still_matches(here: Situation) -> None:
    here.fields = Pair({}, {"title": Field("title", Kind.TEXT, longest=5)})
    here.has(Side.NOTION, "n", title="Breadcrumbs")
    here.has(Side.OTHER, "o", title="Bread")
    assert linked_by(here.plan()) == {("n", "o")}


@BOTH
def test_a_linked_record_with_the_same_key_makes_it_not_unique(here: Situation, side: Side) -> None:
    ids = here.linked(title="Bread", text="two")
    here.has(side, "x", title="Bread", text="three")
    here.has(side.opposite, "y", title="Bread", text="four")

    plan = here.plan()

    assert plan.operations == ()
    assert [ambiguity.ids[side] for ambiguity in plan.ambiguous] == [("x",)]
    assert ids.notion not in plan.ambiguous[0].ids.notion


@BOTH
def test_a_linked_record_is_no_candidate_for_a_new_one(here: Situation, side: Side) -> None:
    here.linked(title="Bread", text="two")
    here.has(side, "x", title="Bread", text="two")
    assert created_from(here.plan(), side) == {"x"}


@BOTH
@pytest.mark.parametrize("policy", list(AmbiguousPolicy))
def test_what_is_left_on_one_side_only_is_new(side: Side, policy: AmbiguousPolicy) -> None:
    here = Situation(replace(RULES, ambiguous=policy))
    for number in range(3):
        here.has(side, f"x{number}", title="Bread", text="two")
    here.has(side.opposite, "y", title="Bread", text="two")

    plan = here.plan()

    assert len(linked_by(plan)) == 1
    assert created_from(plan, side) == {"x1", "x2"}
    assert plan.ambiguous == ()


def test_equal_records_pair_off_one_to_one(here: Situation) -> None:
    for number in range(3):
        here.has(Side.NOTION, f"n{number}", title="Bread", text="two")
        here.has(Side.OTHER, f"o{number}", title="Bread", text="two")
    assert linked_by(here.plan()) == {(f"n{number}", f"o{number}") for number in range(3)}


def test_equal_means_equal_in_the_form_of_the_side_that_keeps_less(here: Situation) -> None:
    here.fields = Pair({}, {"text": Field("text", Kind.TEXT, longest=3)})
    for text in ("12345", "abcde"):
        here.has(Side.NOTION, f"n{text}", title="Bread", text=text)
        here.has(Side.OTHER, f"o{text}", title="Bread", text=text[:3])
    assert linked_by(here.plan()) == {("n12345", "o12345"), ("nabcde", "oabcde")}


def test_choices_in_another_order_are_equal(here: Situation) -> None:
    here.fields = Pair({"Text": Field("Text", Kind.CHOICES)}, {})
    for number in range(2):
        here.has(Side.NOTION, f"n{number}", title="Bread", text=["a", "b", str(number)])
        here.has(Side.OTHER, f"o{number}", title="Bread", text=["b", str(number), "a"])
    assert linked_by(here.plan()) == {("n0", "o0"), ("n1", "o1")}


def test_a_parted_record_is_not_copied_again_but_may_be_matched(here: Situation) -> None:
    here.has(Side.OTHER, "o", title="Bread")
    here.state.unlinked[Side.OTHER] = {"o"}
    assert here.plan().operations == ()

    here.has(Side.NOTION, "n", title="Bread")
    assert linked_by(here.plan()) == {("n", "o")}


@pytest.mark.parametrize("text", ["two", "three"])
def test_two_parted_records_are_left_alone_even_with_one_key(here: Situation, text: str) -> None:
    """R1: each lost its own counterpart in an earlier run, which said to leave it."""
    here.has(Side.NOTION, "n", title="Bread", text="two")
    here.has(Side.OTHER, "o", title="Bread", text=text)
    here.state.unlinked.update({Side.NOTION: {"n"}, Side.OTHER: {"o"}})
    plan = here.plan()
    assert (plan.operations, plan.ambiguous) == ((), ())


@BOTH
def test_a_new_record_is_paired_rather_with_another_new_one_than_with_a_parted_one(
    here: Situation, side: Side
) -> None:
    here.has(side, "x", title="Bread", text="two")
    here.has(side.opposite, "a parted one", title="Bread", text="two")
    here.has(side.opposite, "new", title="Bread", text="two")
    here.state.unlinked[side.opposite] = {"a parted one"}
    assert linked_by(here.plan()) == {tuple(Pair.of(side, "x", "new")[each] for each in Side)}


@BOTH
def test_r1_a_key_that_this_very_run_makes_unique_is_matched_in_it(here: Situation, side: Side) -> None:
    """One linked record of that key is about to be deleted, and another one gets a new key."""
    gone, renamed = here.linked(1, title="Bread"), here.linked(2, title="Bread")
    here.remove(side, gone[side])
    here.edit(side, renamed[side], title="Milk")
    here.has(side, "x", title="Bread", text="two")
    here.has(side.opposite, "y", title="Bread", text="two again")

    plan = here.plan()

    assert linked_by(plan) == {tuple(Pair.of(side, "x", "y")[each] for each in Side)}
    assert plan.ambiguous == ()


# --- the cost ---


class Counted(str):
    """A text that counts how often it is compared or looked at."""

    __slots__ = ()
    looked = 0

    def __eq__(self, other: object) -> bool:
        Counted.looked += 1
        return str.__eq__(self, other) is True

    def __hash__(self) -> int:
        return str.__hash__(self)

    def __str__(self) -> str:
        Counted.looked += 1
        return str.__str__(self)


def looks(count: int, *, pending: bool) -> int:
    """How often the texts of `count` records of one key on each side were looked at."""
    here = Situation()
    for number in range(count):
        for side in Side:
            here.has(side, f"{side}{number:06}", title=Counted("Bread"), text=Counted(f"{side} {number % 7}"))
        if pending:
            lost(here, Side.OTHER, f"notion{number:06}", title=Counted("Bread"), text=Counted(f"{number}"))
    Counted.looked = 0
    here.plan()
    return Counted.looked


@pytest.mark.parametrize("pending", [False, True], ids=["no lost creates", "all creates lost"])
def test_the_cost_of_5000_records_of_one_key_is_linear(pending: bool) -> None:
    few, many = looks(500, pending=pending), looks(5000, pending=pending)
    assert few > 0
    assert many <= 11 * few
