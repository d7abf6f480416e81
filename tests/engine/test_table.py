"""The decision table of the design, row by row in its order; each row holds for both sides."""

from __future__ import annotations

from dataclasses import replace
from itertools import starmap
from typing import Any

import pytest

from sync_workers.engine.rules import AmbiguousPolicy, DeletePolicy, FieldRule
from sync_workers.fields import Field, Kind
from sync_workers.model import ConflictMode, Pair, Part, Side
from tests.engine.build import (
    NAME,
    RULES,
    TEXT,
    Situation,
    actions,
    created_from,
    linked_by,
    of,
    only,
    told,
)

BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def here() -> Situation:
    return Situation()


# --- what happens to a field ---


def test_same_on_both_sides_does_nothing(here: Situation) -> None:
    here.linked(title="Bread", text="two")
    assert here.plan().operations == ()


def test_same_on_both_sides_does_nothing_even_if_they_differ_in_form(here: Situation) -> None:
    here.linked(title="Bread")
    here.records.other["o1"] = replace(
        here.records.other["o1"], fields={"title": "bread (cut)", "text": None}
    )
    here.state.other_objs["o1"] = {"title": "bread (cut)", "text": None}
    assert here.plan().operations == ()


@BOTH
def test_edited_on_one_side_the_opposite_gets_the_edited_fields_in_one_write(
    here: Situation, side: Side
) -> None:
    ids = here.linked(title="Bread", text="two")
    here.edit(side, ids[side], title="Milk", text="three")

    operation = only(here.plan())

    assert (operation.action, operation.side, operation.part) == ("update", side.opposite, Part.CHANGED)
    assert operation.fields == {NAME[side.opposite]: "Milk", TEXT[side.opposite]: "three"}


@BOTH
def test_edited_on_one_side_only_the_edited_field_is_written(here: Situation, side: Side) -> None:
    ids = here.linked(title="Bread", text="two")
    here.edit(side, ids[side], title="Milk")
    assert told(here.plan()) == [("update", side.opposite, of(side.opposite, NAME, "Milk"))]


@BOTH
def test_two_fields_edited_on_two_sides_each_side_gets_the_others(here: Situation, side: Side) -> None:
    ids = here.linked(title="Bread", text="two")
    here.edit(side, ids[side], title="Milk")
    here.edit(side.opposite, ids[side.opposite], text="three")

    plan = here.plan()

    assert sorted(told(plan)) == sorted([
        ("update", side.opposite, of(side.opposite, NAME, "Milk")),
        ("update", side, of(side, TEXT, "three")),
    ])  # fmt: skip
    assert plan.conflicts == ()


def test_edited_to_one_value_on_both_sides_only_the_bases_advance(here: Situation) -> None:
    ids = here.linked(title="Bread")
    for side in Side:
        here.edit(side, ids[side], title="Milk")

    operation = only(here.plan())

    assert operation.action == "advance"
    assert operation.bases == Pair({"Name": "Milk"}, {"title": "Milk"})


@pytest.mark.parametrize("mode", [ConflictMode.NOTION, ConflictMode.OTHER])
def test_edited_to_two_values_the_mode_decides_and_the_other_fields_merge(mode: ConflictMode) -> None:
    here = Situation(replace(RULES, mode=mode))
    ids = here.linked(title="Bread", text="two")
    here.edit(Side.NOTION, ids.notion, title="Milk", text="three")
    here.edit(Side.OTHER, ids.other, title="Wine")
    winner = Side(mode.value)

    plan = here.plan()

    (conflict,) = plan.conflicts
    assert (conflict.winner, conflict.values) == (winner, Pair("Milk", "Wine"))
    written = {side: fields for _, side, fields in told(plan)}
    assert written[winner.opposite] | of(Side.OTHER, TEXT, "three") == {
        **of(winner.opposite, NAME, conflict.values[winner]),
        **of(Side.OTHER, TEXT, "three"),
    }
    assert written[Side.OTHER]["text"] == "three"


def test_edited_to_two_values_in_mode_error_holds_that_field_and_merges_the_rest() -> None:
    here = Situation(replace(RULES, mode=ConflictMode.ERROR))
    ids = here.linked(title="Bread", text="two")
    here.edit(Side.NOTION, ids.notion, title="Milk", text="three")
    here.edit(Side.OTHER, ids.other, title="Wine")

    plan = here.plan()

    assert told(plan) == [("update", "other", {"text": "three"})]
    assert [conflict.held for conflict in plan.conflicts] == [True]


