"""`approve` after a changed set-up (rule R9): what it binds, and what is still to be compared afresh."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_workers.engine.rules import FieldRule
from sync_workers.errors import MovedError
from sync_workers.model import Pair, Side
from sync_workers.services.memory import Container
from tests.approval.stage import GUARDED, Stage
from tests.runs.here import RULES


def moved(stage: Stage) -> None:
    """The other side is bound to another, empty container."""
    stage.task.containers = Pair(stage.task.containers.notion, Container("another"))


def test_r9_a_plan_into_another_container_drops_links_and_matches_as_it_says(stage: Stage) -> None:
    stage.link("Bread", "Milk", "Oats")
    moved(stage)
    refusal = stage.kept()
    assert refusal.counts == {"notion.drop": 3, "other.create": 3}
    stage.add(Side.OTHER, title="Wine")

    report = stage.approve(refusal)

    assert report.counts == {"drop": 3, "other.create": 3}
    assert stage.shown(Side.NOTION).total() == 3
    assert stage.state.setup["other.container"] == "another"
    assert stage.run().counts == {"notion.create": 1}
    assert stage.is_quiet()


def test_r9_links_that_the_plan_does_not_drop_stop_it(stage: Stage) -> None:
    """Known to the new set-up, they would be taken for links into the new container, and lost there."""
    stage.link("Bread", "Milk")
    old = stage.task.containers
    moved(stage)
    new = stage.task.containers
    refusal = stage.kept()
    stage.task.containers = old
    stage.link("Oats")
    stage.task.containers = new
    with pytest.raises(MovedError, match=r"1 link\(s\) more"):
        stage.approve(refusal)
    assert len(stage.state.ids) == 3


def test_r9_an_approval_of_all_that_is_decided_stores_the_new_setup(stage: Stage) -> None:
    (bread,) = stage.link("Bread")
    stage.task.credential = "two"
    stage.edit(Side.NOTION, bread.notion, text="edited")
    stage.approve(stage.kept())
    assert stage.state.setup["other.credential"] == "two"


def test_r9_a_plan_from_before_another_credential_does_not_hold_whatever_it_does(stage: Stage) -> None:
    (bread,) = stage.link("Bread")
    stage.edit(Side.NOTION, bread.notion, text="edited")
    refusal = stage.kept()
    stage.task.credential = "two"
    with pytest.raises(MovedError, match=r"set-up changed \(notion.credential, other.credential\)"):
        stage.approve(refusal)


def test_r9_after_an_approval_of_a_part_the_rest_is_still_compared_afresh(stage: Stage) -> None:
    bread, milk = stage.link("Bread", "Milk")
    stage.task.credential = "two"
    stage.edit(Side.NOTION, bread.notion, text="edited")
    refusal = stage.kept()
    stage.add(Side.OTHER, title="Wine")
    assert stage.approve(refusal).counts == {"other.update": 1}

    # The new credential may not see all, so what is absent is not taken for deleted in the next run.
    stage.remove(Side.NOTION, milk.notion)
    assert stage.run().counts == {"notion.create": 1}
    assert milk.other in stage.task.containers.other.records
    assert stage.run().counts == {"other.delete": 1}


def test_r2_r9_a_field_that_was_filled_by_an_approval_has_its_base(stage: Stage) -> None:
    """Were it forgotten with the stale ones again, the edit would be a conflict, which Notion wins."""
    stage.task.sync_rules = replace(GUARDED, fields=RULES.fields[:2])
    (bread,) = stage.link("Bread")
    stage.task.sync_rules = replace(GUARDED, fields=(*RULES.fields[:2], FieldRule(Pair("Note", "note"))))
    stage.edit(Side.NOTION, bread.notion, note="filled in")
    refusal = stage.kept()
    stage.add(Side.NOTION, title="Wine")
    assert stage.approve(refusal).counts == {"other.update": 1}

    stage.edit(Side.OTHER, bread.other, note="edited since")
    report = stage.run()

    assert report.conflicts == []
    assert stage.task.containers.notion.records[bread.notion].fields["Note"] == "edited since"


def test_a_first_run_can_be_approved_and_binds_its_links(stage: Stage) -> None:
    stage.add(Side.NOTION, title="Bread")
    refusal = stage.kept()
    stage.add(Side.OTHER, title="Wine")
    assert stage.approve(refusal).counts == {"other.create": 1}
    assert stage.state.setup["other.container"] == "other"
    assert stage.run().counts == {"notion.create": 1}
