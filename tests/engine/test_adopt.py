"""Creates whose reply was lost: what they made is looked for, and nothing becomes two (rule R3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync_workers.engine.diff import diff
from sync_workers.model import About, Failure, Listing, Pair, Plan, Side
from sync_workers.services.base import mark_of
from sync_workers.state import Pending
from tests.engine.build import NAME, TEXT, Situation, actions, created_from, linked_by, only, told

BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def here() -> Situation:
    return Situation()


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


@BOTH
@pytest.mark.parametrize("marks", [False, True], ids=["by content", "by mark"])
def test_r3_two_lost_creates_that_cross_link_no_record_twice(
    here: Situation, side: Side, marks: bool
) -> None:
    """What the one made is the source of the other."""
    mine, theirs = mark_of("mine"), mark_of("theirs")
    both: dict[str, Any] = {"title": "Bread", "text": "two"}
    here.has(side.opposite, "first", **both)
    marked(here, side, "made", mine if marks else "", **both)
    marked(here, side.opposite, "made of that", theirs if marks else "", **both)
    lost_with_mark(here, side, "first", mine if marks else "", **both)
    lost_with_mark(here, side.opposite, "made", theirs if marks else "", **both)
    here.state.pending[side.opposite]["made"].alike = ("first",)

    plan = here.plan()

    for each in Side:
        links = [operation.ids[each] for operation in plan if operation.action == "link"]
        assert len(links) == len(set(links)) > 0


# --- by mark ---


def marked(here: Situation, side: Side, record_id: str, mark: str, **values: Any) -> None:
    record = here.has(side, record_id, **values)
    here.records[side][record_id] = replace(record, about=About(mark=mark))


def lost_with_mark(here: Situation, side: Side, source_id: str, mark: str, **values: Any) -> None:
    lost(here, side, source_id, **values)
    here.state.pending[side][source_id].mark = mark


@BOTH
def test_r3_a_mark_finds_what_was_made_although_all_of_it_was_edited_since(
    here: Situation, side: Side
) -> None:
    """R2: the edits cross."""
    here.has(side.opposite, "source", title="Bread", text="two")
    marked(here, side, "made", "m1", title="Rolls", text="three")
    lost_with_mark(here, side, "source", "m1", title="Bread", text="two")

    plan = here.plan()

    assert linked_by(plan) == {tuple(Pair.of(side, "made", "source")[each] for each in Side)}
    assert actions(plan) == ["link", "update"]
    assert plan.operations[1].side is side.opposite
    assert plan.operations[1].fields == {NAME[side.opposite]: "Rolls", TEXT[side.opposite]: "three"}


@BOTH
def test_r2_a_mark_of_a_side_that_makes_nothing_twice_may_be_older_than_the_create(
    here: Situation, side: Side
) -> None:
    """A forgotten run made it of the same source, in other words: they are none of today's edits."""
    here.safe = Pair.each(lambda each: each is side)
    here.has(side.opposite, "source", title="Rye bread", text="two", at=1)
    marked(here, side, "made", "m1", title="Bread", text=None)
    lost_with_mark(here, side, "source", "m1", title="Rye bread", text="two")

    plan = here.plan()

    assert linked_by(plan) == {tuple(Pair.of(side, "made", "source")[each] for each in Side)}
    assert [conflict.values for conflict in plan.conflicts] == [Pair.of(side, "Bread", "Rye bread")]
    assert told(plan)[1:] == [("update", str(side), {NAME[side]: "Rye bread", TEXT[side]: "two"})]


@BOTH
def test_r2_edits_of_what_bears_the_mark_and_all_else_that_was_sent_cross_on_a_safe_side(
    here: Situation, side: Side
) -> None:
    here.safe = Pair.each(lambda each: each is side)
    here.has(side.opposite, "source", title="Bread", text="edited since")
    marked(here, side, "made", "m1", title="Bread", text="two")
    lost_with_mark(here, side, "source", "m1", title="Bread", text="two")
    assert told(here.plan())[1:] == [("update", str(side), {TEXT[side]: "edited since"})]


@BOTH
def test_r3_a_lost_create_is_found_by_what_was_sent_of_the_fields_that_are_still_mapped(
    here: Situation, side: Side
) -> None:
    here.has(side.opposite, "source", title=None, text="two")
    here.has(side, "made", title=None, text="two")
    lost(here, side, "source", title=None, text="two")
    here.state.pending[side]["source"].sent["no more"] = "a third field"
    assert linked_by(here.plan()) == {tuple(Pair.of(side, "made", "source")[each] for each in Side)}


@BOTH
def test_r3_a_mark_decides_between_records_that_look_the_same(here: Situation, side: Side) -> None:
    here.has(side.opposite, "source", title="Bread", text="two")
    here.has(side, "another", title="Bread", text="two")
    marked(here, side, "made", "m1", title="Bread", text="two")
    lost_with_mark(here, side, "source", "m1", title="Bread", text="two")
    assert linked_by(here.plan()) == {tuple(Pair.of(side, "made", "source")[each] for each in Side)}