# --- what happens to a record ---


@BOTH
@pytest.mark.parametrize(
    ("policy", "action"),
    [
        (DeletePolicy.PROPAGATE, "delete"),
        (DeletePolicy.ARCHIVE, "archive"),
        (DeletePolicy.UNLINK, "unlink"),
    ],
)
def test_gone_on_one_side_and_same_on_the_other(side: Side, policy: DeletePolicy, action: str) -> None:
    """R4: the counterpart goes as the policy says, and only the counterpart."""
    here = Situation(replace(RULES, delete=DeletePolicy.each_way(policy)))
    ids = here.linked(title="Bread")
    here.linked(2, title="Milk")
    here.remove(side, ids[side])

    operation = only(here.plan())

    assert (operation.action, operation.side, operation.ids) == (action, side.opposite, ids)
    assert operation.part is Part.deleted(side)


@BOTH
@pytest.mark.parametrize("policy", [p for p in DeletePolicy if p is not DeletePolicy.IGNORE])
def test_each_side_has_its_own_delete_policy(side: Side, policy: DeletePolicy) -> None:
    """What a side's policy says is done to that side's records, when the opposite side deleted theirs."""
    here = Situation(replace(RULES, delete=Pair.of(side.opposite, policy, DeletePolicy.IGNORE)))
    kept, gone = here.linked(title="Bread"), here.linked(2, title="Milk")
    here.remove(side.opposite, kept[side.opposite])
    here.remove(side, gone[side])

    plan = here.plan()

    assert (only(plan).side, only(plan).ids) == (side.opposite, gone)
    assert [(hold.side, hold.record_id) for hold in plan.ignored] == [(side, kept[side])]


@BOTH
@pytest.mark.parametrize("is_edited", [False, True])
def test_a_deletion_that_is_ignored_does_nothing_even_to_an_edited_record(
    side: Side, *, is_edited: bool
) -> None:
    """R1: no operation in any run, so that both go on as before once it is restored."""
    here = Situation(replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.IGNORE)))
    ids = here.linked(title="Bread", text="two")
    here.remove(side, ids[side])
    if is_edited:
        here.edit(side.opposite, ids[side.opposite], text="three")

    plan = here.plan()

    assert (plan.operations, plan.held) == ((), ())
    (hold,) = plan.ignored
    assert (hold.side, hold.record_id) == (side.opposite, ids[side.opposite])
    assert hold.reason == f"deleted on {side}"


@BOTH
def test_gone_on_one_side_and_edited_on_the_other_with_unlink_it_is_parted_all_the_same(side: Side) -> None:
    here = Situation(replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.UNLINK)))
    ids = here.linked(title="Bread", text="two")
    here.remove(side, ids[side])
    here.edit(side.opposite, ids[side.opposite], text="three")
    assert actions(here.plan()) == ["unlink"]


@BOTH
@pytest.mark.parametrize("policy", [DeletePolicy.PROPAGATE, DeletePolicy.ARCHIVE])
def test_gone_on_one_side_and_edited_on_the_other_the_edit_wins(side: Side, policy: DeletePolicy) -> None:
    """R2, R4: the record is made again where it was deleted, and the plan says why."""
    here = Situation(replace(RULES, delete=DeletePolicy.each_way(policy)))
    ids = here.linked(title="Bread", text="two")
    here.remove(side, ids[side])
    here.edit(side.opposite, ids[side.opposite], text="three")

    operation = only(here.plan())

    assert (operation.action, operation.side, operation.ids) == ("create", side, ids)
    assert operation.fields == {NAME[side]: "Bread", TEXT[side]: "three"}
    assert operation.reason == f"deleted on {side}, but edited on {side.opposite}"


def test_gone_on_both_sides_the_link_is_dropped(here: Situation) -> None:
    ids = here.linked(title="Bread")
    for side in Side:
        here.remove(side, ids[side])
    assert actions(here.plan()) == ["unlink"]


@BOTH
def test_new_without_a_match_is_created_on_the_opposite_side(here: Situation, side: Side) -> None:
    here.has(side, "x", title="Bread", text="two")

    operation = only(here.plan())

    assert (operation.action, operation.side) == ("create", side.opposite)
    assert operation.part is Part.created(side)
    assert operation.fields == {NAME[side.opposite]: "Bread", TEXT[side.opposite]: "two"}


