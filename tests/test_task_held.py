"""Held attributes of class tasks: in the state, with a person's decision, and the loop detector."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from sync_workers import ConflictError, Side, State
from sync_workers.remarks import Decision
from sync_workers.report import Outcome
from tests.task_worlds import Objects, Todo, World, world

NOW = datetime(2026, 5, 1, tzinfo=UTC)
BOTH = pytest.mark.parametrize("use", list(Side))


@pytest.fixture(params=itertools.product(Objects, Objects), ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    return world(*request.param)


def held(here: World, kind: type[Todo] = Todo) -> tuple[Any, State]:
    """A task and a state in which the note of `a` waits for a person."""
    task, state = here.linked("a", "b", kind=kind, mode="error")
    here.notion.edit("n1", Note="notion's")
    here.other.edit("o1", note="other's")
    with pytest.raises(ConflictError) as raised:
        task.sync(state)
    assert raised.value.state is not None
    return task, raised.value.state


def decided(state: State, use: Side | None = None, value: Any = None) -> State:
    seen = state.held["n1"]["Note"].values
    state.decisions["n1"] = {"Note": Decision(use=use, value=value, seen=seen, at=NOW)}
    return state


def test_a_held_attribute_stands_in_the_state(any_world: World) -> None:
    task, state = held(any_world)
    found = state.held["n1"]["Note"]
    assert (found.other_id, found.other_attr) == ("o1", "note")
    assert found.values == {Side.NOTION: "notion's", Side.OTHER: "other's"}
    assert found.changed == {
        Side.NOTION: any_world.notion.things["n1"].updated,
        Side.OTHER: any_world.other.things["o1"].updated,
    }
    before = state.model_copy(deep=True)
    with pytest.raises(ConflictError) as again:
        task.sync(state)
    assert again.value.state == before == state


def test_a_time_that_cannot_be_told_stops_no_record_in_mode_error() -> None:
    here = world()
    for server, title in ((here.notion, "a"), (here.other, "a")):
        server.faults["timestamp", title] = RuntimeError("SECRET-VALUE")
    task, state = held(here)
    assert not task.report.failures
    assert state.held["n1"]["Note"].changed == {Side.NOTION: None, Side.OTHER: None}


@BOTH
def test_a_person_decides(any_world: World, use: Side) -> None:
    task, state = held(any_world)
    any_world.forget()
    before = decided(state, use).model_copy(deep=True)

    after = task.sync(state)

    wins = {Side.NOTION: "notion's", Side.OTHER: "other's"}[use]
    assert any_world.notion.rows("Note") == any_world.other.rows("note") == [("",), (wins,)]
    assert any_world.writes()[use.opposite] == {"update": 1}
    assert any_world.writes()[use] == {}
    assert state == before  # the one that was given is not changed
    assert (after.held, after.decisions) == ({}, {})
    assert task.report.outcome is Outcome.DONE
    any_world.assert_quiet(task, after)


def test_a_third_value_is_written_to_both(any_world: World) -> None:
    task, state = held(any_world)
    after = task.sync(decided(state, value="third"))
    assert any_world.notion.rows("Note") == any_world.other.rows("note") == [("",), ("third",)]
    any_world.assert_quiet(task, after)


class Asked(Todo):
    """Decides each attribute itself, and remembers which it was asked about."""

    asked: list[str]

    def resolve_conflict(self, notion_obj: Any, _other_obj: Any, notion_attr: str, _other_attr: str) -> Any:
        self.asked.append(notion_attr)
        if notion_attr == "Note":
            raise ConflictError([])
        return notion_obj.values[notion_attr]


@BOTH
def test_a_rule_of_its_own_is_asked_only_where_nobody_decided(any_world: World, use: Side) -> None:
    Asked.asked = []
    task, state = held(any_world, Asked)
    assert state.held["n1"].keys() == {"Note"}
    any_world.notion.edit("n1", Done="n")
    any_world.other.edit("o1", done="o")
    Asked.asked.clear()

    after = task.sync(decided(state, use))

    wins = {Side.NOTION: "notion's", Side.OTHER: "other's"}[use]
    assert Asked.asked == ["Done"]
    assert (
        any_world.notion.rows("Note", "Done")[-1] == any_world.other.rows("note", "done")[-1] == (wins, "n")
    )
    assert [(c.attrs.notion, c.winner) for c in task.report.conflicts] == [
        ("Note", use),
        ("Done", Side.NOTION),
    ]
    assert (after.held, after.decisions) == ({}, {})
    any_world.assert_quiet(task, after)


def test_what_its_own_rule_could_not_be_asked_about_still_waits() -> None:
    here = world()
    Asked.asked = []
    _, state = held(here, Asked)

    # When: the object cannot be looked at before the rule is asked.
    class Moved(Asked):
        def sync_state_changes(self, state: State, notion_objs: Any, other_objs: Any) -> State:
            here.other.edit("o1", note="edited since")
            return super().sync_state_changes(state, notion_objs, other_objs)

    after = here.task(Moved, "error").sync(state)
    assert after.held == state.held


@pytest.mark.parametrize("kind", [Todo, Asked])
def test_two_sides_that_answer_each_other_are_stopped(kind: type[Todo]) -> None:
    here = world()
    Asked.asked = []
    task, state = here.linked("a", "b", kind=kind)
    task.loop_limit = 4
    here.other.edit("o1", done="start")
    written = 0
    for _ in range(12):
        here.forget()
        try:
            state = task.sync(state)
        except ConflictError as waits:
            state = waits.state or state
        for server, attr in ((here.notion, "Done"), (here.other, "done")):
            for _, thing_id, changes in list(server.log):
                written += 1
                server.edit(thing_id, **{attr: f"{changes[attr]}!"})  # an automation

    assert 4 < written <= 6
    assert state.held["n1"]["Done"].frozen
    assert here.writes() == {"notion": {}, "other": {}}


def test_the_error_names_the_next_step() -> None:
    here = world()
    task, state = held(here)
    with pytest.raises(ConflictError, match=r"sync-workers conflicts.*sync-workers resolve") as raised:
        task.sync(state)
    assert "notion's" not in str(raised.value)


def test_a_step_that_makes_a_state_of_its_own_forgets_nothing() -> None:
    here = world()

    class Anew(Todo):
        def sync_notion_created(self, state: State, notion_objs: Any) -> State:
            state = super().sync_notion_created(state, notion_objs)
            return State(ids=state.ids, objs=state.objs)

    _, state = held(here)
    with pytest.raises(ConflictError) as raised:
        here.task(Anew, "error").sync(state)
    assert raised.value.state is not None
    assert raised.value.state.held == state.held
