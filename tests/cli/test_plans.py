"""plans, show, approve and discard over two memory containers and a real Redis."""

from __future__ import annotations

import json
import re

import pytest

from sync_workers.redis.lease import Lease
from sync_workers.redis.plans_store import PlansStore
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.report import Trigger
from tests.cli.command import Command
from tests.cli.scene import Scene, titles


def lose(scene: Scene, command: Command, *, lost: int = 8) -> str:
    """Eight records are linked, and so many are gone from one side; the name of the plan that was refused."""
    for number in range(8):
        scene.left.add(title=f"task {number}", note="secret note")
    command("run", scene.task)
    for record_id in list(scene.left.records)[:lost]:
        scene.left.remove(record_id)
    return refused(scene, command)


def refused(scene: Scene, command: Command) -> str:
    said = command("run", scene.task)
    assert said.code == 1
    named = re.search(r"sync-workers approve (\w{10})", said.err)
    assert named is not None, said.err
    return named[1]


def test_without_a_refused_plan_there_is_nothing_to_show(scene: Scene, command: Command) -> None:
    shown = command("plans")
    assert (shown.code, shown.out) == (0, "no plan waits: no guard refused one\n")
    assert scene.task not in shown.out


def test_plans_shows_what_waits_why_and_how_often_it_was_refused(scene: Scene, command: Command) -> None:
    name = lose(scene, command)
    assert refused(scene, command) == name
    for args in (["plans"], ["plans", scene.task]):
        shown = command(*args)
        assert shown.code == 0, shown.err
        for part in (name, scene.task, "2 times, first ", "by local", "is empty", "8 other delete"):
            assert part in shown.out
        assert "secret note" not in shown.out


def test_plans_of_an_unknown_task_is_answered_with_the_nearest(scene: Scene, command: Command) -> None:
    assert f"did you mean '{scene.task}'?" in command("plans", scene.task[:-1]).err


def test_show_prints_the_plan_as_a_table_with_the_next_step(scene: Scene, command: Command) -> None:
    name = lose(scene, command, lost=7)
    scene.left.edit(next(iter(scene.left.records)), note="edited [by] me")
    name = refused(scene, command)
    shown = command("show", name[:9])
    assert shown.code == 0, shown.err
    parts = (
        "delete",
        "title: task 3",
        "update",
        "note: secret note -> edited [by] me",
        "deleted on notion",
        "refused: notion lost 7 of 8",
    )
    for part in (*parts, f"sync-workers approve {name}", f"sync-workers discard {name}"):
        assert part in shown.out
    assert len(scene.right.records) == 8


def test_show_as_json_can_be_read_by_a_machine(scene: Scene, command: Command) -> None:
    lose(scene, command, lost=7)
    edited = next(iter(scene.left.records))
    scene.left.edit(edited, note="edited")
    name = refused(scene, command)
    shown = json.loads(command("show", name, "--json").out)
    assert (shown["plan"], shown["task"], shown["times"], shown["trigger"]) == (name, scene.task, 1, "local")
    assert shown["counts"] == {"other.delete": 7, "other.update": 1}
    gone = next(operation for operation in shown["operations"] if operation["action"] == "delete")
    assert gone["before"].keys() == {"title", "note"}
    (update,) = [operation for operation in shown["operations"] if operation["action"] == "update"]
    assert update["notion"] == edited
    assert (update["before"], update["fields"]) == ({"note": "secret note"}, {"note": "edited"})


def test_approve_carries_out_that_plan_and_nothing_else(scene: Scene, command: Command) -> None:
    name = lose(scene, command)
    scene.right.add(title="new since", note=None)
    shown = command("approve", name[:6])
    assert shown.code == 0, shown.err
    assert "8 other delete" in shown.out
    assert titles(scene.right) == ["new since"]
    assert titles(scene.left) == []
    assert "no plan waits" in command("plans").out
    report = RunsStore(scene.client, scene.task).recent(1)[0]
    assert (report["trigger"], report["outcome"]) == ("approval", "done")
    assert command("run", scene.task).code == 0
    assert titles(scene.left) == ["new since"]


def test_approve_of_what_does_not_hold_any_more_is_one_line_with_the_next_steps(
    scene: Scene, command: Command
) -> None:
    name = lose(scene, command)
    scene.right.edit(next(iter(scene.right.records)), note="secret too")
    shown = command("approve", name)
    assert shown.code == 1
    assert shown.err.splitlines() == [shown.err.strip()]
    for step in ("plan", "run"):
        assert f"`sync-workers {step} {scene.task}`" in shown.err
    assert f"`sync-workers discard {name}`" in shown.err
    assert "secret" not in shown.err + shown.out
    assert len(scene.right.records) == 8
    assert name in command("plans").out


def test_approve_waits_for_nobody(scene: Scene, command: Command) -> None:
    name = lose(scene, command)
    lease = Lease(scene.client, scene.task, new_run_id())
    lease.take(Trigger.AD_HOC, first=True)
    shown = command("approve", name)
    assert shown.code == 1
    assert f"another run works on this task (run {lease.run})" in shown.out
    assert len(scene.right.records) == 8


def test_discard_forgets_it_and_says_what(scene: Scene, command: Command) -> None:
    name = lose(scene, command)
    shown = command("discard", name)
    assert shown.code == 0, shown.err
    assert shown.out == f"forgot plan {name} of {scene.task}, which would have done: 8 other delete\n"
    assert command("approve", name).code == 1
    assert PlansStore(scene.client, scene.task).kept() == []
    assert len(scene.right.records) == 8


@pytest.mark.parametrize("name", ["show", "approve", "discard"])
def test_a_plan_is_named_so_that_there_is_only_one(scene: Scene, command: Command, name: str) -> None:
    lose(scene, command)
    for wrong in ("nothing-like-it", ""):
        unknown = command(name, wrong)
        assert unknown.code == 1
        assert "`sync-workers plans` shows those that are kept" in unknown.err
    # Given: so many plans that two of them begin alike.
    kept = PlansStore(scene.client, scene.task).kept
    numbers = iter(range(100))
    while len({told.id[0] for told in kept()}) == len(kept()):
        scene.right.add(title=f"another {next(numbers)}", note=None)
        refused(scene, command)
    first = [told.id[0] for told in kept()]
    twice = next(sign for sign in first if first.count(sign) > 1)
    several = command(name, twice)
    assert several.code == 1
    assert "write more of its name" in several.err
    assert all(told.id in several.err for told in kept() if told.id.startswith(twice))
    assert len(scene.right.records) >= 8


def test_status_says_that_plans_are_kept(scene: Scene, command: Command) -> None:
    name = lose(scene, command)
    assert "1 refused plan(s) kept: sync-workers plans" in command("status").out
    command("approve", name)
    assert "refused" not in command("status").out


def test_a_plan_itself_is_not_kept_by_looking(scene: Scene, command: Command) -> None:
    for number in range(8):
        scene.left.add(title=f"task {number}", note=None)
    command("run", scene.task)
    scene.left.records.clear()
    planned = command("plan", scene.task)
    assert planned.code == 1
    assert f"sync-workers run {scene.task}" in planned.err
    assert PlansStore(scene.client, scene.task).kept() == []
