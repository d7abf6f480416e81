"""Counterparts that are not deleted, but moved, archived or not shared: they wait, or are unlinked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from sync_workers.engine.rules import DeletePolicy, OutOfScopePolicy, Rules
from sync_workers.model import ID, Action, Operation, Pair, Part, Record, Side
from sync_workers.report import Outcome, Report
from sync_workers.runs.calls import Calls, confirmed
from sync_workers.runs.changes import unlink
from sync_workers.runs.diff import decide
from sync_workers.runs.get import get
from sync_workers.services.base import OutOfScope, ReadResult
from sync_workers.state import State
from tests.runs.here import RULES, Guarded, Here

BOTH = pytest.mark.parametrize("side", list(Side))
UNLINKS = replace(RULES, out_of_scope=OutOfScopePolicy.UNLINK)
ASKS = [policy for policy in DeletePolicy if policy is not DeletePolicy.IGNORE]


def hide(here: Here, side: Side, record_id: ID) -> None:
    """Put it out of scope, as a person who archives it."""
    container = here.world.containers[side]
    container.archived[record_id] = container.records[record_id]
    container.remove(record_id)


def show_again(here: Here, side: Side, record_id: ID) -> None:
    container = here.world.containers[side]
    container.put(container.archived.pop(record_id))


class Unsure(Guarded):
    """A service that cannot tell what became of a record."""

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        self._ask("read", *ids)
        return {record_id: OutOfScope(record_id, "unreadable", is_sure=False) for record_id in ids}


# --- wait ---


@BOTH
def test_what_waits_says_where_its_counterpart_is_and_what_to_do(side: Side) -> None:
    here = Here()
    ids = here.linked()
    hide(here, side, ids[side])

    report = here.run()

    (hold,) = report.held
    assert f"its counterpart {ids[side]} on {side} is not taken for deleted: archived" in hold.reason
    assert 'set the task\'s out_of_scope = "unlink"' in hold.reason
    assert (report.outcome, report.parted) == (Outcome.DONE, [])


@BOTH
def test_what_waits_is_asked_for_by_one_read_in_each_run_and_goes_on_when_it_is_back(side: Side) -> None:
    here = Here()
    ids = here.linked()
    hide(here, side, ids[side])
    for _ in range(3):
        here.open()
        here.run()
        assert here.services[side].asked == [f"read {ids[side]}"]
        assert here.services[side.opposite].asked == []
    here.edit(side.opposite, ids[side.opposite], text="three")

    show_again(here, side, ids[side])

    here.open()
    assert here.run().counts == {f"{side}.update": 1}
    assert here.state.ids == {ids.notion: ids.other}


# --- unlink ---


@BOTH
@pytest.mark.parametrize("is_edited", [False, True])
@pytest.mark.parametrize("policy", ASKS)
def test_a_record_whose_counterpart_is_out_of_scope_is_unlinked_and_left_alone(
    side: Side, policy: DeletePolicy, *, is_edited: bool
) -> None:
    """R3, R4: nothing is deleted for it, and an edited one gets no second counterpart."""
    here = Here(replace(UNLINKS, delete=DeletePolicy.each_way(policy)))
    ids, stays = here.linked(), side.opposite
    if is_edited:
        here.edit(stays, ids[stays], text="three")
    hide(here, side, ids[side])

    report = here.run()

    assert (report.counts, report.failures, report.held, report.remade) == ({"unlink": 1}, [], [], [])
    (parted,) = report.parted
    assert (parted.side, parted.record_id) == (stays, ids[stays])
    assert (
        f"{ids[side]} on {side} is not taken for deleted: archived; left alone from now on" in parted.reason
    )
    assert report.summary()["parted"] == 1
    assert (here.state.ids, here.state.unlinked) == ({}, {stays: {ids[stays]}})
    assert here.services[stays].asked == []
    assert here.is_quiet()


@BOTH
def test_what_was_unlinked_is_linked_again_by_its_key_when_its_counterpart_is_back(side: Side) -> None:
    here = Here(UNLINKS)
    ids = here.linked()
    hide(here, side, ids[side])
    here.run()
    show_again(here, side, ids[side])
    here.open()
    assert here.run().counts == {"link": 1}
    assert here.state.ids == {ids.notion: ids.other}
    assert here.is_quiet()


@BOTH
def test_what_is_gone_is_deleted_whatever_happens_to_what_is_out_of_scope(side: Side) -> None:
    here = Here(UNLINKS)
    hidden, gone, _ = here.linked(), here.linked("Milk"), here.linked("Eggs")
    hide(here, side, hidden[side])
    here.remove(side, gone[side])
    assert here.run().counts == {"unlink": 1, f"{side.opposite}.delete": 1}
    assert list(here.state.unlinked[side.opposite]) == [hidden[side.opposite]]


@BOTH
@pytest.mark.parametrize("is_edited", [False, True])
def test_what_is_there_although_the_listing_left_it_out_waits_under_either_policy(
    side: Side, *, is_edited: bool
) -> None:
    here = Here(UNLINKS)
    ids = here.linked()
    if is_edited:
        here.edit(side.opposite, ids[side.opposite], text="three")
    here.services[side].hidden.add(ids[side])
    report = here.run()
    assert (report.counts, report.parted, len(report.held)) == ({}, [], 1)
    assert here.state.ids == {ids.notion: ids.other}


@BOTH
def test_what_nobody_can_tell_waits_under_either_policy(side: Side) -> None:
    """It may be in its place, and only not be readable now."""
    here = Here(UNLINKS)
    ids = here.linked()
    here.remove(side, ids[side])
    unsure = Unsure(here.services[side])
    here.services = Pair.of(side, unsure, here.services[side.opposite])
    report = here.run()
    assert (report.counts, report.parted) == ({}, [])
    assert f"{ids[side]} on {side} is not taken for deleted: unreadable" in report.held[0].reason
    assert here.state.ids == {ids.notion: ids.other}


def test_a_pair_that_is_out_of_scope_on_both_sides_stays_linked_under_either_policy() -> None:
    """R3: parted, neither would be linked again when both are back."""
    here = Here(UNLINKS)
    ids = here.linked()
    for side in Side:
        hide(here, side, ids[side])
    assert here.run().counts == {}
    assert here.state.ids == {ids.notion: ids.other}


# --- what a create of ours made ---


def made_from(side: Side) -> Operation:
    """`made` on the opposite side of `side` came from `gone`, which is out of scope; no link was stored."""
    made = Record("made", {})
    ids: Pair[ID | None] = Pair.of(side, "gone", "made")
    records: Pair[Record | None] = Pair.of(side, None, made)
    return Operation(Part.created(side.opposite), Action.UNLINK, side.opposite, ids, "why", records)


@BOTH
def test_a_record_that_was_made_from_one_that_is_out_of_scope_takes_no_other_link_with_it(side: Side) -> None:
    state = State()
    linked = Pair.of(side, "gone", "another")
    state.link(linked.notion, linked.other, {}, {})

    unlink(state, made_from(side)).apply(state)

    assert dict(state.links()) == {linked.notion: linked.other}
    assert state.unlinked == {side.opposite: {"made"}}


@BOTH
def test_a_record_that_was_linked_since_the_plan_was_made_is_not_left_alone(side: Side) -> None:
    state = State()
    linked = Pair.of(side, "another", "made")
    state.link(linked.notion, linked.other, {}, {})
    assert not unlink(state, made_from(side))


# --- the plan that is shown ---


@BOTH
@pytest.mark.parametrize("is_edited", [False, True])
@pytest.mark.parametrize("rules", [RULES, UNLINKS], ids=["wait", "unlink"])
def test_a_shown_plan_asks_as_a_run_does(side: Side, rules: Rules, *, is_edited: bool) -> None:
    here = Here(rules)
    ids = here.linked()
    if is_edited:
        here.edit(side.opposite, ids[side.opposite], text="three")
    hide(here, side, ids[side])
    report, services = Report("shown"), Pair(here.services.notion, here.services.other)
    plan = decide(rules, here.state, get(services, rules, report), report, accept_guards=True)
    assert len(plan) == 1

    shown = confirmed(plan, Calls(services, report, {}))

    if rules is UNLINKS:
        assert (shown.counts(), shown.held) == ({f"{side.opposite}.unlink": 1}, ())
    else:
        assert (shown.operations, len(shown.held)) == ((), 1)