def test_new_with_a_match_by_a_unique_key_is_linked(here: Situation) -> None:
    here.has(Side.NOTION, "n", title="Bread", text="two")
    here.has(Side.OTHER, "o", title="Bread", text="two")
    plan = here.plan()
    assert linked_by(plan) == {("n", "o")}
    assert plan.writes == 0


@BOTH
def test_new_with_a_match_fills_what_is_unset_on_one_side(here: Situation, side: Side) -> None:
    here.has(side, "x", title="Bread", text="two")
    here.has(side.opposite, "y", title="Bread", text="")

    plan = here.plan()

    assert told(plan)[1:] == [("update", side.opposite, of(side.opposite, TEXT, "two"))]
    assert plan.conflicts == ()


@pytest.mark.parametrize("mode", list(ConflictMode))
def test_new_with_a_match_real_differences_go_by_the_conflict_mode(mode: ConflictMode) -> None:
    here = Situation(replace(RULES, mode=mode))
    here.has(Side.NOTION, "n", title="Bread", text="two", at=5)
    here.has(Side.OTHER, "o", title="Bread", text="three", at=9)

    plan = here.plan()

    expected: dict[ConflictMode, list[tuple[str, str, dict[str, Any]]]] = {
        ConflictMode.NEWER: [("update", "notion", {"Text": "three"})],
        ConflictMode.OTHER: [("update", "notion", {"Text": "three"})],
        ConflictMode.NOTION: [("update", "other", {"text": "two"})],
        ConflictMode.ERROR: [],
    }
    assert told(plan)[1:] == expected[mode]
    assert [conflict.values for conflict in plan.conflicts] == [Pair("two", "three")]


@BOTH
def test_new_with_a_match_that_is_not_unique_links_the_equal_pairs_only(here: Situation, side: Side) -> None:
    here.has(side, "a", title="Bread", text="two")
    here.has(side, "b", title="Bread", text="three")
    here.has(side.opposite, "x", title="Bread", text="three")
    here.has(side.opposite, "y", title="Bread", text="four")

    plan = here.plan()

    assert linked_by(plan) == {tuple(Pair.of(side, "b", "x")[each] for each in Side)}
    assert plan.writes == 0
    (ambiguity,) = plan.ambiguous
    assert ambiguity.ids == Pair.of(side, ("a",), ("y",))


def test_new_with_a_match_that_is_not_unique_is_copied_if_the_task_says_so() -> None:
    here = Situation(replace(RULES, ambiguous=AmbiguousPolicy.COPY))
    here.has(Side.NOTION, "a", title="Bread", text="two")
    here.has(Side.NOTION, "b", title="Bread", text="three")
    here.has(Side.OTHER, "x", title="Bread", text="three")
    here.has(Side.OTHER, "y", title="Bread", text="four")

    plan = here.plan()

    assert linked_by(plan) == {("b", "x")}
    assert (created_from(plan, Side.NOTION), created_from(plan, Side.OTHER)) == ({"a"}, {"y"})
    assert plan.ambiguous == ()


# --- partial precision ---


def test_a_poorer_value_that_maps_back_to_the_richer_one_is_left() -> None:
    states = {"Waiting": False, "Doing": False, "Done": True, "Dropped": True}
    done = FieldRule(TEXT, values=tuple(starmap(Pair, states.items())))
    here = Situation(replace(RULES, fields=(FieldRule(NAME), done)))
    ids = here.linked(title="Bread")
    for side, text in ((Side.NOTION, "Doing"), (Side.OTHER, False)):
        here.edit(side, ids[side], text=text)
    assert [(action, fields) for action, _, fields in told(here.plan())] == [("advance", {})]


def test_a_side_that_keeps_less_never_erases_what_the_richer_one_has() -> None:
    here = Situation(fields=Pair({}, {"text": Field("text", Kind.TEXT, longest=5)}))
    ids = here.linked(title="Bread", text="12345")
    here.state.objs[ids.notion]["Text"] = "12345678"
    here.edit(Side.NOTION, ids.notion, text="12345678")
    here.edit(Side.OTHER, ids.other, text="X2345")
    assert told(here.plan()) == [("update", "notion", {"Text": "X2345678"})]
