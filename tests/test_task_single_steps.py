"""The public steps called by themselves, as the original allowed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sync_workers import ID, ConflictError, GuardError, State
from tests.task_worlds import Objects, Server, Thing, Todo, World, busy, world


@pytest.fixture(params=itertools.product(Objects, Objects), ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    return world(*request.param)


def things(server: Server) -> dict[ID, Thing]:
    return {thing.id: thing for thing in server.listing()}


def test_a_sync_made_of_single_steps_works(any_world: World) -> None:
    class ByHand(Todo):
        def sync(self, state: State | None) -> State:
            notion_objs = {self.notion_id(obj): obj for obj in self.get_notion_objects()}
            other_objs = {self.other_id(obj): obj for obj in self.get_other_objects()}
            if state is None:
                state = self.initial_sync(notion_objs, other_objs)
            else:
                state = self.sync_notion_deleted(state, notion_objs, other_objs)
                state = self.sync_other_deleted(state, notion_objs, other_objs)
                state = self.sync_state_changes(state, notion_objs, other_objs)
            state = self.sync_notion_created(state, notion_objs)
            return self.sync_other_created(state, other_objs)

    task, state = busy(any_world, ByHand)
    state = task.sync(state)

    assert any_world.sides_agree()
    assert len(state.ids) == 3
    any_world.assert_quiet(any_world.task(), state)


def test_steps_can_be_called_by_themselves(any_world: World) -> None:
    task = any_world.task()
    any_world.notion.add(Title="both", Done=False, Note="x")
    any_world.other.add(title="both", done=False, note="")
    any_world.notion.add(Title="notion only", Done=False, Note="")
    any_world.other.add(title="other only", done=False, note="")
    notion_objs, other_objs = things(any_world.notion), things(any_world.other)

    state = task.initial_sync(notion_objs, other_objs)
    assert state.ids == {"n1": "o1"}
    assert any_world.writes() == {"notion": {}, "other": {"update": 1}}
    same_state = task.sync_notion_created(state, notion_objs)
    assert same_state is state
    assert any_world.other.counts() == {"update": 1, "create": 1}
    task.sync_other_created(state, other_objs)

    assert any_world.sides_agree()
    assert len(state.ids) == 3
    any_world.assert_quiet(task, state)


def test_deleting_steps_by_themselves_delete_and_drop_the_objects(any_world: World) -> None:
    task, state = any_world.linked("a", "b", "c")
    any_world.notion.remove("n1")
    any_world.other.remove("o2")
    notion_objs, other_objs = things(any_world.notion), things(any_world.other)

    task.sync_notion_deleted(state, notion_objs, other_objs)
    task.sync_other_deleted(state, notion_objs, other_objs)

    assert set(notion_objs) == {"n3"}
    assert set(other_objs) == {"o3"}
    assert state.ids == {"n3": "o3"}
    assert any_world.sides_agree()


def test_a_step_by_itself_takes_no_unreadable_object_for_gone() -> None:
    here = world()
    task, state = here.linked("bad", "b")
    here.notion.faults["to_dict", "bad"] = ValueError("SECRET-VALUE")

    task.sync_notion_deleted(state, things(here.notion), things(here.other))

    assert here.writes() == {"notion": {}, "other": {}}
    assert task.report.failures[0].record_id == "n1"
    assert not task.report.held  # nobody even thought of deleting


def test_a_step_by_itself_obeys_the_guards() -> None:
    here = world()
    task, state = here.linked("a", "b")

    with pytest.raises(GuardError):
        task.sync_notion_deleted(state, {}, things(here.other))

    assert here.writes() == {"notion": {}, "other": {}}


def test_a_step_by_itself_raises_held_conflicts_after_the_rest() -> None:
    here = world()
    task, state = here.linked("a", "b", mode="error")
    here.notion.edit("n1", Note="n")
    here.other.edit("o1", note="o")
    here.notion.edit("n2", Note="flows")

    with pytest.raises(ConflictError) as raised:
        task.sync_state_changes(state, things(here.notion), things(here.other))

    assert here.other.rows("note") == [("flows",), ("o",)]
    assert raised.value.state is state


def test_a_create_by_itself_looks_for_lost_replies(any_world: World) -> None:
    task = any_world.task()
    any_world.notion.add(Title="a", Done=False, Note="")
    any_world.other.lost = 1
    state = task.sync_notion_created(State(), things(any_world.notion))
    assert task.report.failures[0].unknown

    state = task.sync_notion_created(state, things(any_world.notion))
    state = task.sync(state)

    assert any_world.other.counts() == {"create": 1}
    assert state.ids == {"n1": "o1"}


def test_ids_that_are_numbers_mean_the_same_in_a_step(any_world: World) -> None:
    class Numbered(Todo):
        def notion_id(self, obj: Any) -> Any:
            return int(super().notion_id(obj)[1:])

        def other_id(self, obj: Any) -> Any:
            return int(super().other_id(obj)[1:])

    task, state = any_world.linked("a", "b", kind=Numbered)
    notion = {task.notion_id(obj): obj for obj in task.get_notion_objects()}
    other = {task.other_id(obj): obj for obj in task.get_other_objects()}

    state = task.sync_notion_deleted(state, notion, other)
    state = task.sync_state_changes(state, notion, other)
    state = task.sync_notion_created(state, notion)
    task.sync_other_created(state, other)

    assert any_world.writes() == {"notion": {}, "other": {}}
