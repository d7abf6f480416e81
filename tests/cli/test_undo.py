"""undo: take back a run, or what it did to one record, from the command line and in Redis."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync_workers.model import Side
from sync_workers.redis.connect import Client
from sync_workers.redis.history import entries
from sync_workers.redis.lease import Lease
from sync_workers.redis.pauses import pause_of_task
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.report import Trigger
from tests.cli.command import Command
from tests.cli.scene import Scene, titles


def last_run(scene: Scene) -> str:
    return str(RunsStore(scene.client, scene.task).recent(1)[0]["run"])


def is_quiet(scene: Scene, command: Command) -> bool:
    return "nothing to do" in command("run", scene.task).out


@pytest.fixture
def copied(scene: Scene, command: Command) -> Scene:
    for title in ("Bread", "Milk"):
        scene.left.add(title=title, note="left")
    command("run", scene.task)
    return scene


@pytest.fixture
def edited(copied: Scene, command: Command) -> Scene:
    """A run that brought two edits across."""
    for record_id in list(copied.left.records):
        copied.left.edit(record_id, note="edited")
    command("run", copied.task)
    return copied


def notes(scene: Scene, side: Side) -> list[str]:
    return sorted(str(fields["note"]) for fields in scene.shown(side).values())


def test_a_run_is_taken_back_and_not_done_again(edited: Scene, command: Command) -> None:
    told = command("undo", last_run(edited)[:6])
    assert told.code == 0, told.out + told.err
    assert "2 other update" in told.out
    assert notes(edited, Side.OTHER) == ["left", "left"]
    assert notes(edited, Side.NOTION) == ["edited", "edited"]
    assert is_quiet(edited, command)
    assert RunsStore(edited.client, edited.task).recent(2)[1]["trigger"] == "undo"


def test_an_undo_is_told_in_the_history_and_can_be_undone(edited: Scene, command: Command) -> None:
    command("undo", last_run(edited))
    undo = last_run(edited)
    assert "takes back update of run" in command("history", edited.task, "--run", undo).out
    assert command("undo", undo).code == 0
    assert notes(edited, Side.OTHER) == ["edited", "edited"]
    assert is_quiet(edited, command)


def test_one_record_of_a_run_is_taken_back_by_either_id(edited: Scene, command: Command) -> None:
    run = last_run(edited)
    for number, side in enumerate(Side):
        record_id = sorted(edited.containers[side].records)[number]
        assert "1 other update" in command("undo", run, record_id).out
        command("undo", last_run(edited))
    assert notes(edited, Side.OTHER) == ["edited", "edited"]


def test_plan_shows_what_an_undo_would_do_and_changes_nothing(edited: Scene, command: Command) -> None:
    run = last_run(edited)
    edited.right.edit(min(edited.right.records), note="later")
    told = command("undo", run, "--plan")
    assert told.code == 0
    for part in (
        "note: edited -> left",
        "stays: right-",
        "changed since",
        "1 operation(s) would be taken back",
    ):
        assert part in told.out, part
    assert last_run(edited) == run


def test_a_later_edit_stays_and_the_exit_code_says_so(edited: Scene, command: Command) -> None:
    edited.right.edit(min(edited.right.records), note="later")
    told = command("undo", last_run(edited))
    assert told.code == 1
    assert "changed since" in told.out
    assert notes(edited, Side.OTHER) == ["later", "left"]


def test_an_undo_that_would_delete_many_needs_a_persons_word(scene: Scene, command: Command) -> None:
    for number in range(8):
        scene.left.add(title=f"t{number}", note=None)
    command("run", scene.task)
    run = last_run(scene)

    refused = command("undo", run)
    assert refused.code == 1
    assert "would delete 8 records on other" in refused.err
    assert len(scene.right.records) == 8

    assert command("undo", run, "--accept-guards").code == 0
    assert scene.right.records == {}
    assert len(titles(scene.left)) == 8
    assert is_quiet(scene, command)


@pytest.mark.parametrize(("run", "said"), [("xyz", "no run xyz"), ("", "2 runs begin with")])
@pytest.mark.usefixtures("edited")
def test_a_run_that_is_not_clear_is_an_error(command: Command, run: str, said: str) -> None:
    told = command("undo", run)
    assert (told.code, said in told.err) == (1, True)


def test_a_record_that_the_run_did_not_touch_is_an_error(edited: Scene, command: Command) -> None:
    told = command("undo", last_run(edited), "nobody")
    assert (told.code, "nothing is kept of run" in told.err) == (1, True)
    assert is_quiet(edited, command)


def test_while_another_run_works_nothing_is_undone(edited: Scene, command: Command) -> None:
    run = last_run(edited)
    lease = Lease(edited.client, edited.task, new_run_id())
    lease.take(Trigger.AD_HOC, first=True)
    told = command("undo", run)
    assert (told.code, "another run works on this task" in told.out) == (1, True)
    assert notes(edited, Side.OTHER) == ["edited", "edited"]


def test_a_paused_record_is_left_alone_by_an_undo_too(edited: Scene, command: Command) -> None:
    run = last_run(edited)
    assert command("pause", edited.task, min(edited.left.records)).code == 0
    command("undo", run)
    assert notes(edited, Side.OTHER) == ["edited", "left"]


def test_after_a_side_was_bound_to_another_container_nothing_is_undone(
    edited: Scene, command: Command, redis_client: Client
) -> None:
    run, told = last_run(edited), len(list(entries(redis_client, edited.task)))
    file = Path("sync.toml")
    file.write_text(file.read_text().replace(edited.right.name, f"{edited.right.name}-another"))
    refused = command("undo", run)
    assert refused.code == 1
    assert "other.container is another one than when its state was made" in refused.err
    assert len(list(entries(redis_client, edited.task))) == told
    assert pause_of_task(redis_client, edited.task) is None
