"""Hooks that raise for one record."""

from __future__ import annotations

import itertools
import logging
from typing import Any

import pytest

from sync_workers import Side
from sync_workers.errors import LaterError, RejectedError
from sync_workers.report import Outcome, Report
from sync_workers.runs.apply import Application
from sync_workers.runs.diff import decide
from sync_workers.runs.get import get
from sync_workers.runs.store import Unstored
from sync_workers.values import UnsupportedValueError
from tests.task_worlds import Objects, Server, Thing, Todo, World, world

SECRET = "SECRET-VALUE"


@pytest.fixture(params=itertools.product(Objects, Objects), ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    return world(*request.param)


def of(here: World, side: Side) -> Server:
    return here.notion if side is Side.NOTION else here.other


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("hook", ["id", "to_dict", "hash", "timestamp"])
def test_a_record_that_cannot_be_read_stops_itself_only(any_world: World, side: Side, hook: str) -> None:
    task, state = any_world.linked("good", "bad")
    of(any_world, side).faults[hook, "bad"] = ValueError(SECRET)
    for number in (1, 2):
        any_world.notion.edit(f"n{number}", Note="edited")

    state = task.sync(state)

    assert any_world.other.rows("title", "note") == [("bad", ""), ("good", "edited")]
    assert any_world.writes()["notion"] == {}
    (failure,) = task.report.failures
    assert failure.side is side
    assert failure.record_id == ("#1" if hook == "id" else f"{of(any_world, side).prefix}2")
    assert failure.reason == f"{side}_{hook} raised ValueError"
    assert task.report.outcome is Outcome.PARTIAL
    # Once it can be read again, nothing was lost.
    of(any_world, side).faults.clear()
    state = task.sync(state)
    assert any_world.sides_agree()
    any_world.assert_quiet(task, state)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("hook", ["id", "to_dict", "hash", "timestamp"])
def test_a_record_that_cannot_be_read_is_not_gone(side: Side, hook: str) -> None:
    here = world()
    task, state = here.linked("good", "bad")
    of(here, side).faults[hook, "bad"] = ValueError(SECRET)
    of(here, side).remove(f"{of(here, side).prefix}1")

    state = task.sync(state)

    assert ("bad",) in here.other.rows("title")
    assert ("bad",) in here.notion.rows("Title")
    assert "n2" in state.ids


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("hook", ["create", "update", "delete"])
def test_a_write_that_fails_stops_its_record_only(any_world: World, side: Side, hook: str) -> None:
    task, state = any_world.linked("good", "bad", "third")
    target, source = of(any_world, side), of(any_world, side.opposite)
    _edit(source, hook)
    target.faults[hook, "bad"] = ValueError(SECRET)

    state = task.sync(state)

    (failure,) = task.report.failures
    assert failure.action == hook
    assert SECRET not in failure.reason
    assert failure.unknown
    assert task.report.outcome is Outcome.PARTIAL
    assert len(target.log) == 1
    # The next run finishes it.
    target.faults.clear()
    state = task.sync(state)
    assert any_world.sides_agree()
    any_world.assert_quiet(task, state)


def _edit(source: Server, hook: str) -> None:
    title, note = ("Title", "Note") if source.prefix == "n" else ("title", "note")
    for number in (1, 2):
        record_id = f"{source.prefix}{number}"
        match hook:
            case "update":
                source.edit(record_id, **{note: "edited"})
            case "delete":
                source.remove(record_id)
            case "create":
                done = "Done" if title == "Title" else "done"
                source.add(**{title: "bad" if number == 2 else "fine", note: "new", done: False})


def test_a_hook_that_gives_no_id_or_misses_an_attribute_is_named() -> None:
    here = world()
    here.notion.add(Title="a", Done=False, Note="")
    here.notion.add(Title="b", Done=False, Note="")
    here.notion.add(Title="c", Done=object(), Note="")

    class Sloppy(Todo):
        def notion_id(self, obj: Thing) -> Any:
            return None if obj.values["Title"] == "a" else obj.id

        def notion_to_dict(self, obj: Thing) -> dict[str, Any]:
            shown = super().notion_to_dict(obj)
            if obj.values["Title"] == "b":
                del shown["Done"]
            return shown

    task = here.task(Sloppy)
    task.sync(None)

    assert [(failure.record_id, failure.reason) for failure in task.report.failures] == [
        ("#0", "notion_id gave no id"),
        ("n2", "notion_to_dict gave no 'Done'"),
        (
            "n3",
            "notion_to_dict gave in 'Done' " + str(UnsupportedValueError(object())),
        ),
    ]
    assert here.writes() == {"notion": {}, "other": {}}


def test_what_hooks_say_in_our_words_is_taken_as_said() -> None:
    here = world()
    task, state = here.linked("a", "b", "c")
    for number in (1, 2, 3):
        here.notion.edit(f"n{number}", Note="x")
    here.other.faults["update", "a"] = RejectedError("the list is closed")
    here.other.faults["update", "b"] = LaterError("ask again in an hour")

    state = task.sync(state)

    assert [(f.record_id, f.reason, f.unknown) for f in task.report.failures] == [
        ("n1", "the list is closed", False),
        ("n2", "ask again in an hour", False),
        ("n3", "ask again in an hour", False),
    ]
    assert here.writes() == {"notion": {}, "other": {}}
    assert state.ids == {"n1": "o1", "n2": "o2", "n3": "o3"}


def test_no_value_gets_into_reports_or_logs(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    here = world()
    task, state = here.linked("read", "update", "delete", "conflict")
    here.other.faults["to_dict", "read"] = KeyError(SECRET)
    here.other.faults["update", "update"] = ValueError(SECRET)
    here.other.faults["delete", "delete"] = OSError(SECRET)
    here.notion.faults["create", SECRET] = OSError(SECRET)
    here.notion.edit("n2", Note=SECRET)
    here.notion.remove("n3")
    here.notion.edit("n4", Note=SECRET)
    here.other.edit("o4", note=SECRET * 2)
    here.other.add(title=SECRET, done=False, note=SECRET)

    task.sync(state)

    assert len(task.report.failures) == 4
    assert len(task.report.conflicts) == 1
    assert "SECRET" not in str(task.report.summary())
    assert "SECRET" not in repr(task.report)
    assert caplog.records
    assert "SECRET" not in caplog.text


@pytest.mark.parametrize("hook", ["update", "delete"])
def test_what_a_person_changes_while_a_sync_works_is_decided_again(hook: str) -> None:
    class Meddled(Todo):
        def other_update_obj(self, obj: Thing, attr: str, value: Any) -> None:
            self.other_server.edit("o2", note="meanwhile")
            super().other_update_obj(obj, attr, value)

        def notion_delete_obj(self, obj: Thing) -> None:
            self.notion_server.edit("n2", Note="meanwhile")
            super().notion_delete_obj(obj)

    here = world()
    task, state = here.linked("a", "b", "c", "d", kind=Meddled)
    if hook == "update":
        here.notion.edit("n1", Note="x")
        here.notion.edit("n2", Note="y", Done=True)
    else:
        here.other.remove("o1")
        here.other.remove("o2")

    state = task.sync(state)

    assert [hold.reason for hold in task.report.held] == [
        f"record {'o2' if hook == 'update' else 'n2'} changed since it was read"
    ]
    state = here.task().sync(state)
    assert here.sides_agree()
    assert ("b", "meanwhile") in here.other.rows("title", "note")
    here.assert_quiet(here.task(), state)


@pytest.mark.parametrize("hook", ["to_dict", "id"])
def test_a_process_that_carries_out_a_plan_deletes_nothing_it_cannot_see_gone(hook: str) -> None:
    here = world()
    task, state = here.linked("a", "back")
    gone = here.notion.things.pop("n2")
    report = Report("todo")
    gathered = get(task.hooks_services(), task.sync_rules, report)
    plan = decide(task.sync_rules, state, gathered, report)
    assert plan.counts() == {"other.delete": 1}
    here.notion.things["n2"] = gone
    here.notion.faults[hook, "back"] = OSError(SECRET)

    task.carry_out(Application("todo", task.hooks_services(), plan, state, Unstored(), report))

    assert here.writes() == {"notion": {}, "other": {}}
    assert len(report.held) == 1
