"""pause, resume and what status shows of it, over two memory containers and a real Redis."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sync_workers.errors import AccessError
from sync_workers.model import Side
from sync_workers.redis.lease import Lease
from sync_workers.redis.pauses import resume_connection
from sync_workers.report import Trigger
from tests.cli.command import Command
from tests.cli.scene import Scene, titles


@pytest.fixture
def connection(scene: Scene) -> Iterator[str]:
    """The connection of the other side, used by no other test."""
    name, path = f"of-{scene.task}", Path("sync.toml")
    text = path.read_text().replace('other = { connection = "scratch"', f'other = {{ connection = "{name}"')
    path.write_text(f'[connections.{name}]\nkind = "memory"\n{text}')
    yield name
    resume_connection(scene.client, name)


# --- a task ---


def test_a_paused_task_does_not_run_until_it_is_resumed(scene: Scene, command: Command) -> None:
    scene.left.add(title="Bread", note=None)
    paused = command("pause", scene.task, "--reason", "moving house")
    ran = command("run", scene.task)
    assert (paused.code, ran.code) == (0, 1), paused.err + ran.err
    for shown in (paused, ran):
        assert f"`sync-workers resume {scene.task}`" in shown.out
    assert scene.right.records == {}

    assert "is not paused any more" in command("resume", scene.task).out
    assert command("run", scene.task).code == 0
    assert titles(scene.right) == ["Bread"]
    again = command("resume", scene.task)
    assert (again.code, again.out) == (0, f"task {scene.task} was not paused\n")


def test_pausing_tells_that_a_run_works(scene: Scene, command: Command) -> None:
    Lease(scene.client, scene.task, "abc").take(Trigger.BEAT, first=True)
    assert "run abc works on task" in command("pause", scene.task).out


def test_status_shows_who_paused_a_task_since_when_and_why(scene: Scene, command: Command) -> None:
    command("pause", scene.task, "--reason", "moving house\x1b[2J [red]")
    shown = command("status")
    assert shown.code == 0, shown.err
    now = " ".join(shown.out.split())
    assert re.search(r"paused by a person \d+ \w+ ago: moving house \[2J \[red\];", now)
    assert f"`sync-workers resume {scene.task}`" in now
    assert "\x1b" not in shown.out


def test_status_shows_what_a_service_said_and_how_many_ticks_were_dropped(
    scene: Scene, command: Command
) -> None:
    lease = Lease(scene.client, scene.task, "one")
    lease.take(Trigger.BEAT, first=True)
    lease.end({"outcome": "failed", "counts": {}, "reason": "x", "trigger": "beat", "finished": None}
              | dict.fromkeys(("failed", "held_conflicts", "held", "ambiguous", "quarantined"), 0),
              blocked=str(AccessError("the token is refused")))  # fmt: skip
    Lease(scene.client, scene.task, "two").take(Trigger.BEAT, first=True)
    shown = " ".join(command("status").out.split())
    assert "paused by a service" in shown
    assert "the token is refused" in shown
    assert "0, 1 while paused" in shown


# --- a connection ---


def test_a_paused_connection_stops_the_tasks_that_use_it(
    scene: Scene, command: Command, connection: str
) -> None:
    scene.left.add(title="Bread", note=None)
    paused = command("pause", "--connection", connection, "--reason", "limits")
    assert paused.code == 0, paused.err
    assert scene.task in paused.out
    ran, resumed = command("run", scene.task), command("resume", scene.task)
    assert ran.code == 1
    for shown in (ran, resumed):
        assert f"`sync-workers resume --connection {connection}`" in shown.out
    now = " ".join(command("status").out.split())
    assert re.search(rf"connection {connection} paused by a person \d+ \w+ ago: limits;", now)
    assert f"`sync-workers resume --connection {connection}`" in now

    assert command("resume", "--connection", connection).code == 0
    assert command("run", scene.task).code == 0
    assert "was not paused" in command("resume", "--connection", connection).out


@pytest.mark.parametrize("name", ["pause", "resume"])
def test_an_unknown_connection_is_answered_with_the_nearest(
    command: Command, connection: str, name: str
) -> None:
    shown = command(name, "--connection", connection[:-1])
    assert shown.code == 1
    assert f"did you mean '{connection}'?" in shown.err


@pytest.mark.parametrize("name", ["pause", "resume"])
def test_an_unknown_task_is_answered_with_the_nearest(scene: Scene, command: Command, name: str) -> None:
    shown = command(name, scene.task[:-1])
    assert shown.code == 1
    assert f"did you mean '{scene.task}'?" in shown.err


@pytest.mark.parametrize("name", ["pause", "resume"])
@pytest.mark.parametrize("args", [[], ["todo", "--connection", "work"]])
def test_either_a_task_or_a_connection_is_named(command: Command, name: str, args: list[str]) -> None:
    shown = command(name, *args)
    assert shown.code == 2
    assert "name either a task or, with --connection, a connection" in " ".join(shown.err.split())


# --- a record ---


@pytest.fixture
def linked(scene: Scene, command: Command) -> tuple[str, str]:
    """Ids of one linked record on both sides, beside another one."""
    scene.left.add(title="Bread", note=None)
    scene.left.add(title="Milk", note=None)
    command("run", scene.task)
    (link,) = [link for link in scene.state.links() if scene.state.objs[link[0]]["title"] == "Bread"]
    return link


@pytest.mark.parametrize("named", [0, 1])
def test_a_record_is_paused_and_resumed_by_the_id_of_either_side(
    scene: Scene, command: Command, linked: tuple[str, str], named: int
) -> None:
    paused = command("pause", scene.task, linked[named])
    assert paused.code == 0, paused.err
    assert f"record {linked[0]} on notion and {linked[1]} on other" in paused.out
    scene.right.edit(linked[1], title="Rye")

    ran = command("run", scene.task)
    assert ran.code == 0
    assert f"waits: {linked[0]} on notion: paused by a person" in ran.out
    assert titles(scene.left) == ["Bread", "Milk"]
    assert "1 record(s) paused" in " ".join(command("status").out.split())

    resumed = command("resume", scene.task, linked[1 - named])
    assert resumed.code == 0, resumed.err
    assert not any(scene.state.paused.values())
    command("run", scene.task)
    assert titles(scene.left) == ["Milk", "Rye"]


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize("side", list(Side))
def test_a_record_without_a_link_is_looked_for_on_both_sides(
    scene: Scene, command: Command, side: Side
) -> None:
    record = (scene.left if side is Side.NOTION else scene.right).add(title="Wine", note=None)
    shown = command("pause", scene.task, record.id)
    assert shown.code == 0, shown.err
    assert f"record {record.id} on {side} of task" in shown.out
    command("run", scene.task)
    assert [titles(one).count("Wine") for one in (scene.left, scene.right)].count(1) == 1

    assert command("resume", scene.task, record.id).code == 0
    command("run", scene.task)
    assert titles(scene.left) == titles(scene.right) == ["Bread", "Milk", "Wine"]


@pytest.mark.usefixtures("linked")
def test_a_record_that_nobody_shows_is_paused_where_the_person_says(scene: Scene, command: Command) -> None:
    refused = command("pause", scene.task, "hidden")
    assert refused.code == 1
    assert "--side notion or --side other" in refused.err
    assert command("pause", scene.task, "hidden", "--side", "other").code == 0
    assert scene.state.paused == {Side.OTHER: {"hidden"}}


@pytest.mark.usefixtures("linked")
def test_an_id_that_both_sides_know_is_asked_for_its_side(scene: Scene, command: Command) -> None:
    for one in (scene.left, scene.right):
        one.records["same"] = replace(one.add(title="Wine", note=None), id="same")
    shown = command("pause", scene.task, "same")
    assert shown.code == 1
    assert "add --side notion or --side other" in shown.err
    assert command("pause", scene.task, "same", "--side", "notion").code == 0
    assert scene.state.paused == {Side.NOTION: {"same"}}


def test_an_id_of_notion_is_known_as_it_stands_in_an_address(
    scene: Scene, command: Command, linked: tuple[str, str]
) -> None:
    page, text = "2f26ee68-df30-4251-aad4-8ddc420cba3d", "2f26ee68df304251aad48ddc420cba3d"
    assert linked
    command("pause", scene.task, page, "--side", "notion")
    for address in (text, f"https://www.notion.so/Bread-{text}?pvs=4"):
        assert command("resume", scene.task, address).code == 0
        assert command("pause", scene.task, address, "--side", "notion").code == 0
        assert page in scene.state.paused[Side.NOTION]


def test_a_task_that_never_ran_knows_no_records(scene: Scene, command: Command) -> None:
    shown = command("pause", scene.task, "n1")
    assert shown.code == 1
    assert "has not run yet" in shown.err
    assert f"`sync-workers pause {scene.task}`" in shown.err


def test_a_record_that_is_not_paused_is_told(scene: Scene, command: Command, linked: tuple[str, str]) -> None:
    shown = command("resume", scene.task, linked[0])
    assert shown.code == 1
    assert f"`sync-workers plan {scene.task}`" in shown.err
