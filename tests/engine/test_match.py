"""Which records without a link belong together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync_workers.engine.diff import diff
from sync_workers.engine.rules import AmbiguousPolicy
from sync_workers.fields import Field, Kind
from sync_workers.model import Failure, Listing, Pair, Plan, Side
from sync_workers.state import Pending
from tests.engine.build import NAME, RULES, TEXT, Situation, actions, created_from, linked_by, only

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


# --- creates whose reply was lost (R3) ---


def lost(here: Situation, side: Side, source_id: str, **values: Any) -> None:
    """A create on `side` made from what `source_id` was then; nobody saw its end."""
    attrs = (NAME, TEXT)
    made = Pair.each(lambda each: {a[each]: values.get(a.other) for a in attrs})
    here.state.pending.setdefault(side, {})[source_id] = Pending(source=made[side.opposite], sent=made[side])


@BOTH
def test_r3_a_lost_create_is_adopted_by_what_was_sent(here: Situation, side: Side) -> None:
    here.has(side.opposite, "source", title=None, text="two")
    here.has(side, "made", title=None, text="two")
    here.has(side, "another", title=None, text="three")
    lost(here, side, "source", title=None, text="two")

    plan = here.plan()

    assert linked_by(plan) == {tuple(Pair.of(side, "made", "source")[each] for each in Side)}
    assert created_from(plan, side) == {"another"}
    assert created_from(plan, side.opposite) == set()


@BOTH
def test_r2_edits_since_a_lost_create_cross_when_it_is_adopted(here: Situation, side: Side) -> None:
    here.has(side.opposite, "source", title="Bread", text="edited since")
    here.has(side, "made", title="Bread", text="two")
    lost(here, side, "source", title="Bread", text="two")

    plan = here.plan()

    assert actions(plan) == ["link", "update"]
    assert plan.operations[1].side is side
    assert plan.operations[1].fields == {TEXT[side]: "edited since"}


@BOTH
def test_r3_a_lost_create_that_shows_something_else_is_adopted_by_its_key(
    here: Situation, side: Side
) -> None:
    """R2: normalised by the service or edited by a person? Nobody can tell, so both values are reported."""
    here.has(side.opposite, "source", title="Bread", text="two")
    here.has(side, "made", title="Bread", text="TWO")
    here.linked(title="Bread", text="not unique on the whole side")
    lost(here, side, "source", title="Bread", text="two")

    plan = here.plan()

    assert linked_by(plan) == {tuple(Pair.of(side, "made", "source")[each] for each in Side)}
    assert [conflict.values for conflict in plan.conflicts] == [Pair.of(side, "TWO", "two")]


@BOTH
@pytest.mark.parametrize("text", ["two", "something else"])
def test_r3_a_lost_create_with_several_candidates_is_held(here: Situation, side: Side, text: str) -> None:
    here.has(side.opposite, "source", title="Bread", text="two")
    here.has(side, "x", title="Bread", text=text)
    here.has(side, "y", title="Bread", text=text)
    lost(here, side, "source", title="Bread", text="two")

    plan = here.plan()

    assert plan.operations == ()
    assert [ambiguity.ids for ambiguity in plan.ambiguous] == [Pair.of(side, ("x", "y"), ("source",))]


@BOTH
@pytest.mark.parametrize("made", [0, 1, 2])
def test_r3_two_equal_creates_lost_at_once_make_two_records_in_all(
    here: Situation, side: Side, made: int
) -> None:
    for number in range(2):
        here.has(side.opposite, f"source{number}", title=None, text="two")
        lost(here, side, f"source{number}", title=None, text="two")
    for number in range(made):
        here.has(side, f"made{number}", title=None, text="two")

    plan = here.plan()

    assert len(linked_by(plan)) == made
    assert len(created_from(plan, side.opposite)) == 2 - made
    assert created_from(plan, side) == set()


@BOTH
def test_r3_a_record_that_was_being_made_again_is_adopted_in_the_place_of_the_gone_one(
    here: Situation, side: Side
) -> None:
    ids = here.linked(title=None, text="two")
    here.remove(side, ids[side])
    here.edit(side.opposite, ids[side.opposite], text="three")
    lost(here, side, ids[side.opposite], title=None, text="three")
    here.has(side, "made", title=None, text="three")

    operation = only(here.plan())

    assert (operation.action, operation.ids) == ("link", Pair.of(side, "made", ids[side.opposite]))


@BOTH
def test_r3_what_was_made_from_a_record_that_cannot_be_seen_now_is_not_copied_back(
    here: Situation, side: Side
) -> None:
    here.has(side, "made", title="Bread", text="two")
    lost(here, side, "source", title="Bread", text="two")
    unreadable = Listing({}, failures=(Failure(side.opposite, "source", "broken"),))
    for listing in (unreadable, Listing({}, complete=False)):
        plan = plan_with(here, side, listing)
        assert plan.operations == ()
        assert [hold.record_id for hold in plan.held] == ["made"]


def plan_with(here: Situation, side: Side, opposite: Listing) -> Plan:
    return diff(here.rules, here.state, Pair.of(side, Listing(dict(here.records[side])), opposite))


@BOTH
def test_r4_what_was_made_from_a_record_that_is_gone_is_copied_once_that_is_confirmed(
    here: Situation, side: Side
) -> None:
    here.has(side, "made", title="Bread", text="two")
    lost(here, side, "source", title="Bread", text="two")

    operation = only(here.plan())

    assert operation.action == "create"
    assert operation.ids == Pair.of(side, "made", "source")  # the id to ask for first


@BOTH
def test_r3_a_create_that_is_tried_again_comes_before_copies_of_what_it_may_have_made(
    here: Situation, side: Side
) -> None:
    here.has(side.opposite, "source", title=None, text="two")
    here.has(side, "perhaps made and edited", title=None, text="three")
    lost(here, side, "source", title=None, text="two")
    assert [op.source_id for op in here.plan()] == ["source", "perhaps made and edited"]


@BOTH
def test_r3_one_record_is_adopted_by_one_lost_create_only(here: Situation, side: Side) -> None:
    """One of the two was sent without the field whose value had no counterpart."""
    here.has(side, "made", title=None, text="two")
    for source_id in ("a", "b"):
        here.has(side.opposite, source_id, title=None, text="two")
        lost(here, side, source_id, title=None, text="two")
    del here.state.pending[side]["b"].sent[NAME[side]]

    plan = here.plan()

    assert len(linked_by(plan)) == 1
    assert created_from(plan, side.opposite) == {"b"}


@BOTH
def test_a_create_that_sent_nothing_is_not_taken_for_every_record(here: Situation, side: Side) -> None:
    here.has(side.opposite, "source", title="Bread")
    here.has(side, "x", title="Milk")
    here.state.pending[side] = {"source": Pending(source={}, sent={})}
    assert linked_by(here.plan()) == set()


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
