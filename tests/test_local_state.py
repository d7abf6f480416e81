"""A class task moves from the original with its state, in one process, with a real Redis."""

from __future__ import annotations

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import LaterError, StateError
from sync_workers.local import run_here
from sync_workers.local_state import findings, import_state
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.runs_store import RunsStore
from sync_workers.redis.state_store import load
from sync_workers.report import Outcome
from sync_workers.runs.verify import What
from sync_workers.state_file import files
from tests.state_file.library import run_original
from tests.task_as_original import AsOriginal
from tests.task_worlds import Objects, Server, Todo, World, world

ATTRS = {"Title": "title", "Done": "done", "Note": "note"}


@pytest.fixture(
    params=list(itertools.product(Objects, (Todo, AsOriginal))), ids=lambda pair: pair[1].__name__
)
def moving(request: pytest.FixtureRequest, task_name: str) -> tuple[World, Any]:
    """Two services with four equal things each, and our task over them."""
    objects, kind = request.param
    here = world(objects, objects)
    for number in range(4):
        here.notion.add(Title=f"t{number}", Done=False, Note="")
        here.other.add(title=f"t{number}", done=False, note="")
    return here, kind(here.notion, here.other, name=task_name)


def original(monkeypatch: pytest.MonkeyPatch, folder: Path, here: World) -> Path:
    """Where the original leaves its state after it synced both services."""
    sides = [
        [{"id": t.id, **t.values} for t in server.things.values()] for server in (here.notion, here.other)
    ]
    return run_original(monkeypatch, folder, ATTRS, *sides)


def test_a_class_task_goes_on_where_the_original_ended(
    moving: tuple[World, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_client: Client
) -> None:
    here, task = moving
    path = original(monkeypatch, tmp_path, here)

    imported = import_state(task, redis_client, path, replace=False)

    assert imported.links == 4
    assert findings(task, redis_client) == ()
    assert run_here(task, redis_client).planned == 0
    assert here.writes() == {"notion": {}, "other": {}}


def test_edits_and_deletions_of_a_class_task_cross_after_the_import(
    moving: tuple[World, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_client: Client
) -> None:
    here, task = moving
    path = original(monkeypatch, tmp_path, here)
    here.other.edit("o1", done=True)
    import_state(task, redis_client, path, replace=False)
    here.notion.edit("n2", Note="x")
    here.notion.remove("n3")
    here.other.remove("o4")

    run_here(task, redis_client)

    assert here.writes() == {"notion": {"update": 1, "delete": 1}, "other": {"update": 1, "delete": 1}}
    assert here.sides_agree()
    assert task.report.conflicts == []
    here.forget()
    assert run_here(task, redis_client).planned == 0


def test_the_states_of_two_tasks_are_not_mixed_up(
    task_name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_client: Client
) -> None:
    # Given: the same list of to-dos, and another Notion side.
    here = world()
    for number in range(3):
        here.notion.add(Title=f"t{number}", Done=False, Note="")
        here.other.add(title=f"t{number}", done=False, note="")
    path = original(monkeypatch, tmp_path, here)
    other_notion = Server("m", here.notion.clock)
    other_notion.add(Title="mine", Done=False, Note="")
    task = Todo(other_notion, here.other, name=task_name)

    with pytest.raises(StateError, match="none of its 3 linked record"):
        import_state(task, redis_client, path, replace=False)

    # Then: the lease is free, what happened is told, and a run takes nothing for deleted.
    runs = RunsStore(redis_client, task_name)
    assert runs.lease() is None
    assert runs.recent(1)[0]["outcome"] == "failed"
    assert load(redis_client, task_name) is None
    run_here(task, redis_client)
    assert len(here.other.things) == 4


def test_a_service_that_wants_to_be_left_alone_is(
    moving: tuple[World, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_client: Client
) -> None:
    here, task = moving
    path = original(monkeypatch, tmp_path, here)
    RunsStore(redis_client, task.name).rest(timedelta(minutes=5))

    with pytest.raises(LaterError, match="left alone"):
        import_state(task, redis_client, path, replace=False)

    assert here.notion.listings == here.other.listings == 0


def test_what_a_side_cannot_show_is_no_reason_to_refuse(
    moving: tuple[World, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_client: Client
) -> None:
    here, task = moving
    path = original(monkeypatch, tmp_path, here)
    for number in range(4):
        here.other.faults["to_dict", f"t{number}"] = ValueError("SECRET")

    imported = import_state(task, redis_client, path, replace=False)

    assert imported.links == 4
    assert [(f.what, len(f.ids)) for f in findings(task, redis_client)] == [(What.UNREADABLE, 4)]
    here.other.faults.clear()
    assert run_here(task, redis_client).planned == 0
    here.notion.remove("n1")
    run_here(task, redis_client)
    assert here.sides_agree()
    assert len(here.other.things) == 3


def test_a_run_that_was_quicker_is_not_written_over(
    moving: tuple[World, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_client: Client
) -> None:
    here, task = moving
    path = original(monkeypatch, tmp_path, here)
    ran: list[Any] = []

    class Late(Client):
        """A first run comes and goes before the import gets the lease."""

        def ask(self, *command: str | bytes | int) -> Any:
            return redis_client.ask(*command)

        def run(self, script: str, keys: Any, args: Any) -> Any:
            if not ran:
                ran.append(run_here(task, redis_client))
            return redis_client.run(script, keys, args)

    with pytest.raises(StateError, match="has a state of 4 link"):
        import_state(task, Late(None, "nowhere"), path, replace=False)

    assert [report.outcome for report in ran] == [Outcome.DONE]


def test_a_state_in_redis_that_is_damaged_is_not_replaced_before_a_person_removes_it(
    moving: tuple[World, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_client: Client
) -> None:
    here, task = moving
    path = original(monkeypatch, tmp_path, here)
    run_here(task, redis_client)
    keys = Keys(task.name)
    redis_client.ask("HSET", keys.part("links"), "n1", b"nonsense")

    with pytest.raises(StateError, match="delete the keys"):
        import_state(task, redis_client, path, replace=True)

    redis_client.ask("DEL", *keys.state())
    assert import_state(task, redis_client, path, replace=False).links == 4


def test_the_old_state_is_beside_the_file(
    moving: tuple[World, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, redis_client: Client
) -> None:
    here, task = moving
    path = original(monkeypatch, tmp_path, here)
    run_here(task, redis_client)
    before = load(redis_client, task.name)

    imported = import_state(task, redis_client, path, replace=True)

    assert imported.backup is not None
    assert imported.backup.parent == path.parent
    assert files.read(imported.backup) == before
