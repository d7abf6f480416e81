"""Whether a state from elsewhere is this task's, and which bases it gets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sync_workers.engine.diff import diff
from sync_workers.engine.rules import Direction, FieldRule, Limits, Rules
from sync_workers.fields import Field, Kind
from sync_workers.model import Action, Failure, Listing, Pair, Record, Side, Snapshot
from sync_workers.runs.get import Gathered
from sync_workers.runs.imported import completed, crossings, fit
from sync_workers.state import State

DONE = tuple(Pair(*values) for values in (("Open", False), ("Ready", False), ("Done", True)))
RULES = Rules(
    (
        FieldRule(Pair("Name", "title")),
        FieldRule(Pair("Due", "due")),
        FieldRule(Pair("Status", "done"), values=DONE),
        FieldRule(Pair("Link", "url"), Direction.TO_OTHER),
    )
)
FIELDS: Pair[Mapping[str, Field]] = Pair(
    {"Due": Field("Due", Kind.DATE), "Status": Field("Status", Kind.CHOICE)},
    {"due": Field("due", Kind.DATE, times=False), "done": Field("done", Kind.CHECKBOX)},
)
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOTION = {"Name": "Bread", "Due": NOON, "Status": "Ready", "Link": "a"}
OTHER = {"title": "Bread", "due": date(2026, 5, 1), "done": False, "url": "a"}


def snapshot(notion: dict[str, Any] | None = None, other: dict[str, Any] | None = None) -> Snapshot:
    """A linked record with something changed since its base."""
    return Pair(
        Listing({"n": Record("n", NOTION | (notion or {}))}),
        Listing({"o": Record("o", OTHER | (other or {}))}),
    )


def taken_on(state: State, seen: Snapshot, fields: Pair[Mapping[str, Field]] = FIELDS) -> State:
    return completed(state, crossings(RULES, Gathered(seen, fields)), seen)


def one_sided(side: Side) -> State:
    """A state that knows what one side showed."""
    if side is Side.NOTION:
        return State(ids={"n": "o"}, objs={"n": dict(NOTION)})
    return State(ids={"n": "o"}, other_objs={"o": dict(OTHER)})


@pytest.mark.parametrize("side", Side)
def test_a_base_of_one_side_becomes_one_of_each_in_the_form_of_each(side: Side) -> None:
    state = taken_on(one_sided(side), snapshot())

    assert (state.objs, state.other_objs) == ({"n": NOTION}, {"o": OTHER})
    assert len(diff(RULES, state, snapshot(), fields=FIELDS)) == 0


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("notion", "other", "expected"),
    [
        ({"Name": "Milk"}, {}, {"other.update": 1}),
        ({}, {"title": "Milk"}, {"notion.update": 1}),
        ({"Status": "Done"}, {}, {"other.update": 1}),
        ({}, {"done": True}, {"notion.update": 1}),
        ({"Name": "Milk"}, {"done": True}, {"notion.update": 1, "other.update": 1}),
        ({"Name": "Milk"}, {"title": "Milk"}, {"notion.advance": 1}),
    ],
)
def test_an_edit_since_the_base_is_one(
    side: Side, notion: dict[str, Any], other: dict[str, Any], expected: dict[str, int]
) -> None:
    seen = snapshot(notion, other)

    plan = diff(RULES, taken_on(one_sided(side), seen), seen, fields=FIELDS)

    assert plan.counts() == expected
    assert plan.conflicts == ()


@pytest.mark.parametrize("gone", Side)
def test_a_deletion_since_the_base_is_one(gone: Side) -> None:
    seen = snapshot()
    state = taken_on(one_sided(Side.NOTION), seen)
    there = Pair.of(gone, Listing({}), seen[gone.opposite])

    (operation,) = diff(RULES, state, there, fields=FIELDS)

    assert (operation.action, operation.side) == (Action.DELETE, gone.opposite)


def test_a_record_that_is_not_listed_gets_what_the_base_would_be_there() -> None:
    seen = Pair(snapshot().notion, Listing({}))

    assert taken_on(one_sided(Side.NOTION), seen).other_objs == {"o": OTHER}


def test_a_base_without_a_counterpart_makes_none() -> None:
    state = State(ids={"n": "o"}, objs={"n": {**NOTION, "Status": "Of another task"}})

    assert "done" not in taken_on(state, Pair(snapshot().notion, Listing({}))).other_objs["o"]


def test_what_is_known_of_both_sides_stays_and_the_given_state_too() -> None:
    known = {"o": {"title": "older", "due": None, "done": True, "url": "b"}}
    state = State(ids={"n": "o"}, objs={"n": dict(NOTION)}, other_objs={i: dict(b) for i, b in known.items()})

    assert taken_on(state, snapshot()).other_objs == known
    before = one_sided(Side.NOTION)
    taken_on(before, snapshot())
    assert before == one_sided(Side.NOTION)


# --- does it fit? ---


def listing(side: Side, numbers: range, unreadable: range = range(0)) -> Listing:
    ids = [f"{side}{number}" for number in numbers]
    failures = tuple(Failure(side, f"{side}{number}", "why") for number in unreadable)
    return Listing({record_id: Record(record_id, {}) for record_id in ids}, failures=failures)


def linked(number: int) -> State:
    return State(ids={f"notion{n}": f"other{n}" for n in range(number)})


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(
    ("links", "there", "reason"),
    [
        (1, range(1), ""),
        (1, range(0), "none of its 1 linked"),
        (1, range(5, 9), "none of its 1 linked"),
        (3, range(1), ""),
        (12, range(5, 12), ""),  # five of twelve: not more than five
        (10, range(6, 10), "6 of its 10 linked"),
        (40, range(10, 40), ""),  # ten of forty: a quarter is not more than a quarter
        (40, range(11, 40), "11 of its 40 linked"),
    ],
)
def test_a_side_must_show_most_of_what_is_linked(side: Side, links: int, there: range, reason: str) -> None:
    seen = Pair.of(side, listing(side, there), listing(side.opposite, range(links)))

    found = fit(linked(links), seen, Limits())

    assert found.absent[side] == frozenset(f"{side}{n}" for n in range(links) if n not in there)
    assert found.absent[side.opposite] == frozenset()
    assert len(found.reasons) == bool(reason)
    assert all(text.startswith(reason) and str(side) in text for text in found.reasons)


def test_what_cannot_be_read_is_there() -> None:
    seen = Pair(listing(Side.NOTION, range(0), range(3)), listing(Side.OTHER, range(3)))

    assert fit(linked(3), seen, Limits()).reasons == ()


def test_the_task_s_own_limits_hold() -> None:
    seen = Pair(listing(Side.NOTION, range(1, 4)), listing(Side.OTHER, range(4)))

    assert fit(linked(4), seen, Limits(lost_share=0.2, lost_number=0)).reasons == (
        "1 of its 4 linked records are not on notion",
    )


def test_a_state_without_links_and_one_that_links_twice_fit_nothing() -> None:
    seen = Pair(listing(Side.NOTION, range(2)), listing(Side.OTHER, range(2)))

    assert fit(State(), seen, Limits()).reasons == ("it links no record",)
    twice = State(ids={"notion0": "other0", "notion1": "other0"})
    assert "1 of its links" in fit(twice, seen, Limits()).reasons[0]
