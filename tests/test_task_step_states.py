"""Overridden steps that change the state, or make one anew."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sync_workers import ID, State
from tests.task_worlds import Objects, Todo, World, world


@pytest.fixture(params=itertools.product(Objects, Objects), ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    return world(*request.param)


def test_what_a_step_parted_is_not_written(any_world: World) -> None:
    class Parts(Todo):
        def sync_notion_deleted(
            self, state: State, notion_objs: dict[ID, Any], other_objs: dict[ID, Any]
        ) -> State:
            assert "n1" in notion_objs
            assert "o1" in other_objs
            del state.ids["n1"], state.objs["n1"]
            return state

    _, state = any_world.linked("a", "b")
    any_world.notion.edit("n1", Note="x")

    state = any_world.task(Parts).sync(state)

    assert any_world.writes() == {"notion": {}, "other": {}}
    assert state.ids == {"n2": "o2"}


def test_a_step_can_link_a_record_to_another_one(any_world: World) -> None:
    class Moves(Todo):
        def sync_state_changes(
            self, state: State, notion_objs: dict[ID, Any], other_objs: dict[ID, Any]
        ) -> State:
            del state.ids["n2"]
            state.ids["n1"] = "o2"
            return super().sync_state_changes(state, notion_objs, other_objs)

    _, state = any_world.linked("a", "b")

    moved = any_world.task(Moves).sync(state)

    assert moved.ids == {"n1": "o2"}
    assert set(moved.other_objs) == {"o2"}


def test_a_state_made_anew_can_be_given_to_our_step(any_world: World) -> None:
    class LinksFirst(Todo):
        def sync_notion_created(self, state: State, notion_objs: dict[ID, Any]) -> State:
            mine = State(ids={**state.ids, "n1": "o1"}, objs={**state.objs, "n1": {}})
            return super().sync_notion_created(mine, notion_objs)

    any_world.notion.add(Title="Milk", Done=False, Note="")
    any_world.notion.add(Title="new", Done=False, Note="")
    any_world.other.add(title="milk", done=False, note="")

    state = any_world.task(LinksFirst).sync(None)

    assert state.ids == {"n1": "o1", "n2": "o2"}
    assert any_world.writes() == {"notion": {}, "other": {"create": 1}}
