"""Subclasses that override the public steps."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sync_workers import ID, State
from tests.task_as_original import AsOriginal
from tests.task_worlds import Objects, Todo, World, busy, world


@pytest.fixture(params=itertools.product(Objects, Objects), ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    return world(*request.param)


def test_skipped_steps_skip_their_part_only(any_world: World) -> None:
    class Keeps(Todo):
        def sync_notion_deleted(
            self, state: State, _notion_objs: dict[ID, Any], _other_objs: dict[ID, Any]
        ) -> State:
            return state

        def sync_other_created(self, state: State, _other_objs: dict[ID, Any]) -> State:
            return state

    task, state = busy(any_world, Keeps)
    state = task.sync(state)

    assert any_world.notion.rows("Title") == [("edited",), ("new on notion",)]
    assert any_world.other.rows("title", "note") == [
        ("edited", "edited"),
        ("gone on notion", ""),
        ("new on notion", ""),
        ("new on other", ""),
    ]
    assert state.ids["n2"] == "o2"
    any_world.forget()
    after = task.sync(state)
    state.trails.clear()  # what the run before wrote is remembered until a run leaves it alone
    assert after == state
    assert any_world.writes() == {"notion": {}, "other": {}}


def test_a_step_with_fewer_objects_does_less(any_world: World) -> None:
    class Chooses(Todo):
        def sync_notion_created(self, state: State, notion_objs: dict[ID, Any]) -> State:
            chosen = {i: obj for i, obj in notion_objs.items() if obj.values["Title"] != "private"}
            return super().sync_notion_created(state, chosen)

        def sync_state_changes(
            self, state: State, notion_objs: dict[ID, Any], other_objs: dict[ID, Any]
        ) -> State:
            chosen = {i: obj for i, obj in notion_objs.items() if obj.values["Title"] != "private"}
            return super().sync_state_changes(state, chosen, other_objs)

    task, state = any_world.linked("private", "open", kind=Chooses)
    any_world.notion.edit("n1", Note="x")
    any_world.notion.edit("n2", Note="x")
    any_world.notion.add(Title="private", Done=True, Note="")
    any_world.notion.add(Title="public", Done=True, Note="")

    task.sync(state)

    assert any_world.other.rows("title", "note") == [("open", "x"), ("private", ""), ("public", "")]


def test_steps_see_the_objects_as_the_steps_before_left_them() -> None:
    seen: dict[str, set[ID]] = {}

    class Looks(Todo):
        def sync_notion_created(self, state: State, notion_objs: dict[ID, Any]) -> State:
            seen["notion"] = set(notion_objs)
            return super().sync_notion_created(state, notion_objs)

        def sync_other_created(self, state: State, other_objs: dict[ID, Any]) -> State:
            seen["other"] = set(other_objs)
            return super().sync_other_created(state, other_objs)

    here = world()
    task, state = busy(here, Looks)
    task.sync(state)

    assert seen == {"notion": {"n1", "n4"}, "other": {"o1", "o4"}}


def test_a_step_that_changes_the_state_itself_is_followed(any_world: World) -> None:
    class Forgets(Todo):
        def sync_notion_deleted(
            self, state: State, notion_objs: dict[ID, Any], _other_objs: dict[ID, Any]
        ) -> State:
            for notion_id in list(state.ids):
                if notion_id not in notion_objs:
                    del state.ids[notion_id]
                    del state.objs[notion_id]
            return state

    task, state = busy(any_world, Forgets)
    before = state.model_copy(deep=True)
    result = task.sync(state)

    assert state == before
    assert "n2" not in result.ids
    assert "o2" not in result.other_objs
    assert ("gone on notion",) in any_world.other.rows("title")


def test_copied_bodies_of_the_original_go_on_working(any_world: World) -> None:
    any_world.notion.add(Title="equal", Done=False, Note="")
    any_world.other.add(title="equal", done=False, note="")
    any_world.notion.add(Title="differs", Done=False, Note="notion's")
    any_world.other.add(title="differs", done=False, note="other's")
    any_world.notion.add(Title="notion only", Done=False, Note="")
    any_world.other.add(title="other only", done=False, note="")
    task = any_world.task(AsOriginal)

    state = task.sync(None)

    assert any_world.sides_agree()
    assert any_world.other.counts() == {"create": 1}
    assert any_world.notion.counts() == {"create": 1, "update": 1}
    state = any_world.assert_quiet(task, state)
    any_world.notion.edit("n1", Note="edited")
    any_world.other.edit("o2", note="edited, too")
    any_world.notion.edit("n3", Note="notion's")
    any_world.other.edit("o4", note="other's")
    any_world.forget()
    before = state.model_copy(deep=True)

    result = task.sync(state)

    assert any_world.sides_agree()
    assert state == before
    any_world.assert_quiet(task, result)


@pytest.mark.parametrize("step", ["initial_sync", "sync_notion_created", "sync_other_created"])
def test_one_copied_body_works_beside_our_steps(any_world: World, step: str) -> None:
    mixed = type("Mixed", (Todo,), {step: getattr(AsOriginal, step)})
    any_world.notion.add(Title="both", Done=False, Note="")
    any_world.other.add(title="both", done=False, note="")
    any_world.notion.add(Title="notion only", Done=False, Note="")
    any_world.other.add(title="other only", done=False, note="")
    task = any_world.task(mixed)

    state = task.sync(None)

    assert any_world.sides_agree()
    assert any_world.writes() == {"notion": {"create": 1}, "other": {"create": 1}}
    any_world.assert_quiet(task, state)


def test_a_step_that_links_otherwise_makes_no_copies(any_world: World) -> None:
    class IgnoresCase(Todo):
        def initial_sync(self, notion_objs: dict[ID, Any], other_objs: dict[ID, Any]) -> State:
            by_title = {self.other_hash(obj).lower(): i for i, obj in other_objs.items()}
            pairs = {i: by_title[self.notion_hash(obj).lower()] for i, obj in notion_objs.items()}
            return State(ids=pairs, objs={i: self.notion_to_dict(notion_objs[i]) for i in pairs})

    any_world.notion.add(Title="Milk", Done=False, Note="")
    any_world.other.add(title="milk", done=False, note="")

    task = any_world.task(IgnoresCase)
    state = task.sync(None)

    assert any_world.writes() == {"notion": {}, "other": {}}
    assert state.ids == {"n1": "o1"}
    assert not task.report.held


def test_a_step_that_links_otherwise_is_not_linked_over() -> None:
    class Chooses(Todo):
        def sync_state_changes(
            self, state: State, notion_objs: dict[ID, Any], other_objs: dict[ID, Any]
        ) -> State:
            assert {"n1", "o2"} <= {*notion_objs, *other_objs}
            state.ids["n1"] = "o2"
            state.objs["n1"] = {"Title": "same", "Done": False, "Note": ""}
            return state

    here = world()
    here.notion.add(Title="same", Done=False, Note="")
    here.other.add(title="same", done=False, note="")
    here.other.add(title="another", done=False, note="")

    state = here.task(Chooses).sync(State())

    assert state.ids["n1"] == "o2"


def test_a_state_made_anew_loses_no_begun_create() -> None:
    class MakesAnew(Todo):
        def sync_other_created(self, state: State, _other_objs: dict[ID, Any]) -> State:
            return State(ids=state.ids, objs=state.objs)

    here = world()
    here.notion.add(Title="a", Done=False, Note="")
    here.other.lost = 1

    state = here.task(MakesAnew).sync(None)

    assert set(state.pending["other"]) == {"n1"}
    assert state.setup


def test_a_step_that_returns_nothing_means_the_state_it_was_given() -> None:
    class ReturnsNothing(Todo):
        def sync_state_changes(  # type: ignore[override]
            self, state: State, notion_objs: dict[ID, Any], other_objs: dict[ID, Any]
        ) -> None:
            super().sync_state_changes(state, notion_objs, other_objs)

    here = world()
    task, state = busy(here, ReturnsNothing)

    state = task.sync(state)

    assert here.sides_agree()
    here.assert_quiet(task, state)


def test_a_step_that_raises_leaves_the_given_state_alone_and_the_next_run_settles(any_world: World) -> None:
    class Raises(Todo):
        def sync_notion_created(self, state: State, notion_objs: dict[ID, Any]) -> State:
            super().sync_notion_created(state, notion_objs)
            raise ZeroDivisionError

    _, state = busy(any_world)
    before = state.model_copy(deep=True)
    with pytest.raises(ZeroDivisionError):
        any_world.task(Raises).sync(state)

    assert state == before
    state = any_world.task().sync(state)
    assert any_world.sides_agree()
    assert len(any_world.notion.things) == 3
    any_world.assert_quiet(any_world.task(), state)


def test_an_overridden_sync_wraps_the_whole() -> None:
    calls: list[object] = []

    class Wraps(Todo):
        def sync(self, state: State | None) -> State:
            calls.append(state)
            result = super().sync(state)
            calls.append(result)
            return result

    here = world()
    task, state = busy(here, Wraps)
    calls.clear()
    result = task.sync(state)

    assert calls == [state, result]
    assert here.sides_agree()
