"""Writes whose reply is lost: done, and then an exception."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sync_workers import Side, State
from tests.task_worlds import LostReplyError, Objects, Server, Thing, Todo, World, world


@pytest.fixture(params=itertools.product(Objects, Objects), ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    return world(*request.param)


def of(here: World, side: Side) -> Server:
    return here.notion if side is Side.NOTION else here.other


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("titles", [("a",), ("a", "b"), ("same", "same"), ("same", "same", "same")])
def test_a_lost_reply_makes_no_duplicate(any_world: World, side: Side, titles: tuple[str, ...]) -> None:
    source, target = of(any_world, side.opposite), of(any_world, side)
    for title in titles:
        _add(source, title)
    target.lost = len(titles)
    task = any_world.task()

    state = task.sync(None)

    assert [failure.unknown for failure in task.report.failures] == [True] * len(titles)
    state = task.sync(state)
    assert any_world.sides_agree()
    assert target.counts() == {"create": len(titles)}
    assert len(state.ids) == len(titles)
    any_world.assert_quiet(task, state)


def _add(server: Server, title: str, note: str = "") -> Thing:
    if server.prefix == "n":
        return server.add(Title=title, Done=False, Note=note)
    return server.add(title=title, done=False, note=note)


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_reply_is_looked_for_beside_equal_titles(lost: int) -> None:
    here = world()
    for note in ("1", "2", "3"):
        _add(here.notion, "same", note)
    here.other.lost = lost
    task = here.task()

    state = task.sync(task.sync(None))

    assert here.sides_agree()
    assert here.other.counts() == {"create": 3}
    here.assert_quiet(task, state)


def test_a_lost_reply_survives_json(any_world: World) -> None:
    _add(any_world.notion, "a")
    any_world.other.lost = 1
    task = any_world.task()

    state = task.sync(None)
    state = task.sync(State.model_validate_json(state.model_dump_json()))

    assert any_world.other.counts() == {"create": 1}
    assert state.ids == {"n1": "o1"}


@pytest.mark.parametrize("title", ["a", "renamed"])
def test_an_edit_of_the_source_after_a_lost_reply_crosses(any_world: World, title: str) -> None:
    _add(any_world.notion, "a")
    any_world.other.lost = 1
    task = any_world.task()
    state = task.sync(None)
    any_world.notion.edit("n1", Title=title, Note="edited")

    state = task.sync(state)

    assert any_world.other.rows("title", "done", "note") == [(title, False, "edited")]
    assert any_world.notion.rows("Title", "Done", "Note") == [(title, False, "edited")]
    any_world.assert_quiet(task, state)


def test_an_edit_of_the_made_record_after_a_lost_reply_is_not_lost(any_world: World) -> None:
    _add(any_world.notion, "a")
    any_world.other.lost = 1
    task = any_world.task()
    state = task.sync(None)
    any_world.other.edit("o1", note="edited")

    state = task.sync(state)

    assert any_world.notion.rows("Title", "Done", "Note") == [("a", False, "edited")]
    assert any_world.sides_agree()
    any_world.assert_quiet(task, state)


def test_a_lost_reply_of_a_service_that_changes_values_makes_no_duplicate(any_world: World) -> None:
    any_world.other.keep = lambda attr, value: value[:2] if attr == "note" else value
    _add(any_world.notion, "a", "long")
    any_world.other.lost = 1
    task = any_world.task()

    state = task.sync(task.sync(None))

    assert any_world.other.counts() == {"create": 1}
    assert state.ids == {"n1": "o1"}
    any_world.assert_quiet(task, state)


def test_a_create_in_two_calls_is_completed_after_the_second_failed(any_world: World) -> None:
    class InTwoCalls(Todo):
        def other_create_obj(self, **kwargs: Any) -> Any:
            made = self.other_server.create({**kwargs, "done": None})
            if not self.other_server.faults.pop(("second", None), None):
                self.other_server.update(made, {"done": kwargs["done"]})
                return made
            raise LostReplyError

    any_world.notion.add(Title="a", Done=True, Note="")
    any_world.other.faults["second", None] = LostReplyError()
    task = any_world.task(InTwoCalls)

    state = task.sync(task.sync(None))

    assert any_world.other.counts()["create"] == 1
    assert any_world.notion.rows("Title", "Done") == [("a", True)]
    assert any_world.other.rows("title", "done") == [("a", True)]
    any_world.assert_quiet(task, state)


def test_a_create_that_returns_nothing_is_looked_for() -> None:
    class Mute(Todo):
        def other_create_obj(self, **kwargs: Any) -> Any:
            super().other_create_obj(**kwargs)

    here = world()
    _add(here.notion, "a")
    task = here.task(Mute)

    state = task.sync(task.sync(None))

    assert here.other.counts() == {"create": 1}
    assert state.ids == {"n1": "o1"}
    here.assert_quiet(task, state)


def test_a_create_that_returns_what_was_there_links_no_record_twice() -> None:
    class Finds(Todo):
        def other_create_obj(self, **_kwargs: Any) -> Any:
            return self.other_server.things["o1"]

    here = world()
    _, state = here.linked("a", "b")
    _add(here.notion, "c")
    task = here.task(Finds)

    state = task.sync(state)

    assert state.ids == {"n1": "o1", "n2": "o2"}
    assert "which was there before" in task.report.failures[0].reason


@pytest.mark.parametrize("side", Side)
def test_updates_and_deletes_whose_reply_is_lost_are_done_once(any_world: World, side: Side) -> None:
    task, state = any_world.linked("updated", "deleted", "third")
    source, target = of(any_world, side.opposite), of(any_world, side)

    class LosesReplies(Todo):
        def __getattribute__(self, name: str) -> Any:
            found = super().__getattribute__(name)
            if name not in {f"{side}_update_obj", f"{side}_delete_obj"}:
                return found

            def lossy(*args: Any) -> None:
                found(*args)
                raise LostReplyError

            return lossy

    source.edit(f"{source.prefix}1", **{"Note" if source.prefix == "n" else "note": "edited"})
    source.remove(f"{source.prefix}2")

    state = any_world.task(LosesReplies).sync(state)
    assert target.counts() == {"update": 1, "delete": 1}
    state = task.sync(state)

    assert target.counts() == {"update": 1, "delete": 1}
    assert any_world.sides_agree()
    any_world.assert_quiet(task, state)


@pytest.mark.parametrize("hook", ["id", "hash", "to_dict"])
def test_a_begun_create_waits_until_all_that_it_may_have_made_can_be_read(hook: str) -> None:
    here = world()
    _add(here.notion, "a")
    here.other.faults["to_dict", "a"] = LostReplyError()
    task = here.task()
    state = task.sync(None)
    assert task.report.failures[0].reason.startswith("it was written, but cannot be read back")
    here.other.faults.clear()
    here.other.faults[hook, "a"] = LostReplyError()

    state = task.sync(state)

    assert here.other.counts() == {"create": 1}
    assert len(task.report.held) == 1
    here.other.faults.clear()
    state = task.sync(state)
    assert state.ids == {"n1": "o1"}
    here.assert_quiet(task, state)


def test_a_linked_record_that_cannot_be_read_keeps_no_other_from_being_copied() -> None:
    here = world()
    task, state = here.linked("same")
    here.notion.faults["to_dict", "same"] = OSError()
    _add(here.other, "same", "new")

    class ReadsNew(Todo):
        def notion_to_dict(self, obj: Thing) -> dict[str, Any]:
            if obj.id == "n1":
                raise OSError
            return {attr: obj.values[attr] for attr in self.attr_map}

    state = here.task(ReadsNew).sync(state)

    assert state.ids == {"n1": "o1", "n2": "o2"}
    here.notion.faults.clear()
    here.assert_quiet(task, task.sync(state))
