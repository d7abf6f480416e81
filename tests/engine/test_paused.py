"""Records that a person paused: the plan leaves them and their counterparts alone."""

from __future__ import annotations

import pytest

from sync_workers.engine.guard import refusals
from sync_workers.engine.paused import leave_alone, unpaused
from sync_workers.engine.rules import AmbiguousPolicy, Limits
from sync_workers.model import Action, Hold, Operation, Pair, Part, Plan, Side
from sync_workers.state import Pending
from tests.engine.build import RULES, Situation, actions, created_from, linked_by

BOTH = pytest.mark.parametrize("side", list(Side))


def pause(here: Situation, side: Side, *ids: str) -> None:
    here.state.paused.setdefault(side, set()).update(ids)


def plan(here: Situation) -> Plan:
    return leave_alone(here.plan(), here.state, "todo")


def guarded(here: Situation) -> list[str]:
    return refusals(Limits(), unpaused(here.state), here.snapshot, plan(here))


def test_without_paused_records_a_plan_stays_the_very_same() -> None:
    here = Situation()
    here.edit(Side.NOTION, here.linked().notion, text="x")
    made = here.plan()
    assert leave_alone(made, here.state, "todo") is made
    assert unpaused(here.state) is here.state


@BOTH
@pytest.mark.parametrize("named", list(Side))
def test_an_edit_of_a_paused_record_waits_whichever_end_was_named(side: Side, named: Side) -> None:
    here = Situation()
    ids = here.linked()
    pause(here, named, ids[named])
    here.edit(side, ids[side], text="edited")

    made = plan(here)

    assert actions(made) == []
    assert made.held == (
        Hold(named, ids[named], f"paused by a person: `sync-workers resume todo {ids[named]}`"),
    )


@BOTH
def test_an_edit_made_while_paused_crosses_after_it_was_resumed(side: Side) -> None:
    here = Situation()
    ids = here.linked()
    pause(here, Side.NOTION, ids.notion)
    here.edit(side, ids[side], text="edited")
    assert actions(plan(here)) == []

    here.state.paused.clear()

    assert actions(plan(here)) == ["update"]
    assert plan(here).held == ()


@BOTH
def test_r4_a_paused_record_that_is_gone_deletes_nothing(side: Side) -> None:
    here = Situation()
    ids = here.linked()
    pause(here, Side.OTHER, ids.other)
    here.remove(side, ids[side])
    assert actions(plan(here)) == []


def test_a_paused_record_that_is_gone_on_both_sides_keeps_its_link() -> None:
    here = Situation()
    ids = here.linked()
    pause(here, Side.NOTION, ids.notion)
    for side in Side:
        here.remove(side, ids[side])
    assert actions(plan(here)) == []


@BOTH
def test_a_paused_record_without_a_link_is_not_copied(side: Side) -> None:
    here = Situation()
    here.has(side, "left", title="Bread")
    here.has(side, "new", title="Milk")
    pause(here, side, "left")
    assert created_from(plan(here), side) == {"new"}


@BOTH
def test_r3_what_belongs_to_a_paused_record_is_neither_linked_nor_copied(side: Side) -> None:
    here = Situation()
    here.has(side, "left", title="Bread", text="x")
    here.has(side.opposite, "right", title="Bread", text="y")
    pause(here, side, "left")
    assert actions(plan(here)) == []

    here.state.paused.clear()
    assert linked_by(plan(here)) == {tuple(Pair.of(side, "left", "right")[each] for each in Side)}


@BOTH
def test_r3_a_key_is_not_unique_because_its_other_bearer_is_paused(side: Side) -> None:
    here = Situation()
    ids = here.linked(title="Bread", text="old")
    pause(here, side, ids[side])
    here.has(side, "x", title="Bread", text="one")
    here.has(side.opposite, "y", title="Bread", text="another")
    made = plan(here)
    assert linked_by(made) == set()
    assert len(made.ambiguous) == 1


