"""Conflicts: modes, ties, times."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sync_workers import ConflictError, ConflictMode, Side
from sync_workers.report import Outcome
from tests.task_worlds import Objects, Todo, World, world

KINDS = list(itertools.product(Objects, Objects))


@pytest.fixture(params=KINDS, ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    """Live objects or mere copies on either side."""
    return world(*request.param)


@pytest.mark.parametrize("mode", [ConflictMode.ERROR, "error"])
def test_mode_error_raises_after_everything_else(any_world: World, mode: ConflictMode | str) -> None:
    task, state = any_world.linked("a", "b", mode=mode)
    before = state.model_copy(deep=True)
    any_world.notion.edit("n1", Note="notion's", Done=True)
    any_world.other.edit("o1", note="other's")
    any_world.notion.edit("n2", Note="flows")
    any_world.other.add(title="new", done=False, note="")

    with pytest.raises(ConflictError) as raised:
        task.sync(state)

    assert state == before
    (conflict,) = raised.value.conflicts
    assert (conflict.values.notion, conflict.values.other) == ("notion's", "other's")
    assert conflict.winner is None
    assert task.report.outcome is Outcome.DECISION
    assert any_world.other.rows("title", "done", "note") == [
        ("a", True, "other's"),
        ("b", False, "flows"),
        ("new", False, ""),
    ]
    assert "other's" not in str(raised.value)
    # The same conflict again, without a write.
    state = raised.value.state
    assert state is not None
    any_world.forget()
    with pytest.raises(ConflictError) as again:
        task.sync(state)
    assert again.value.conflicts == raised.value.conflicts
    assert any_world.writes() == {"notion": {}, "other": {}}
    # A person decides.
    any_world.notion.edit("n1", Note="other's")
    state = task.sync(again.value.state)
    assert any_world.writes() == {"notion": {}, "other": {}}
    any_world.assert_quiet(task, state)


def test_mode_error_holds_a_difference_of_the_first_sync() -> None:
    here = world()
    here.notion.add(Title="a", Done=False, Note="notion's")
    here.other.add(title="a", done=False, note="other's")

    with pytest.raises(ConflictError) as raised:
        here.task(mode="error").sync(None)

    assert here.writes() == {"notion": {}, "other": {}}
    assert raised.value.state is not None
    assert raised.value.state.ids == {"n1": "o1"}


def test_a_tie_goes_by_the_task_s_rule_and_is_reported() -> None:
    for tie, kept in ((Side.OTHER, "other's"), (Side.NOTION, "notion's")):
        here = world()
        task, state = here.linked("a")
        task.tie = tie
        here.notion.edit("n1", Note="notion's")
        here.other.edit("o1", note="other's")
        here.other.things["o1"].updated = here.notion.things["n1"].updated

        task.sync(state)

        assert here.notion.rows("Note") == [(kept,)]
        assert task.report.conflicts[0].tie


def test_a_naive_time_is_the_local_one() -> None:
    here = world()
    task, state = here.linked("a")
    here.notion.edit("n1", Note="earlier")
    here.other.edit("o1", note="later")
    for thing in (here.notion.things["n1"], here.other.things["o1"]):
        thing.updated = thing.updated.astimezone().replace(tzinfo=None)

    task.sync(state)

    assert here.notion.rows("Note") == [("later",)]


def test_sides_without_times_are_a_tie() -> None:
    class Timeless(Todo):
        def notion_timestamp(self, obj: Any) -> Any:
            raise NotImplementedError

        def other_timestamp(self, _obj: Any) -> Any:
            return None

    here = world()
    task, state = here.linked("a", kind=Timeless)
    here.notion.edit("n1", Note="notion's")
    here.other.edit("o1", note="other's")

    task.sync(state)

    assert here.sides_agree()
    assert task.report.conflicts[0].tie
    assert not task.report.failures
