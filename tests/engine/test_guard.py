"""Plans that look like an accident, each guard at its border."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from sync_workers.engine.diff import diff
from sync_workers.engine.guard import refusals
from sync_workers.engine.rules import DeletePolicy, Limits
from sync_workers.model import Failure, Listing, Pair, Side
from tests.engine.build import Situation

BOTH = pytest.mark.parametrize("side", list(Side))


def linked(count: int) -> Situation:
    here = Situation()
    for number in range(count):
        here.linked(number, title=f"title {number}")
    return here


def lose(here: Situation, side: Side, count: int) -> None:
    for record_id in list(here.records[side])[:count]:
        here.remove(side, record_id)


def edit(here: Situation, side: Side, count: int) -> None:
    for record_id in list(here.records[side])[:count]:
        here.edit(side, record_id, text="edited")


def refused(here: Situation, *, fresh: bool = False) -> list[str]:
    return refusals(Limits(), here.state, here.snapshot, here.plan(fresh=fresh))


@BOTH
@pytest.mark.parametrize(
    ("links", "lost", "is_refused"),
    [
        (10, 5, False),  # not more than 5
        (20, 6, True),
        (24, 6, False),  # not more than 25 %
        (23, 6, True),
        (1000, 250, False),
        (1000, 251, True),
    ],
)
def test_r4_losing_more_than_a_quarter_and_more_than_five(
    side: Side, links: int, lost: int, *, is_refused: bool
) -> None:
    here = linked(links)
    lose(here, side, lost)
    assert bool(refused(here)) is is_refused


@BOTH
def test_r4_records_that_are_made_again_count_as_lost(side: Side) -> None:
    """The counterparts were edited, so nothing is deleted; but the listing still looks wrong."""
    here = linked(20)
    edit(here, side.opposite, 6)
    lose(here, side, 6)
    assert here.plan().counts() == {f"{side}.create": 6}
    assert len(refused(here)) == 1


@BOTH
@pytest.mark.parametrize("links", [1, 3, 100])
def test_r4_a_side_that_is_empty(side: Side, links: int) -> None:
    here = linked(links)
    lose(here, side, links)
    (reason,) = refused(here)
    assert "is empty" in reason


@pytest.mark.parametrize("links", [1, 100])
def test_r4_both_sides_empty(links: int) -> None:
    """Nothing would be deleted, but all links forgotten, and all that comes back copied."""
    here = linked(links)
    for side in Side:
        lose(here, side, links)
    assert len(refused(here)) == len(Side)


def test_two_empty_sides_without_links_are_a_task_that_has_nothing_to_do() -> None:
    assert refused(Situation()) == []


@BOTH
def test_an_empty_side_on_the_first_run_is_filled(side: Side) -> None:
    here = Situation()
    for number in range(50):
        here.has(side, f"x{number}", title=f"title {number}")
    assert refused(here) == []


@BOTH
@pytest.mark.parametrize(("links", "is_refused"), [(20, False), (21, True)])
def test_every_linked_record_changed_at_once(side: Side, links: int, *, is_refused: bool) -> None:
    here = linked(links)
    edit(here, side, links)
    assert bool(refused(here)) is is_refused


@BOTH
def test_all_but_one_may_change_at_once(side: Side) -> None:
    here = linked(50)
    edit(here, side, 49)
    assert refused(here) == []


@BOTH
def test_new_records_do_not_hide_that_every_linked_one_changed(side: Side) -> None:
    here = linked(21)
    edit(here, side, 21)
    here.has(side, "new", title="new")
    assert len(refused(here)) == 1


@BOTH
@pytest.mark.parametrize(("changed", "is_refused"), [(24, False), (25, True), (50, True)])
def test_a_share_of_the_linked_records_that_changed_at_once(
    side: Side, changed: int, *, is_refused: bool
) -> None:
    here = linked(50)
    edit(here, side, changed)
    reasons = refusals(Limits(changed_share=0.5), here.state, here.snapshot, here.plan())
    assert bool(reasons) is is_refused


@BOTH
def test_records_that_were_just_matched_do_not_count_as_changed(side: Side) -> None:
    """They are in conflict, but nobody edited them since the last run."""
    here = linked(20)
    edit(here, side, 20)
    for each in Side:
        here.has(each, "new", title="new", text=str(each))
    assert here.plan().conflicts
    assert refused(here) == []


@BOTH
@pytest.mark.parametrize(
    ("links", "new", "is_refused"),
    [
        (1, 200, False),  # not more than 200
        (1, 201, True),
        (201, 201, False),  # not more than there were
        (200, 201, True),
        (0, 1000, False),  # a first run
    ],
)
def test_a_side_that_would_get_more_new_records_than_were_linked(
    side: Side, links: int, new: int, *, is_refused: bool
) -> None:
    here = linked(links)
    for number in range(new):
        here.has(side.opposite, f"new {number}", title=f"new {number}")
    reasons = refused(here)
    assert bool(reasons) is is_refused
    assert all(f"{side} would get {new} new records" in reason for reason in reasons)


@BOTH
def test_a_deletion_that_is_ignored_is_none_of_the_losses(side: Side) -> None:
    """Nothing would be done about it, and to refuse it would stop everything else for ever."""
    here = linked(30)
    here.rules = replace(here.rules, delete=DeletePolicy.each_way(DeletePolicy.IGNORE))
    lose(here, side, 30)
    assert refused(here) == []


@BOTH
@pytest.mark.parametrize("share", [number / 100 for number in range(1, 101)])
def test_shares_are_met_exactly(side: Side, share: float) -> None:
    """Not a record earlier or later because of how numbers such as 0.29 are kept."""
    at_share = round(share * 100)
    lost, changed, created = linked(100), linked(100), linked(100)
    lose(lost, side, at_share)
    edit(changed, side, at_share)
    for number in range(at_share):
        created.has(side, f"new {number}", title=f"new {number}")
    limits = Limits(share, 0, share, 0, share, 0)
    told = [refusals(limits, here.state, here.snapshot, here.plan()) for here in (lost, changed, created)]
    assert [bool(reasons) for reasons in told] == [at_share == 100, True, False]


@BOTH
def test_an_id_that_occurs_twice(side: Side) -> None:
    here = linked(3)
    one, another = here.snapshot[side], here.snapshot[side.opposite]
    snapshot = Pair.of(side, Listing(one.records, repeated=("n1",)), another)
    (reason,) = refusals(Limits(), here.state, snapshot, here.plan())
    assert reason == f"{side} listed 1 id(s) twice (n1): run again"


@BOTH
def test_r8_unreadable_records_are_not_lost(side: Side) -> None:
    here = linked(10)
    failures = tuple(Failure(side, record_id, "broken") for record_id in here.records[side])
    snapshot = Pair.of(side, Listing({}, failures=failures), here.snapshot[side.opposite])
    plan = diff(here.rules, here.state, snapshot)
    assert plan.operations == ()
    assert refusals(Limits(), here.state, snapshot, plan) == []


@BOTH
def test_r9_after_a_changed_setup_nothing_is_lost(side: Side) -> None:
    here = linked(10)
    lose(here, side, 10)
    plan = here.plan(fresh=True)
    assert plan.operations == ()
    assert {hold.reason for hold in plan.held} == {"absent, but the set-up changed: not taken for deleted"}
    assert refused(here, fresh=True) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda here: lose(here, Side.OTHER, 6),
        lambda here: edit(here, Side.OTHER, 21),
        lambda here: [here.has(Side.OTHER, f"new {n}", title=f"new {n}") for n in range(201)],
    ],
)
def test_a_task_may_set_its_own_limits(change: Callable[[Situation], None]) -> None:
    here = linked(21)
    change(here)
    assert refused(here)
    generous = Limits(lost_share=0.5, changed_number=100, created_number=1000)
    assert refusals(generous, here.state, here.snapshot, here.plan()) == []


@BOTH
@pytest.mark.parametrize("odd", ["conflict", "unreadable", "deleted", "the same edit"])
def test_one_odd_record_does_not_hide_that_every_other_one_changed(side: Side, odd: str) -> None:
    here = linked(30)
    edit(here, side, 30)
    first, partner = next(iter(here.state.links()))
    record_id = first if side is Side.NOTION else partner
    other_id = partner if side is Side.NOTION else first
    snapshot = here.snapshot
    if odd in {"unreadable", "deleted"}:
        records = {i: r for i, r in snapshot[side].records.items() if i != record_id}
        failures = (Failure(side, record_id, "broken"),) if odd == "unreadable" else ()
        snapshot = Pair.of(side, Listing(records, failures=failures), snapshot[side.opposite])
    else:
        mine, theirs = snapshot[side].records[record_id], snapshot[side.opposite].records[other_id]
        values = mine.fields.values() if odd == "the same edit" else ["another"] * len(theirs.fields)
        changed = replace(theirs, fields=dict(zip(theirs.fields, values, strict=True)))
        records = {**snapshot[side.opposite].records, other_id: changed}
        snapshot = Pair.of(side, snapshot[side], Listing(records))
    plan = diff(here.rules, here.state, snapshot)
    assert len(refusals(Limits(), here.state, snapshot, plan)) == 1