@BOTH
def test_with_copies_of_what_is_ambiguous_a_paused_record_still_gets_none(side: Side) -> None:
    here = Situation()
    here.rules = type(RULES)(RULES.fields, key=("Name",), ambiguous=AmbiguousPolicy.COPY)
    for record_id, text in (("a", "1"), ("b", "2")):
        here.has(side, record_id, title="Bread", text=text)
    here.has(side.opposite, "c", title="Bread", text="3")
    pause(here, side, "a")
    made = plan(here)
    assert created_from(made, side) == {"b"}
    assert created_from(made, side.opposite) == {"c"}


@BOTH
def test_r3_what_a_lost_create_made_of_a_paused_record_is_neither_linked_nor_copied(side: Side) -> None:
    here = Situation()
    source = here.has(side, "source", title="Bread", text="x")
    made = here.has(side.opposite, "made", title="Bread", text="x")
    begun = Pending(source=dict(source.fields), sent=dict(made.fields))
    here.state.pending[side.opposite] = {"source": begun}
    pause(here, side, "source")

    assert actions(plan(here)) == []

    here.state.paused.clear()
    assert actions(plan(here)) == ["link"]


@BOTH
def test_a_conflict_of_a_paused_record_is_none_yet(side: Side) -> None:
    here = Situation()
    one, another = here.linked(1, title="a"), here.linked(2, title="b")
    for ids in (one, another):
        for each in Side:
            here.edit(each, ids[each], title=f"{each} {ids.notion}")
    pause(here, side, one[side])
    made = plan(here)
    assert [conflict.ids for conflict in made.conflicts] == [another]
    assert [operation.ids for operation in made] == [another]


def test_other_records_flow_and_other_holds_stay() -> None:
    here = Situation()
    one, another = here.linked(1), here.linked(2)
    here.edit(Side.NOTION, one.notion, text="x")
    here.edit(Side.NOTION, another.notion, text="x")
    pause(here, Side.NOTION, one.notion)
    known = (Hold(Side.NOTION, "n9", "waits"), Hold(Side.NOTION, one.notion, "absent"))
    made = here.plan()
    made = Plan(made.operations, held=known)

    thinned = leave_alone(made, here.state, "todo")

    assert [operation.ids for operation in thinned] == [another]
    assert [(hold.record_id, hold.reason.partition(":")[0]) for hold in thinned.held] == [
        ("n9", "waits"),
        (one.notion, "paused by a person"),
    ]


def test_a_record_that_is_paused_by_both_ends_is_held_once() -> None:
    here = Situation()
    ids = here.linked()
    for side in Side:
        pause(here, side, ids[side])
    pause(here, Side.OTHER, "alone")
    assert [(hold.side, hold.record_id) for hold in plan(here).held] == [
        (Side.NOTION, ids.notion),
        (Side.OTHER, "alone"),
    ]


def test_r9_a_link_to_another_container_is_dropped_although_its_record_is_paused() -> None:
    here = Situation()
    ids = here.linked()
    pause(here, Side.NOTION, ids.notion)
    drop = Operation(Part.NOTION_DELETED, Action.DROP, Side.NOTION, ids, "bound elsewhere")
    assert leave_alone(Plan((drop,)), here.state, "todo").operations == (drop,)


# --- guards ---


def linked(count: int) -> Situation:
    here = Situation()
    for number in range(count):
        here.linked(number, title=f"title {number}")
    return here


@BOTH
def test_paused_records_are_not_counted_as_lost(side: Side) -> None:
    here = linked(20)
    gone = list(here.records[side])[:6]
    for record_id in gone:
        here.remove(side, record_id)
    assert len(guarded(here)) == 1
    pause(here, side, gone[0])
    assert guarded(here) == []


@BOTH
def test_paused_records_do_not_make_the_lost_ones_a_smaller_share(side: Side) -> None:
    here = linked(24)
    ids = list(here.records[side])
    for record_id in ids[:6]:
        here.remove(side, record_id)
    assert guarded(here) == []  # 6 of 24
    pause(here, side, ids[-1])
    assert len(guarded(here)) == 1  # 6 of 23


@BOTH
def test_a_paused_record_does_not_hide_that_all_others_changed_at_once(side: Side) -> None:
    here = linked(30)
    ids = list(here.records[side])
    for record_id in ids:
        here.edit(side, record_id, text="edited")
    pause(here, side, ids[0])
    assert len(guarded(here)) == 1
