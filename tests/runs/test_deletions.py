"""Deletions: asked by id first, then as the task's policy says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_workers.engine.rules import DeletePolicy
from sync_workers.model import Pair, Side
from sync_workers.report import Outcome
from sync_workers.services.base import Capabilities
from tests.runs.here import RULES, Here

BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def here() -> Here:
    return Here()


# --- R4: asked by id before anything is deleted ---


@BOTH
def test_a_pair_of_which_one_is_gone_and_the_other_archived_is_forgotten(here: Here, side: Side) -> None:
    """So a run ends that archived a record and died before it could say so."""
    ids = here.linked()
    here.remove(side, ids[side])
    container = here.world.containers[side.opposite]
    container.archived[ids[side.opposite]] = container.records[ids[side.opposite]]
    container.remove(ids[side.opposite])
    assert here.run().counts == {"unlink": 1}
    assert here.is_quiet()


@BOTH
def test_a_pair_that_is_gone_on_both_sides_is_forgotten(here: Here, side: Side) -> None:
    ids, _ = here.linked(), here.linked("Milk")
    for each in (side, side.opposite):
        here.remove(each, ids[each])
    assert here.run().counts == {"unlink": 1}
    assert ids.notion not in here.state.ids
    assert here.is_quiet()


# --- delete policies ---


@BOTH
def test_a_deletion_is_propagated_once_it_is_confirmed(here: Here, side: Side) -> None:
    ids, _ = here.linked(), here.linked("Milk")
    here.remove(side, ids[side])
    assert here.run().counts == {f"{side.opposite}.delete": 1}
    assert here.services[side].asked == [f"read {ids[side]}"]
    assert here.is_quiet()


@BOTH
def test_a_deletion_archives_the_counterpart_if_the_task_says_so(side: Side) -> None:
    here = Here(replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.ARCHIVE)))
    ids = here.linked()
    here.remove(side, ids[side])
    assert here.run().counts == {f"{side.opposite}.archive": 1}
    assert ids[side.opposite] in here.world.containers[side.opposite].archived
    assert here.is_quiet()


def test_a_service_without_an_archive_is_told_so_and_nothing_is_deleted() -> None:
    here = Here(
        replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.ARCHIVE)),
        Pair(Capabilities(), Capabilities()),
    )
    ids = here.linked()
    here.remove(Side.NOTION, ids.notion)
    (failure,) = here.run().failures
    assert "has no archive: choose another delete policy" in failure.reason
    assert here.services.other.asked == []
    assert ids.other in here.world.containers.other.records


@BOTH
def test_a_parted_record_is_remembered_and_not_copied_again(side: Side) -> None:
    here = Here(replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.UNLINK)))
    ids = here.linked()
    here.remove(side, ids[side])
    assert here.run().counts == {"unlink": 1}
    assert here.state.unlinked == {side.opposite: {ids[side.opposite]}}
    assert here.is_quiet()

    here.edit(side.opposite, ids[side.opposite], text="still mine")
    assert here.is_quiet()


@BOTH
def test_a_parted_record_that_is_matched_again_is_linked_like_any_other(side: Side) -> None:
    here = Here(replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.UNLINK)))
    ids = here.linked()
    here.remove(side, ids[side])
    here.run()
    again = here.add(side, title="Bread", text="two")
    assert here.run().counts == {"link": 1}
    assert Pair(*next(here.state.links())) == Pair.of(side, again, ids[side.opposite])
    assert here.state.unlinked == {side.opposite: set()}
    assert here.is_quiet()


@BOTH
def test_a_deletion_that_is_ignored_is_told_and_calls_nothing(side: Side) -> None:
    here = Here(replace(RULES, delete=DeletePolicy.each_way(DeletePolicy.IGNORE)))
    ids = here.linked()
    here.remove(side, ids[side])

    report = here.run()

    assert (report.counts, report.held, report.outcome) == ({}, [], Outcome.DONE)
    assert [(hold.side, hold.record_id) for hold in report.ignored] == [(side.opposite, ids[side.opposite])]
    assert report.summary()["ignored"] == 1
    assert here.state.ids == {ids.notion: ids.other}
    assert here.is_quiet()
