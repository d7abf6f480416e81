"""No accidental delete (R4): a record is deleted only if it was linked, its counterpart is confirmed
gone, nothing about it changed since its base, and the guards agree. Absent from a listing is not gone,
and a failed or partial listing is an error, never an empty one."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given

from sync_workers.engine.diff import diff
from sync_workers.engine.rules import DeletePolicy
from sync_workers.errors import GuardError
from sync_workers.model import Action, ConflictMode, Listing, Pair, Side
from sync_workers.report import Report
from sync_workers.runs.diff import decide
from sync_workers.state import State
from sync_workers.values import same
from tests.runs.here import BOTH, RULES, Here
from tests.runs.plain import PLAIN, gathered, linked
from tests.runs.situations import CHANCE, MODES, situation_by, snapshot_of


@given(CHANCE, MODES)
def test_r4_no_edited_record_is_deleted(chance: Random, mode: ConflictMode) -> None:
    """R4: what is deleted was linked, its counterpart is gone, and it shows what its base says."""
    world = situation_by(chance, mode=mode)
    state = world.state or State()
    for op in diff(world.rules, state, snapshot_of(world)):
        if op.action not in {Action.DELETE, Action.ARCHIVE}:
            continue
        target, gone = op.ids[op.side], op.ids[op.side.opposite]
        assert (op.ids.notion, op.ids.other) in set(state.links())
        assert gone not in world.containers[op.side.opposite].records
        shown = world.containers[op.side].records[str(target)].fields
        for rule in world.rules.fields:
            if rule.direction.reaches(op.side.opposite):
                attr = rule.attrs[op.side]
                assert same(shown.get(attr), state.bases(op.side)[str(target)].get(attr))


@BOTH
@pytest.mark.parametrize("policy", [policy for policy in DeletePolicy if policy is not DeletePolicy.IGNORE])
def test_r4_a_counterpart_that_is_only_out_of_sight_deletes_and_parts_nothing(
    side: Side, policy: DeletePolicy
) -> None:
    here = Here(replace(RULES, delete=DeletePolicy.each_way(policy)))
    ids = here.linked()
    container = here.world.containers[side]
    container.archived[ids[side]] = container.records[ids[side]]
    container.remove(ids[side])

    report = here.run()

    assert here.services[side].asked == [f"read {ids[side]}"]
    assert here.services[side.opposite].asked == []
    assert (report.counts, report.failures) == ({}, [])
    assert "archived" in report.held[0].reason
    assert here.state.ids == {ids.notion: ids.other}


@BOTH
def test_r4_a_counterpart_that_the_listing_left_out_is_not_gone(here: Here, side: Side) -> None:
    ids = here.linked()
    here.services[side].hidden.add(ids[side])
    report = here.run()
    assert report.counts == {}
    assert "is there although the listing did not show it" in report.held[0].reason
    here.open()
    assert here.is_quiet()


@BOTH
def test_r4_a_record_is_not_made_again_while_its_counterpart_is_only_out_of_sight(
    here: Here, side: Side
) -> None:
    """R3: it would be a second one as soon as the first is shown again."""
    ids = here.linked()
    here.edit(side.opposite, ids[side.opposite], text="three")
    here.services[side].hidden.add(ids[side])
    assert here.run().counts == {}
    assert len(here.world.containers[side].records) == 1


def test_r4_a_refused_plan_raises_with_the_plan_and_every_reason() -> None:
    state, snapshot = linked(30)
    seen = Pair(Listing({}), Listing(snapshot.other.records, repeated=("other1",)))
    report = Report("decide")
    with pytest.raises(GuardError) as refused:
        decide(PLAIN, state, gathered(seen), report)
    assert refused.value.plan.counts() == {"other.delete": 30}
    assert len(refused.value.reasons) == 2
    assert report.planned == 30
