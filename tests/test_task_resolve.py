"""Subclasses that override `resolve_conflict`, and how many calls a changed record costs."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sync_workers import ConflictError, ConflictMode, SyncTask
from tests.task_worlds import Objects, Todo, World, world


@pytest.fixture(params=itertools.product(Objects, Objects), ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    return world(*request.param)


def conflicting(here: World, kind: type[Todo], mode: str = "newer") -> Any:
    task, state = here.linked("a", "b", kind=kind, mode=mode)
    here.notion.edit("n1", Note="notion's", Title="a")
    here.other.edit("o1", note="other's", done=True)
    here.notion.edit("n2", Note="flows")
    return task, state


def test_a_resolve_conflict_that_only_returns_is_written_for_it(any_world: World) -> None:
    class Joins(Todo):
        def resolve_conflict(self, notion_obj: Any, other_obj: Any, notion_attr: str, other_attr: str) -> Any:
            assert (notion_attr, other_attr) == ("Note", "note")
            return f"{notion_obj.values['Note']} and {other_obj.values['note']}"

    task, state = conflicting(any_world, Joins)
    state = task.sync(state)

    joined = "notion's and other's"
    assert any_world.notion.rows("Title", "Done", "Note") == [("a", True, joined), ("b", False, "flows")]
    assert any_world.sides_agree()
    (conflict,) = task.report.conflicts
    assert conflict.merged
    any_world.assert_quiet(task, state)


def test_a_resolve_conflict_that_writes_itself_is_not_written_again() -> None:
    class Writes(Todo):
        def resolve_conflict(self, notion_obj: Any, other_obj: Any, notion_attr: str, other_attr: str) -> Any:
            value = "decided"
            self.notion_update_obj(notion_obj, notion_attr, value)
            self.other_update_obj(other_obj, other_attr, value)
            return value

    here = world()
    task, state = conflicting(here, Writes)
    state = task.sync(state)

    assert here.notion.rows("Note") == [("decided",), ("flows",)]
    assert here.sides_agree()
    notes = [changes for _, _, changes in here.notion.log if "Note" in changes]
    assert notes == [{"Note": "decided"}]
    here.assert_quiet(task, state)


def test_a_resolve_conflict_that_writes_and_returns_nothing_erases_nothing() -> None:
    class Writes(Todo):
        def resolve_conflict(self, _notion_obj: Any, other_obj: Any, *_attrs: str) -> Any:
            self.other_update_obj(other_obj, "note", "notion's")

    here = world()
    task, state = conflicting(here, Writes)
    state = task.sync(state)

    assert here.other.rows("note") == [("flows",), ("notion's",)]
    assert here.sides_agree()
    here.assert_quiet(task, state)


def test_a_resolve_conflict_that_says_nothing_erases_nothing(any_world: World) -> None:
    class SaysNothing(Todo):
        def resolve_conflict(self, *_args: Any) -> Any:
            return None

    task, state = conflicting(any_world, SaysNothing)
    task.sync(state)

    assert any_world.notion.rows("Note") == [("flows",), ("notion's",)]
    assert any_world.other.rows("note") == [("flows",), ("other's",)]
    (failure,) = task.report.failures
    assert "resolve_conflict returned nothing for 'Note'" in failure.reason


@pytest.mark.parametrize("mode", ["newer", "notion", "other"])
def test_a_resolve_conflict_that_calls_super_goes_by_the_mode(any_world: World, mode: str) -> None:
    asked: list[str] = []

    class Listens(Todo):
        def resolve_conflict(self, *args: Any) -> Any:
            asked.append(args[2])
            return super().resolve_conflict(*args)

    task, state = conflicting(any_world, Listens, mode)
    state = task.sync(state)

    winner = "notion's" if mode == "notion" else "other's"
    assert asked == ["Note"]
    assert any_world.notion.rows("Note") == [("flows",), (winner,)]
    assert any_world.sides_agree()
    any_world.assert_quiet(task, state)


def test_a_rule_that_writes_something_else_does_not_change_who_is_newer() -> None:
    class Stamps(Todo):
        def resolve_conflict(self, *args: Any) -> Any:
            value = super().resolve_conflict(*args)
            self.other_update_obj(args[1], "stamp", "decided")
            return value

    here = world()
    task, state = here.linked("a", kind=Stamps)
    here.other.edit("o1", note="o", done="o")
    here.notion.edit("n1", Note="n", Done="n")

    task.sync(state)

    assert here.other.rows("title", "done", "note") == [("a", "n", "n")]
    assert here.sides_agree()


def test_a_resolve_conflict_in_mode_error_holds(any_world: World) -> None:
    class Listens(Todo):
        def resolve_conflict(self, *args: Any) -> Any:
            return super().resolve_conflict(*args)

    task, state = conflicting(any_world, Listens, "error")
    with pytest.raises(ConflictError) as raised:
        task.sync(state)

    assert any_world.other.rows("title", "done", "note") == [("a", True, "other's"), ("b", False, "flows")]
    assert any_world.notion.rows("Title", "Done", "Note") == [("a", True, "notion's"), ("b", False, "flows")]
    any_world.forget()
    with pytest.raises(ConflictError):
        task.sync(raised.value.state)
    assert any_world.writes() == {"notion": {}, "other": {}}


def test_a_resolve_conflict_that_raises_stops_its_record_only(any_world: World) -> None:
    class Raises(Todo):
        def resolve_conflict(self, *_args: Any) -> Any:
            raise ValueError("SECRET-VALUE")

    task, state = conflicting(any_world, Raises)
    state = task.sync(state)

    (failure,) = task.report.failures
    assert failure.reason.startswith("resolve_conflict raised ValueError")
    assert ("flows",) in any_world.other.rows("note")
    assert ("other's",) in any_world.other.rows("note")
    # A task that decides takes it up.
    state = any_world.task().sync(state)
    assert any_world.sides_agree()


def test_resolve_conflict_by_itself_writes_and_returns(any_world: World) -> None:
    for mode, value, written in (
        ("notion", "n", "other"),
        ("other", "o", "notion"),
        (ConflictMode.NEWER, "o", "notion"),
    ):
        any_world.notion.things.clear()
        any_world.other.things.clear()
        notion = any_world.notion.shown(any_world.notion.add(Title="a", Done=False, Note="n"))
        other = any_world.other.shown(any_world.other.add(title="a", done=False, note="o"))
        any_world.forget()

        assert any_world.task(mode=mode).resolve_conflict(notion, other, "Note", "note") == value

        assert any_world.writes()[written] == {"update": 1}
        assert any_world.sides_agree()


def test_resolve_conflict_by_itself_raises_in_mode_error() -> None:
    here = world()
    notion = here.notion.add(Title="a", Done=False, Note="n")
    other = here.other.add(title="a", done=False, note="o")

    with pytest.raises(ConflictError) as raised:
        here.task(mode="error").resolve_conflict(notion, other, "Note", "note")

    assert raised.value.conflicts[0].values.other == "o"
    assert here.writes() == {"notion": {}, "other": {}}


# --- one write per record ---


def test_all_changes_of_a_record_are_one_call(any_world: World) -> None:
    class AtOnce(Todo):
        def notion_update_attrs(self, obj: Any, changes: dict[str, Any]) -> None:
            self.notion_server.update(obj, changes)

        def other_update_attrs(self, obj: Any, changes: dict[str, Any]) -> None:
            self.other_server.update(obj, changes)

        def resolve_conflict(self, *args: Any) -> Any:
            return super().resolve_conflict(*args)

    for kind in (AtOnce, type("NoRule", (AtOnce,), {"resolve_conflict": SyncTask.resolve_conflict})):
        here = world(any_world.notion.objects, any_world.other.objects)
        task, state = here.linked("a", "b", "c", kind=kind)
        here.notion.edit("n1", Note="x", Done=True)
        here.other.edit("o2", note="y", done=True, title="renamed")
        here.notion.edit("n3", Note="n", Title="title")
        here.other.edit("o3", note="o", done=True)

        state = task.sync(state)

        assert [(i, set(changes)) for _, i, changes in here.other.log] == [
            ("o1", {"note", "done"}),
            ("o3", {"title"}),
        ]
        assert [(i, set(changes)) for _, i, changes in here.notion.log] == [
            ("n2", {"Title", "Done", "Note"}),
            ("n3", {"Done", "Note"}),
        ]
        assert here.sides_agree()
        here.assert_quiet(task, state)