@BOTH
@pytest.mark.parametrize("mark", [mark_of("another create"), "a person's own words"])
def test_r3_a_record_with_the_mark_of_another_create_is_not_what_was_made(
    here: Situation, side: Side, mark: str
) -> None:
    """A mark that a person has written over proves nothing."""
    here.has(side.opposite, "source", title=None, text="two")
    marked(here, side, "another", mark, title=None, text="two")
    lost_with_mark(here, side, "source", mark_of("this create"), title=None, text="two")
    plan = here.plan()
    is_other = mark == mark_of("another create")
    assert len(linked_by(plan)) == (not is_other)
    assert created_from(plan, side.opposite) == ({"source"} if is_other else set())


@BOTH
def test_r3_a_record_that_a_person_copied_with_its_mark_is_held(here: Situation, side: Side) -> None:
    here.has(side.opposite, "source", title="Bread")
    for name in ("made", "copied"):
        marked(here, side, name, "m1", title="Bread")
    lost_with_mark(here, side, "source", "m1", title="Bread")

    plan = here.plan()

    assert plan.operations == ()
    assert [one.ids for one in plan.ambiguous] == [Pair.of(side, ("made", "copied"), ("source",))]


@BOTH
def test_r2_a_copy_that_bore_the_mark_before_the_create_is_not_what_it_made(
    here: Situation, side: Side
) -> None:
    """Made of the same source by a run that is forgotten: what differs is no edit of it."""
    here.has(side.opposite, "source", title="Rye bread", text="two")
    marked(here, side, "old copy", "m1", title="Bread", text="two")
    lost_with_mark(here, side, "source", "m1", title="Rye bread", text="two")
    here.state.pending[side]["source"].alike = ("old copy",)
    assert linked_by(here.plan()) == set()

    marked(here, side, "made", "m1", title="Rye bread", text="two")
    assert linked_by(here.plan()) == {tuple(Pair.of(side, "made", "source")[each] for each in Side)}


# --- what was there before ---


@BOTH
@pytest.mark.parametrize("title", ["Bread", None], ids=["by key", "by content"])
def test_r3_a_record_that_was_there_before_the_create_is_not_what_it_made(
    here: Situation, side: Side, title: str | None
) -> None:
    here.has(side.opposite, "source", title=title, text="two")
    here.has(side, "before", title=title, text="two")
    here.has(side, "made", title=title, text="two")
    lost(here, side, "source", title=title, text="two")
    here.state.pending[side]["source"].alike = ("before",)
    assert linked_by(here.plan()) == {tuple(Pair.of(side, "made", "source")[each] for each in Side)}


@BOTH
def test_a_create_names_the_records_that_look_like_it_already(here: Situation, side: Side) -> None:
    here.has(side.opposite, "source", title=None, text="two")
    here.has(side, "the same", title=None, text="two")
    here.has(side, "another", title=None, text="three")
    here.linked(title=None, text="two")

    (create,) = [op for op in here.plan() if op.source_id == "source"]

    assert create.alike == ("the same",)


# --- what cannot be seen now ---


@BOTH
@pytest.mark.parametrize("title", ["Bread", None], ids=["with a key", "without a key"])
@pytest.mark.parametrize("what", ["unreadable", "incomplete"])
def test_r3_a_lost_create_that_may_be_there_unseen_is_held_and_not_repeated(
    here: Situation, side: Side, title: str | None, what: str
) -> None:
    here.has(side.opposite, "source", title=title, text="two")
    lost(here, side, "source", title=title, text="two")
    failures = (Failure(side, "broken", "its value cannot be read"),) if what == "unreadable" else ()
    listing = Listing({}, complete=what != "incomplete", failures=failures)
    listings = Pair.of(side, listing, Listing(dict(here.records[side.opposite])))

    plan = diff(here.rules, here.state, listings)
    assert plan.operations == ()
    assert [(hold.side, hold.record_id) for hold in plan.held] == [(side.opposite, "source")]

    safe = diff(here.rules, here.state, listings, safe_creates=Pair.each(lambda each: each is side))
    assert created_from(safe, side.opposite) == {"source"}


@BOTH
def test_a_linked_record_that_cannot_be_read_is_not_taken_for_a_lost_create(
    here: Situation, side: Side
) -> None:
    ids = here.linked(title="Milk")
    here.remove(side, ids[side])
    here.has(side.opposite, "source", title="Bread")
    lost(here, side, "source", title="Bread")
    listing = Listing({}, failures=(Failure(side, ids[side], "its value cannot be read"),))
    plan = diff(here.rules, here.state, Pair.of(side, listing, Listing(dict(here.records[side.opposite]))))
    assert created_from(plan, side.opposite) == {"source"}
