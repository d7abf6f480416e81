"""The state: taken on from the original, left alone, empty, kept as JSON."""

from __future__ import annotations

import itertools

import pytest

from sync_workers import State
from tests.task_worlds import Objects, World, world

KINDS = list(itertools.product(Objects, Objects))


@pytest.fixture(params=KINDS, ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    """Live objects or mere copies on either side."""
    return world(*request.param)


@pytest.mark.parametrize("ours", [True, False])
def test_a_state_of_the_older_form_is_taken_on_without_writes(any_world: World, ours: bool) -> None:
    task, state = any_world.linked("a", "b")
    older = State(ids=dict(state.ids), objs={i: dict(base) for i, base in state.objs.items()})
    if ours:
        older = State.model_validate({"ids": older.ids, "objs": older.objs})

    taken_on = task.sync(older)

    assert any_world.writes() == {"notion": {}, "other": {}}
    assert not older.other_objs
    any_world.assert_quiet(task, taken_on)


def test_edits_and_deletions_are_told_from_a_state_of_the_older_form(any_world: World) -> None:
    task, state = any_world.linked("a", "b", "c")
    older = State(ids=state.ids, objs=state.objs)
    any_world.notion.edit("n1", Note="x")
    any_world.other.edit("o2", note="y")
    any_world.notion.remove("n3")

    state = task.sync(older)

    assert any_world.sides_agree()
    assert len(any_world.other.things) == 2
    any_world.assert_quiet(task, state)


def test_sync_leaves_the_state_it_was_given_alone(any_world: World) -> None:
    task, state = any_world.linked("a", "b")
    before = state.model_copy(deep=True)
    any_world.notion.edit("n1", Note="x")
    any_world.other.remove("o2")

    after = task.sync(state)

    assert state == before
    assert after != before


def test_an_empty_state_is_no_first_run_but_links_all_the_same() -> None:
    here = world()
    here.notion.add(Title="a", Done=False, Note="")
    here.other.add(title="a", done=False, note="")

    state = here.task().sync(State())

    assert state.ids == {"n1": "o1"}
    assert here.writes() == {"notion": {}, "other": {}}
