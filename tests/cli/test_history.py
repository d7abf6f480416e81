"""history, why and retry: what was done to whom, by which run and why."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from sync_workers.model import Side
from sync_workers.redis.runs_store import RunsStore
from tests.cli.command import Command
from tests.cli.scene import Scene

ACTIONS = ("create", "update", "delete")


@pytest.fixture
def lived(scene: Scene, command: Command) -> Scene:
    """Three runs: a record is made, edited and deleted."""
    made = scene.left.add(title="Bread", note="rye")
    scene.left.add(title="Milk", note=None)
    command("run", scene.task)
    scene.left.edit(made.id, note="wheat")
    command("run", scene.task)
    scene.left.remove(made.id)
    command("run", scene.task)
    return scene


def last_run(scene: Scene) -> str:
    return str(RunsStore(scene.client, scene.task).recent(1)[0]["run"])


def test_history_tells_each_operation_with_what_was_there_before(lived: Scene, command: Command) -> None:
    told = command("history", lived.task)
    assert told.code == 0, told.err
    for part in (*ACTIONS, "note: rye -> wheat", "note: wheat -> -", "deleted on notion", "edited on notion"):
        assert part in told.out, part


def test_history_of_one_run_tells_that_run_only(lived: Scene, command: Command) -> None:
    told = command("history", lived.task, "--run", last_run(lived))
    assert "delete" in told.out
    assert "update" not in told.out
    assert command("history", lived.task, "--run", "never").out == "nothing is kept of this run\n"


def test_history_is_exported_as_json_lines_the_oldest_first(lived: Scene, command: Command) -> None:
    lines = [json.loads(line) for line in command("history", lived.task, "--json", "--all").out.splitlines()]
    assert [line["action"] for line in lines] == ["create", "create", "update", "delete"]
    update = lines[2]
    assert update["before"]["other"] == {"title": "Bread", "note": "rye"}
    assert update["after"]["other"] == update["before"]["notion"] == {"title": "Bread", "note": "wheat"}
    assert {"at", "run", "number", "side", "ids", "reason", "conflicts", "lost"} <= set(update)
    newest = command("history", lived.task, "--json", "-n", "1").out.splitlines()
    assert [json.loads(line)["action"] for line in newest] == ["delete"]


def test_a_deployment_may_keep_less(lived: Scene, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_WORKERS_HISTORY_NUMBER", "1")
    for number in range(200):
        lived.left.add(title=f"t{number}", note=None)
    command("run", lived.task, "--accept-guards")
    assert len(command("history", lived.task, "--json", "--all").out.splitlines()) < 150


def test_a_task_that_changed_nothing_has_no_history(scene: Scene, command: Command) -> None:
    told = command("history", scene.task)
    assert (told.code, told.out) == (0, "no run has changed anything yet\n")


@pytest.mark.parametrize("side", list(Side))
def test_why_tells_all_about_a_record_by_either_id(lived: Scene, command: Command, side: Side) -> None:
    known = {"notion": "left", "other": "right"}[side]
    milk = next(i for i, fields in lived.shown(side).items() if fields["title"] == "Milk")
    told = command("why", lived.task, milk)
    assert told.code == 0, told.err
    assert milk.startswith(known)
    assert "linked: left-" in told.out
    assert "new on notion" in told.out
    assert "Bread" not in told.out


def test_why_tells_of_a_record_that_is_gone(lived: Scene, command: Command) -> None:
    gone = next(
        json.loads(line)["ids"]["other"]
        for line in command("history", lived.task, "--json").out.splitlines()
        if json.loads(line)["action"] == "delete"
    )
    told = command("why", lived.task, gone)
    assert "not linked" in told.out
    for action in ACTIONS:
        assert action in told.out


def test_why_does_not_know_every_record(lived: Scene, command: Command) -> None:
    told = command("why", lived.task, "nobody")
    assert told.code == 1
    assert "knows no record nobody, and no run that is still kept did anything to it" in told.err


@pytest.fixture
def stuck(scene: Scene, command: Command) -> Scene:
    """A record that the other side, a table, does not take."""
    with sqlite3.connect("things.db") as database:
        database.execute(
            "CREATE TABLE things (id INTEGER PRIMARY KEY, title TEXT CHECK (title <> 'Bread'), note TEXT)"
        )
    database.close()
    file = Path("sync.toml").read_text(encoding="utf-8")
    other = next(line for line in file.splitlines() if line.strip().startswith("other = "))
    connection = f'[connections.table]\nkind = "sql"\nurl = "sqlite:///{Path.cwd()}/things.db"\n'
    place = 'other = { connection = "table", table = "things" }'
    Path("sync.toml").write_text(connection + file.replace(other, place), encoding="utf-8")
    scene.left.add(title="Bread", note="rye")
    scene.left.add(title="Milk", note="cold")
    assert command("run", scene.task).code == 1
    return scene


def quarantined(scene: Scene) -> str:
    (record_id,) = scene.state.quarantine[Side.OTHER]
    return record_id


def test_why_tells_what_keeps_a_record_in_quarantine(stuck: Scene, command: Command) -> None:
    told = command("why", stuck.task, quarantined(stuck))
    assert "in quarantine: create on other failed 1 time(s)" in told.out
    assert "SQLITE_CONSTRAINT_CHECK" in told.out
    assert "rye" not in told.out


def test_a_record_in_quarantine_is_tried_again_when_a_person_says_so(stuck: Scene, command: Command) -> None:
    name = quarantined(stuck)
    assert "in quarantine until" in command("run", stuck.task).out
    assert stuck.state.quarantine[Side.OTHER][name].count == 1

    told = command("retry", stuck.task, name)
    assert (told.code, told.out.startswith("1 record(s) are tried again")) == (0, True)
    assert command("run", stuck.task).code == 1
    assert stuck.state.quarantine[Side.OTHER][name].count == 2

    assert command("retry", stuck.task).out.startswith("1 record(s)")
    stuck.left.edit(name, title="Rolls")
    assert command("run", stuck.task).code == 0
    assert command("retry", stuck.task).out == f"nothing of task {stuck.task} is in quarantine\n"


def test_status_shows_what_is_in_quarantine_and_why(stuck: Scene, command: Command) -> None:
    told = command("status").out
    for part in (
        "partial",
        "1 failed",
        "In quarantine",
        quarantined(stuck),
        "create, 1 time(s)",
        "CONSTRAINT",
    ):
        assert part in told, part
    command("run", stuck.task)
    assert "1 in quarantine" in command("status").out


def test_retry_of_a_record_that_does_not_wait_is_an_error(stuck: Scene, command: Command) -> None:
    told = command("retry", stuck.task, "nobody")
    assert told.code == 1
    assert "record nobody of task" in told.err
