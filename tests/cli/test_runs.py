"""plan, run, status and enqueue over two memory containers and a real Redis."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync_workers.redis.lease import Lease, Taken
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.redis.state_store import load
from sync_workers.report import Trigger
from tests.cli.command import Command
from tests.cli.scene import Scene, titles


def test_plan_shows_what_a_run_would_do_and_changes_nothing(scene: Scene, command: Command) -> None:
    scene.left.add(title="Bread", note="rye")
    scene.right.add(title="Bread", note=None)
    scene.right.add(title="Milk", note=None)
    shown = command("plan", scene.task)
    assert shown.code == 0, shown.err
    for part in ("link", "update", "create", "Milk", "- -> rye", "Nothing was changed."):
        assert part in shown.out
    assert titles(scene.left) == ["Bread"]
    assert load(scene.client, scene.task) is None
    assert RunsStore(scene.client, scene.task).recent() == []


def test_run_carries_it_out_and_a_second_run_has_nothing_to_do(scene: Scene, command: Command) -> None:
    scene.left.add(title="Bread", note="rye")
    scene.right.add(title="Milk", note=None)
    first, second = command("run", scene.task), command("run", scene.task)
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert titles(scene.left) == titles(scene.right) == ["Bread", "Milk"]
    assert "1 other create" in first.out
    assert "nothing to do" in second.out
    assert "both sides agree" in command("plan", scene.task).out


def test_run_says_who_won_a_conflict(scene: Scene, command: Command) -> None:
    one = scene.left.add(title="Bread", note="rye")
    command("run", scene.task)
    (other,) = scene.right.records.values()
    scene.right.edit(other.id, note="white")
    scene.left.edit(one.id, note="spelt")
    shown = command("run", scene.task)
    assert shown.code == 0
    assert f"conflict on note of {one.id}: notion won" in shown.out
    assert scene.right.records[other.id].fields["note"] == "spelt"


def test_a_guard_refuses_until_a_person_accepts(scene: Scene, command: Command) -> None:
    for number in range(8):
        scene.left.add(title=f"task {number}", note=None)
    command("run", scene.task)
    for record_id in list(scene.left.records):
        scene.left.remove(record_id)
    planned, refused = command("plan", scene.task), command("run", scene.task)
    assert (planned.code, refused.code) == (1, 1)
    assert "a guard would refuse this" in planned.err
    assert "sync-workers run" in planned.err
    assert "sync-workers approve" in refused.err
    assert len(scene.right.records) == 8
    accepted = command("run", scene.task, "--accept-guards")
    assert accepted.code == 0, accepted.err
    assert scene.right.records == {}


def test_run_waits_for_nobody(scene: Scene, command: Command) -> None:
    lease = Lease(scene.client, scene.task, new_run_id())
    assert isinstance(lease.take(Trigger.AD_HOC, first=True), Taken)
    scene.left.add(title="Bread", note=None)
    shown = command("run", scene.task)
    assert shown.code == 1
    assert f"another run works on this task (run {lease.run})" in shown.out
    assert scene.right.records == {}


def test_plan_shows_no_deletion_that_a_run_would_not_make(scene: Scene, command: Command) -> None:
    record = scene.left.add(title="Bread", note=None)
    scene.left.add(title="Milk", note=None)
    command("run", scene.task)
    # When: a record goes out of sight without being deleted.
    scene.left.archived[record.id] = scene.left.records[record.id]
    scene.left.remove(record.id)
    planned, ran = command("plan", scene.task), command("run", scene.task)
    assert "would do" not in planned.out
    for shown in (planned, ran):
        assert "waits: " in shown.out
        assert "not taken for deleted: archived" in shown.out
    assert len(scene.right.records) == 2


def change(*written: tuple[str, str]) -> None:
    """Edit the task file as a person."""
    path = Path("sync.toml")
    text = path.read_text(encoding="utf-8")
    for before, after in written:
        assert before in text
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def test_r9_plan_run_and_status_say_what_of_the_setup_changed(scene: Scene, command: Command) -> None:
    scene.left.add(title="Bread", note=None)
    command("run", scene.task)
    change((f'"{scene.right.name}"', f'"{scene.right.name}-older"'))
    planned, ran = command("plan", scene.task), command("run", scene.task)
    for shown in (planned, ran):
        assert "the set-up changed (other.container): compared afresh" in shown.out
    assert "since the set-up changed: other.container" in command("status").out
    assert "set-up" not in command("run", scene.task).out
    assert titles(scene.left) == titles(scene.right) == ["Bread"]


def test_plan_run_and_status_tell_of_deletions_that_are_ignored(scene: Scene, command: Command) -> None:
    change(("match =", 'delete = { to_other = "ignore" }\nmatch ='))
    record = scene.left.add(title="Bread", note=None)
    scene.left.add(title="Milk", note=None)
    command("run", scene.task)
    scene.left.remove(record.id)
    planned, ran = command("plan", scene.task), command("run", scene.task)
    for shown in (planned, ran):
        assert shown.code == 0
        assert "left as they are: 1 record(s) whose counterpart is deleted" in shown.out
        assert "waits" not in shown.out
    assert "1 deletion(s) ignored" in command("status").out
    assert titles(scene.right) == ["Bread", "Milk"]


def test_plan_and_run_tell_what_is_unlinked_since_it_is_out_of_scope(scene: Scene, command: Command) -> None:
    change(("match =", 'out_of_scope = "unlink"\nmatch ='))
    record = scene.left.add(title="Bread", note=None)
    scene.left.add(title="Milk", note=None)
    command("run", scene.task)
    scene.left.archived[record.id] = scene.left.records[record.id]
    scene.left.remove(record.id)
    planned, ran = command("plan", scene.task), command("run", scene.task)
    assert "would do: 1 other unlink" in planned.out
    for shown in (planned, ran):
        assert (
            f"{record.id} on notion is not taken for deleted: archived; left alone from now on" in shown.out
        )
    assert "1 unlinked, out of scope" in command("status").out
    assert len(scene.right.records) == 2


def test_status_shows_schedule_last_run_and_lease(scene: Scene, command: Command) -> None:
    before = command("status")
    assert before.code == 0, before.err
    assert "never" in before.out
    scene.left.add(title="Bread", note=None)
    command("run", scene.task)
    lease = Lease(scene.client, scene.task, new_run_id())
    lease.take(Trigger.AD_HOC, first=True)
    shown = command("status").out
    for part in ("when asked", "local", "done", lease.run[:8]):
        assert part in shown


def test_status_without_tasks_names_the_next_step(
    command: Command, monkeypatch: pytest.MonkeyPatch, redis_url: str
) -> None:
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", redis_url)
    assert "sync-workers init" in command("status").out


@pytest.mark.parametrize("name", ["plan", "run", "enqueue"])
def test_an_unknown_task_is_answered_with_the_nearest(scene: Scene, command: Command, name: str) -> None:
    shown = command(name, scene.task[:-1])
    assert shown.code == 1
    assert f"did you mean '{scene.task}'?" in shown.err


def test_enqueue_answers_with_the_run(scene: Scene, command: Command) -> None:
    shown = command("enqueue", scene.task)
    assert shown.code == 0, shown.err
    assert "asked for run" in shown.out


def test_enqueue_gives_up_waiting_when_nobody_works(scene: Scene, command: Command) -> None:
    shown = command("enqueue", scene.task, "--wait", "--timeout", "0.2")
    assert shown.code == 1
    assert "has not ended within 0.2 s" in shown.err


@pytest.mark.parametrize(
    "args",
    [
        ["plan"],
        ["run"],
        ["enqueue"],
        ["status"],
        ["plans"],
        ["show", "a"],
        ["approve", "a"],
        ["discard", "a"],
        ["worker"],
        ["beat"],
        ["flower"],
    ],
    ids=lambda args: args[0],
)
def test_an_unreachable_redis_is_one_line_with_the_remedy(
    scene: Scene, command: Command, monkeypatch: pytest.MonkeyPatch, args: list[str]
) -> None:
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", "redis://user:planted-secret@127.0.0.1:1/0")
    named = [scene.task] if args[0] in {"plan", "run", "enqueue"} else []
    shown = command(*args, *named)
    assert shown.code == 1
    assert shown.err.splitlines() == [shown.err.strip()]
    assert "127.0.0.1:1 does not answer. Start Redis, or set SYNC_WORKERS_REDIS_URL" in shown.err
    assert "planted-secret" not in shown.out + shown.err
