"""state export, import and verify over two memory containers, a real Redis, and files of the original."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sync_workers.fields import Field, Kind
from sync_workers.model import ID, Side
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease, Taken
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.redis.state_store import load
from sync_workers.report import Trigger
from sync_workers.services.memory import Container, container
from sync_workers.state import State
from tests.cli.command import Command, Result
from tests.state_file.attacks import Call
from tests.state_file.library import original_state, run_original

TASK = """\
[connections.{name}]
kind = "memory"
[tasks.{name}]
match = ["Name"]
notion = {{ connection = "{name}", container = "{left}" }}
other = {{ connection = "{name}", container = "{right}" }}
[tasks.{name}.fields]
Name = "title"
Due = "due"
Note = "note"
"""
ATTRS = {"Name": "title", "Due": "due", "Note": "note"}
DAY = date(2026, 5, 1)


@dataclass(frozen=True)
class Scene:
    """A task between two containers of its own; dates are kept by the day on the other side."""

    task: str
    client: Client
    command: Command
    monkeypatch: pytest.MonkeyPatch

    @property
    def left(self) -> Container:
        return container(f"left-{self.task}")

    @property
    def right(self) -> Container:
        return container(f"right-{self.task}")

    @property
    def state(self) -> State | None:
        return load(self.client, self.task)

    def __call__(self, *args: str) -> Result:
        """`sync-workers state`, with the task's name after the first word."""
        return self.command("state", args[0], self.task, *args[1:])

    def run(self) -> str:
        ran = self.command("run", self.task)
        assert ran.code == 0, ran.out + ran.err
        return ran.out

    def pair(self, name: str, note: str = "SECRET-VALUE") -> tuple[ID, ID]:
        """Equal records on both sides."""
        mine = self.left.add(Name=name, Due=DAY, Note=note)
        return mine.id, self.right.add(title=name, due=DAY, note=note).id

    def original(self, folder: Path = Path()) -> Path:
        """Where the original leaves its state after it synced what is on both sides."""
        sides = [
            [{"id": record.id, **record.fields} for record in side.records.values()]
            for side in (self.left, self.right)
        ]
        return run_original(self.monkeypatch, folder, ATTRS, *sides)

    def forget(self) -> None:
        """As if all of Redis were lost."""
        self.client.ask("DEL", *Keys(self.task).state())

    def rows(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        left = sorted(tuple(map(record.fields.get, ATTRS)) for record in self.left.records.values())
        attrs = ATTRS.values()
        return left, sorted(tuple(map(record.fields.get, attrs)) for record in self.right.records.values())


@pytest.fixture
def scene(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    redis_url: str,
    redis_client: Client,
    task_name: str,
) -> Iterator[Scene]:
    here = Scene(task_name, redis_client, command, monkeypatch)
    here.left.fields.update({"Due": Field("Due", Kind.DATE)})
    here.right.fields.update({"due": Field("due", Kind.DATE, times=False)})
    text = TASK.format(name=task_name, left=here.left.name, right=here.right.name)
    Path("sync.toml").write_text(text, encoding="utf-8")
    monkeypatch.setenv("SYNC_WORKERS_REDIS_URL", redis_url)
    yield here
    assert redis_client.ask("GET", Keys(task_name).lease) is None


# --- export ---


def test_export_writes_what_an_import_takes_on(scene: Scene) -> None:
    scene.pair("Bread", "é")
    scene.run()
    before = scene.state

    shown = scene("export", "--output", "kept.json")

    assert (shown.code, shown.out) == (0, "")
    assert "exported 1 link(s) to kept.json" in shown.err
    path = Path("kept.json")
    assert path.stat().st_mode & 0o777 == 0o600
    assert "é" in path.read_text(encoding="utf-8")
    assert State.model_validate_json(path.read_bytes()) == before
    assert {entry.name for entry in Path().iterdir()} == {"kept.json", "sync.toml"}
    # When: all of Redis is lost, and the file imported.
    scene.forget()
    taken = scene("import", "kept.json")
    assert taken.code == 0, taken.err
    assert scene.state == before
    assert "both sides agree" in scene.command("plan", scene.task).out


def test_export_without_a_file_writes_json_and_nothing_else_to_stdout(scene: Scene) -> None:
    scene.pair("Bread")
    scene.run()

    shown = scene("export")

    assert shown.code == 0
    assert State.model_validate(json.loads(shown.out)) == scene.state
    assert "exported 1 link(s)" in shown.err


def test_half_a_character_survives_the_file(scene: Scene) -> None:
    scene.pair("Bread", "\ud83d")
    scene.run()
    before = scene.state

    assert scene("export", "--output", "kept.json").code == 0
    scene.forget()
    assert scene("import", "kept.json").code == 0

    assert scene.state == before


@pytest.mark.parametrize("name", ["export", "verify"])
def test_a_task_that_never_ran_has_no_state(scene: Scene, name: str) -> None:
    shown = scene(name)
    assert shown.code == 1
    assert f"task {scene.task} has no state yet" in shown.err
    assert f"sync-workers run {scene.task}" in shown.err


@pytest.mark.parametrize("place", ["nowhere/kept.json", "folder"])
def test_a_place_that_cannot_be_written_is_named(scene: Scene, place: str) -> None:
    Path("folder").mkdir()
    scene.pair("Bread")
    scene.run()
    shown = scene("export", "--output", place)
    assert shown.code == 1
    assert place in shown.err
    assert list(Path("folder").iterdir()) == []


# --- import ---


def test_a_state_of_the_original_is_taken_on_without_a_write(scene: Scene, tmp_path: Path) -> None:
    ids = dict([scene.pair("Bread"), scene.pair("Milk")])
    path = scene.original(tmp_path)

    shown = scene("import", str(path))

    assert shown.code == 0, shown.err
    assert "imported 2 link(s)" in shown.out
    state = scene.state
    assert state is not None
    assert state.ids == ids
    assert all(state.other_objs[other_id].keys() == set(ATTRS.values()) for other_id in ids.values())
    assert "both sides agree" in scene.command("plan", scene.task).out
    assert "nothing to do" in scene.run()
    assert scene("verify").code == 0


def test_edits_and_deletions_cross_after_the_import(scene: Scene, tmp_path: Path) -> None:
    pairs = [scene.pair(f"task {number}") for number in range(6)]
    assert scene("import", str(scene.original(tmp_path))).code == 0
    scene.left.edit(pairs[0][0], Note="edited left")
    scene.right.edit(pairs[1][1], note="edited right")
    scene.right.edit(pairs[2][1], due=date(2026, 6, 1))
    scene.left.remove(pairs[3][0])
    scene.right.remove(pairs[4][1])

    scene.run()

    left, right = scene.rows()
    assert left == right
    assert [(name, due, note[:8]) for name, due, note in left] == [
        ("task 0", DAY, "edited l"),
        ("task 1", DAY, "edited r"),
        ("task 2", date(2026, 6, 1), "SECRET-V"),
        ("task 5", DAY, "SECRET-V"),
    ]
    assert "nothing to do" in scene.run()


def test_edits_since_the_original_ran_last_cross_and_are_no_conflict(scene: Scene, tmp_path: Path) -> None:
    pairs = [scene.pair(f"task {number}") for number in range(3)]
    path = scene.original(tmp_path)
    scene.left.edit(pairs[0][0], Note="edited left")
    scene.right.edit(pairs[1][1], note="edited right")
    scene.left.edit(pairs[2][0], Note="both")
    scene.right.edit(pairs[2][1], note="both")

    assert scene("import", str(path)).code == 0
    verified, ran = scene("verify"), scene.run()

    assert verified.code == 0, verified.err
    assert verified.out.count("differs from its base") == 2
    assert "conflict" not in ran
    left, right = scene.rows()
    assert left == right
    assert [note for _, _, note in left] == ["edited left", "edited right", "both"]


def test_what_is_kept_in_a_poorer_form_is_no_edit(scene: Scene, tmp_path: Path) -> None:
    # Given: the original had made texts of the dates; both sides say the same all the same.
    notion_id, other_id = scene.pair("Bread")
    base = {"Name": "Bread", "Due": DAY, "Note": ""}
    scene.left.edit(notion_id, Note=None)
    scene.right.edit(other_id, note="")
    path = tmp_path / "state.pickle"
    path.write_bytes(pickle.dumps(original_state({notion_id: other_id}, {notion_id: base})))

    assert scene("import", str(path)).code == 0

    assert "both sides agree" in scene.command("plan", scene.task).out


def test_a_state_that_is_there_is_replaced_only_when_told_and_kept_in_a_file(
    scene: Scene, tmp_path: Path
) -> None:
    scene.pair("Bread")
    path = scene.original(tmp_path)
    scene.pair("Milk")
    scene.run()
    before = scene.state

    refused = scene("import", str(path))
    assert refused.code == 1
    assert f"task {scene.task} has a state of 2 link(s) already" in refused.err
    assert scene.state == before
    assert len(RunsStore(scene.client, scene.task).recent()) == 1  # and no run that failed

    replaced = scene("import", str(path), "--replace")
    assert replaced.code == 0, replaced.err
    (backup,) = path.parent.glob(f"{scene.task}-before-*.json")
    assert str(backup) in replaced.out
    assert backup.stat().st_mode & 0o777 == 0o600
    assert State.model_validate_json(backup.read_bytes()) == before
    assert scene.state is not None
    assert len(scene.state.ids) == 1
    # Then: the backup takes all of it back.
    assert scene("import", str(backup), "--replace").code == 0
    assert scene.state == before


def test_nothing_is_replaced_where_no_backup_can_be_written(scene: Scene, tmp_path: Path) -> None:
    scene.pair("Bread")
    path = scene.original(tmp_path)
    scene.run()
    before = scene.state
    linked = tmp_path / "gone" / "state.pickle"
    linked.parent.mkdir()
    linked.symlink_to(path)
    scene.monkeypatch.setattr("tempfile.mkstemp", _no_room)

    shown = scene("import", str(linked), "--replace")

    assert shown.code == 1
    assert "cannot be written (No space left on device)" in shown.err
    assert scene.state == before


def _no_room(**_: object) -> None:
    raise OSError(28, "No space left on device")


def absent(scene: Scene, tmp_path: Path, side: Side, number: int, of: int) -> Result:
    """What an import says where this many records have gone from one side since the original ran."""
    pairs = [scene.pair(f"task {each}") for each in range(of)]
    path = scene.original(tmp_path)
    for notion_id, other_id in pairs[:number]:
        if side is Side.NOTION:
            scene.left.remove(notion_id)
        else:
            scene.right.remove(other_id)
    return scene("import", str(path))


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize(("number", "of"), [(1, 1), (3, 3), (6, 10)])
def test_a_state_that_is_not_this_task_s_is_refused_and_deletes_nothing(
    scene: Scene, tmp_path: Path, side: Side, number: int, of: int
) -> None:
    shown = absent(scene, tmp_path, side, number, of)

    assert shown.code == 1
    assert f"does not look like the state of task {scene.task}" in shown.err
    assert f"not on {side}" in shown.err or f"is on {side}" in shown.err
    assert scene.state is None
    scene.run()
    left, right = scene.rows()
    assert left == right
    assert len(left) == of


def test_a_record_that_has_gone_since_is_told_and_its_counterpart_deleted(
    scene: Scene, tmp_path: Path
) -> None:
    shown = absent(scene, tmp_path, Side.OTHER, 1, 3)

    assert shown.code == 0, shown.err
    assert "not on other any more: 1 linked record(s)" in shown.out
    assert scene("verify").code == 1
    scene.run()
    left, right = scene.rows()
    assert left == right
    assert [name for name, _, _ in left] == ["task 1", "task 2"]


def test_a_state_of_another_container_is_refused(scene: Scene, tmp_path: Path) -> None:
    scene.pair("Bread")
    path = scene.original(tmp_path)
    text = Path("sync.toml").read_text(encoding="utf-8")
    Path("sync.toml").write_text(text.replace("left-", "another-"), encoding="utf-8")
    container(f"another-{scene.task}").add(Name="Other", Due=None, Note=None)

    shown = scene("import", str(path))

    assert shown.code == 1
    assert "none of its 1 linked record(s) is on notion" in shown.err
    assert scene.state is None


def test_another_container_between_import_and_run_deletes_nothing(scene: Scene, tmp_path: Path) -> None:
    scene.pair("Bread")
    assert scene("import", str(scene.original(tmp_path))).code == 0
    text = Path("sync.toml").read_text(encoding="utf-8")
    Path("sync.toml").write_text(text.replace("right-", "another-"), encoding="utf-8")
    container(f"another-{scene.task}").add(title="Other", due=None, note=None)

    scene.run()

    assert {row[0] for row in scene.rows()[0]} == {"Bread", "Other"}
    assert len(scene.right.records) == 1


def test_what_the_original_left_behind_after_an_edit_is_caught_up_without_a_write(
    scene: Scene, tmp_path: Path
) -> None:
    # Given: the original keeps the older value as base where the other side was edited.
    notion_id, other_id = scene.pair("Bread", "older")
    scene.original(tmp_path)
    scene.right.edit(other_id, note="newer")
    path = scene.original(tmp_path)
    scene.left.edit(notion_id, Note="newer")
    written = [list(side.log) for side in (scene.left, scene.right)]

    assert scene("import", str(path)).code == 0

    state = scene.state
    assert state is not None
    assert state.objs[notion_id]["Note"] == "older"
    assert "conflict" not in scene.run()
    assert [side.log for side in (scene.left, scene.right)] == written
    assert "nothing to do" in scene.run()


def test_an_exported_state_keeps_what_it_was_made_with(scene: Scene) -> None:
    scene.pair("Bread")
    scene.run()
    scene("export", "--output", "kept.json")
    before = scene.state
    scene.forget()
    text = Path("sync.toml").read_text(encoding="utf-8")
    Path("sync.toml").write_text(text.replace('Note = "note"\n', ""), encoding="utf-8")

    shown = scene("import", "kept.json")

    assert shown.code == 0, shown.err
    assert "made with another set-up (field" in shown.out
    assert scene.state is not None
    assert before is not None
    assert scene.state.setup == before.setup
    assert "set-up changed" in scene("verify").out


def test_import_waits_for_nobody_and_changes_nothing_beside_a_run(scene: Scene, tmp_path: Path) -> None:
    scene.pair("Bread")
    path = scene.original(tmp_path)
    lease = Lease(scene.client, scene.task, new_run_id())
    assert isinstance(lease.take(Trigger.AD_HOC, first=True), Taken)

    shown = scene("import", str(path))

    assert shown.code == 1
    assert f"task {scene.task}: nothing was changed" in shown.err
    assert f"another run works on this task (run {lease.run})" in shown.err
    assert scene.state is None
    scene.client.ask("DEL", Keys(scene.task).lease)


def test_a_paused_task_can_be_given_a_state_and_stays_paused(scene: Scene, tmp_path: Path) -> None:
    scene.pair("Bread")
    path = scene.original(tmp_path)
    assert scene.command("pause", scene.task).code == 0

    shown = scene("import", str(path))

    assert shown.code == 0, shown.err
    assert "both sides agree" in scene.command("plan", scene.task).out
    ran = scene.command("run", scene.task)
    assert ran.code == 1
    assert "resume" in ran.out + ran.err


def test_a_paused_connection_is_left_alone_by_an_import(scene: Scene, tmp_path: Path) -> None:
    scene.pair("Bread")
    path = scene.original(tmp_path)
    assert scene.command("pause", "--connection", scene.task).code == 0

    shown = scene("import", str(path))

    assert scene.command("resume", "--connection", scene.task).code == 0
    assert shown.code == 1
    assert "nothing was changed" in shown.err
    assert scene.state is None


def test_import_forgets_what_the_sides_showed_last(scene: Scene, tmp_path: Path) -> None:
    scene.pair("Bread")
    path = scene.original(tmp_path)
    scene.run()
    runs = RunsStore(scene.client, scene.task)
    assert all(runs.mirror(side) is not None for side in Side)

    assert scene("import", str(path), "--replace").code == 0

    assert all(runs.mirror(side) is None for side in Side)
    last = runs.recent(1)[0]
    assert (last["outcome"], last["reason"], last["planned"]) == ("done", "a state was imported", 0)


def version_2(state: dict[str, Any]) -> None:
    state["version"] = 2


def another_part(state: dict[str, Any]) -> None:
    state["newer"] = {}


def number_for_id(state: dict[str, Any]) -> None:
    state["ids"] = {"n": 1}


def unknown_value(state: dict[str, Any]) -> None:
    next(iter(state["objs"].values()))["Note"] = {"$SECRET": "VALUE"}


def linked_twice(state: dict[str, Any]) -> None:
    (other_id,) = state["ids"].values()
    state["ids"]["another"] = other_id


def no_link(state: dict[str, Any]) -> None:
    state["ids"].clear()


BROKEN: Mapping[Callable[[dict[str, Any]], None], str] = {
    version_2: "its version is not known here (only 1): upgrade sync-workers",
    another_part: "1 part(s) of it are not known here: upgrade sync-workers",
    number_for_id: "its part 'ids' is damaged",
    unknown_value: "its part 'objs' is damaged",
    linked_twice: "1 of its links lead to a record of other that another one leads to as well",
    no_link: "it links no record",
}


@pytest.mark.parametrize("spoil", BROKEN, ids=lambda spoil: spoil.__name__)
def test_json_that_is_no_whole_state_is_refused_without_a_value(
    scene: Scene, spoil: Callable[[dict[str, Any]], None]
) -> None:
    scene.pair("Bread")
    scene.run()
    raw = json.loads(scene("export").out)
    before = scene.state
    spoil(raw)
    Path("bad.json").write_text(json.dumps(raw), encoding="utf-8")

    shown = scene("import", "bad.json", "--replace")

    assert shown.code == 1
    assert BROKEN[spoil] in shown.err
    assert shown.err.splitlines() == [shown.err.strip()]
    assert "SECRET" not in shown.out + shown.err
    assert scene.state == before


FILES: Mapping[str, tuple[bytes | None, str]] = {
    "missing": (None, "cannot be read (No such file or directory)"),
    "empty": (b"", "the pickle is damaged"),
    "text": (b"SECRET-VALUE", "the pickle is damaged"),
    "cut": (b'{"ids": {"SECRET', "it is no JSON"),
    "list": (b"[]", "the pickle"),
    "another": (b'{"SECRET": 1}', "it is JSON, but no exported state"),
    "code": (
        pickle.dumps(Call(os.system, "echo SECRET")),
        "system, and only plain data is taken from a pickle",
    ),
    "dict": (pickle.dumps({"ids": {"SECRET": "o"}}), "holds no State of ultimate-notion"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_holds_no_state_is_one_line_without_a_value(scene: Scene, name: str) -> None:
    data, expected = FILES[name]
    if data is not None:
        Path("bad").write_bytes(data)

    shown = scene("import", "bad")

    assert shown.code == 1
    assert expected in shown.err
    assert shown.err.splitlines() == [shown.err.strip()]
    assert "SECRET" not in shown.out + shown.err
    assert scene.state is None


# --- verify ---


def test_verify_tells_what_needs_a_person_and_shows_no_value(scene: Scene) -> None:
    pairs = [scene.pair(f"task {number}") for number in range(5)]
    scene.run()
    assert "state and sides agree" in scene("verify").out
    scene.left.edit(pairs[0][0], Note="SECRET-EDIT")
    scene.left.add(Name="new", Due=None, Note="SECRET-NEW")
    ordinary = scene("verify")
    scene.right.remove(pairs[1][1])

    shown = scene("verify")

    assert ordinary.code == 0, ordinary.out + ordinary.err
    assert shown.code == 1
    assert "1 row(s) marked with ! need attention" in shown.err
    for record_id, title in (
        (pairs[0][0], "differs from its base"),
        (pairs[1][1], "linked, but not listed"),
        ("1", "without a link"),
    ):
        (row,) = [line for line in shown.out.splitlines() if title in line]
        assert record_id in row
    assert "SECRET" not in shown.out + shown.err + ordinary.out


def test_verify_changes_nothing(scene: Scene) -> None:
    pairs = [scene.pair(f"task {number}") for number in range(3)]
    scene.run()
    scene.left.edit(pairs[0][0], Note="x")
    scene.right.remove(pairs[1][1])
    written = [list(side.log) for side in (scene.left, scene.right)]
    stored = dumped(scene)

    assert scene("verify").code == 1

    assert [side.log for side in (scene.left, scene.right)] == written
    assert dumped(scene) == stored


def dumped(scene: Scene) -> dict[bytes, bytes]:
    """All that the task has in Redis."""
    keys, cursor = set(), 0
    while True:
        cursor, found = scene.client.ask(
            "SCAN", cursor, "MATCH", f"{Keys(scene.task).prefix}:*", "COUNT", 1000
        )
        keys |= set(found)
        if not cursor:
            return {key: scene.client.ask("DUMP", key) for key in keys}


@pytest.mark.parametrize("name", ["export", "import", "verify"])
def test_an_unknown_task_is_answered_with_the_nearest(scene: Scene, name: str) -> None:
    args = ["state.json"] if name == "import" else []
    shown = scene.command("state", name, scene.task[:-1], *args)
    assert shown.code == 1
    assert f"did you mean '{scene.task}'?" in shown.err
