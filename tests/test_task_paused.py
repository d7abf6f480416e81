"""Paused records in the state of a `SyncTask` whose steps are overridden or called by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from sync_workers import ID, State
from sync_workers.model import Side
from tests.task_worlds import Todo, World, world


@pytest.fixture
def here() -> World:
    return world()


def test_a_sync_leaves_paused_records_alone_and_its_state_still_names_them(here: World) -> None:
    task, state = here.linked("a", "b")
    state.paused = {Side.NOTION: {"n1"}}
    here.notion.edit("n1", Note="x")
    here.other.edit("o2", note="x")

    state = task.sync(state)

    assert here.writes() == {"notion": {"update": 1}, "other": {}}
    assert [hold.record_id for hold in task.report.held] == ["n1"]
    assert state.paused == {Side.NOTION: {"n1"}}
    state.paused.clear()
    task.sync(state)
    assert here.sides_agree()


def test_a_step_called_by_itself_leaves_paused_records_alone(here: World) -> None:
    task, state = here.linked("a", "b")
    state.paused = {Side.NOTION: {"n1"}}
    for record_id in ("n1", "n2"):
        here.notion.edit(record_id, Note="x")
    objs = [{thing.id: thing for thing in server.listing()} for server in (here.notion, here.other)]

    task.sync_state_changes(state, *objs)

    assert here.other.rows("title", "note") == [("a", ""), ("b", "x")]


def test_a_state_that_a_step_makes_anew_still_names_the_paused_records(here: World) -> None:
    class Anew(Todo):
        def sync_state_changes(
            self, state: State, notion_objs: dict[ID, Any], other_objs: dict[ID, Any]
        ) -> State:
            state = super().sync_state_changes(state, notion_objs, other_objs)
            return State(ids=dict(state.ids), objs=dict(state.objs))

    _, state = here.linked("a")
    state.paused = {Side.OTHER: {"o1"}}
    here.notion.add(Title="b", Done=False, Note="")

    state = here.task(Anew).sync(state)

    assert state.paused == {Side.OTHER: {"o1"}}
    assert here.other.counts() == {"create": 1}
