"""Held conflicts and decisions over the three phases, each of which may be another process."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sync_workers.model import Side
from sync_workers.redis.history import entries
from sync_workers.redis.state_store import load, load_remarks, put_decision
from sync_workers.remarks import Decision, HeldConflict
from tests.worker.stage import PLANTED, Stage, TrickyTask


@pytest.fixture
def waiting(stage: Stage) -> Stage:
    """A record whose `Done` was changed on both sides, in mode `error`."""
    stage.task.conflict_mode = type(stage.task.conflict_mode)("error")
    stage.task.put("notion", "n1", Name="Bread", Done=False)
    stage.run()
    (other_id,) = stage.task.read("other")
    stage.task.put("notion", "n1", Done="n")
    stage.task.put("other", other_id, done=PLANTED)
    return stage


def held(stage: Stage) -> HeldConflict:
    state = load_remarks(stage.client, stage.task.name)
    assert state is not None
    assert state.ids == {}  # the links are not read for this
    return state.held["n1"]["Done"]


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside an operation"])
def test_the_end_of_a_run_stores_what_is_held(waiting: Stage, beside: bool) -> None:
    """Also where nothing is to be applied, and where another process applies it."""
    if beside:
        waiting.task.put("notion", Name="Milk", Done=False)
    done = waiting.run()

    assert done.shown["outcome"] == "needs a decision"
    assert PLANTED not in str(done.shown)
    found = held(waiting)
    assert found.values == {Side.NOTION: "n", Side.OTHER: PLANTED}
    times = {
        side: waiting.task.read(side)[i]["modified"]
        for side, i in ((Side.NOTION, "n1"), (Side.OTHER, found.other_id))
    }
    assert {side: str(found.changed[side]) for side in Side} == {
        side: str(datetime.fromisoformat(at)) for side, at in times.items()
    }
    assert found.run == done.shown["run"]
    # Once more, and nothing new is to be said.
    waiting.run()
    assert held(waiting) == found


@pytest.mark.parametrize("use", list(Side))
def test_a_decision_is_carried_out_by_the_next_run(waiting: Stage, use: Side) -> None:
    waiting.run()
    decision = Decision(use=use, seen=held(waiting).values, at=datetime.now(UTC))
    put_decision(waiting.client, waiting.task.name, ("n1", "Done"), decision)

    done = waiting.run()

    assert done.shown["outcome"] == "done"
    wanted = "n" if use is Side.NOTION else PLANTED
    assert waiting.task.shown("notion") == waiting.task.shown("other") == [("Bread", wanted)]
    state = load(waiting.client, waiting.task.name)
    assert state is not None
    assert (state.held, state.decisions, state.trails) == ({}, {}, {})


def test_a_decision_that_comes_between_plan_and_end_is_left_to_the_next_run(waiting: Stage) -> None:
    waiting.run()
    waiting.task.put("notion", Name="Milk", Done=False)
    delivery = waiting.delivery()
    for name in ("get", "diff"):
        waiting.phase(name, delivery)
    decision = Decision(use=Side.NOTION, seen=held(waiting).values, at=datetime.now(UTC))
    put_decision(waiting.client, waiting.task.name, ("n1", "Done"), decision)

    waiting.phase("apply", delivery)

    state = load_remarks(waiting.client, waiting.task.name)
    assert state is not None
    assert state.decisions == {"n1": {"Done": decision}}
    waiting.run()
    assert ("Bread", "n") in waiting.task.shown("other")


def test_an_end_that_is_repeated_says_the_same(waiting: Stage) -> None:
    """A worker that died between the end's storing and its report: the phase comes again."""
    waiting.task.put("notion", Name="Milk", Done=False)
    delivery = waiting.delivery()
    for name in ("get", "diff", "apply"):
        waiting.phase(name, delivery)
    found = held(waiting)
    waiting.phase("apply", delivery)
    assert held(waiting) == found


class Deciding(TrickyTask):
    """Decides its conflicts itself."""

    def resolve_conflict(self, notion_obj: Any, _other_obj: Any, notion_attr: str, _other_attr: str) -> Any:
        return notion_obj[notion_attr]


def test_beside_a_rule_of_its_own_what_lost_to_a_person_is_in_the_history_too(waiting: Stage) -> None:
    waiting.run()
    decision = Decision(use=Side.NOTION, seen=held(waiting).values, at=datetime.now(UTC))
    put_decision(waiting.client, waiting.task.name, ("n1", "Done"), decision)
    waiting.task.put("notion", "n1", Name="Rye")
    waiting.task.put("other", held(waiting).other_id, summary="Wheat")
    own = Stage(waiting.client, Deciding(waiting.task.name, waiting.task.folder, "error"))

    own.run()

    assert own.task.shown("other") == [("Rye", "n")]
    entry = next(entries(own.client, own.task.name))
    assert [(c.attrs.notion, c.values.other, c.winner, c.by_person) for c in entry.conflicts] == [
        ("Done", PLANTED, Side.NOTION, True),
        ("Name", "Wheat", Side.NOTION, False),
    ]
