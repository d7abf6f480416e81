"""A process that goes by the task file as it is now, whatever is done to that file."""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sync_workers.settings import Settings
from sync_workers.task import all_tasks
from sync_workers.worker.process import Here

ONE = """
[connections.here]
kind = "memory"
[tasks.{name}]
every = "{every}"
match = ["Name"]
notion = {{ connection = "here", container = "a-{name}" }}
other = {{ connection = "here", container = "b-{name}" }}
fields = {{ Name = "title" }}
"""
MODULE = """
from pathlib import Path
from tests.worker.json_task import JsonTask
class Mine(JsonTask):
    note = {note!r}
Mine("mine", Path()).run_every(minutes=1).schedule()
{more}
"""


class Desk:
    """A task file that a person edits, and the process that goes by it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.saved = 0
        self.save(ONE.format(name="first", every="5m"))
        self.here = Here(Settings(config=folder / "sync.toml", redis_url="redis://127.0.0.1:1/0"))

    def save(self, text: str, name: str = "sync.toml") -> None:
        path = self.folder / name
        path.write_text(text)
        self.saved += 1
        at = time.time() - 1000 + self.saved  # left alone since, and each time another one
        os.utime(path, (at, at))

    @property
    def tasks(self) -> list[str]:
        return list(self.here.process().tasks)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    before = set(all_tasks)
    yield Desk(tmp_path)
    all_tasks.clear()
    all_tasks.update(before)
    sys.modules.pop("mine_here", None)


def test_a_task_that_is_added_changed_or_taken_out_is_so_at_once(desk: Desk) -> None:
    first = desk.here.process()
    assert desk.here.process() is first, "nothing changed, so nothing is read"
    before = desk.here.fingerprint

    desk.save(ONE.format(name="first", every="1m") + ONE.format(name="second", every="5m").split("\n", 3)[3])
    assert desk.tasks == ["first", "second"]
    assert str(desk.here.process().tasks["first"].sync_timing) == "every 1m"
    assert desk.here.fingerprint != before
    desk.save(ONE.format(name="second", every="5m"))
    assert desk.tasks == ["second"]
    assert first.tasks.keys() == {"first"}, "who works keeps what it began with"


@pytest.mark.parametrize("text", ["[tasks.first", 'imports = ["not_there_at_all"]', "[tasks.x]\nevery = 5\n"])
def test_a_file_with_problems_leaves_the_old_tasks_in_force(
    desk: Desk, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = desk.here.fingerprint
    desk.save(text)

    with caplog.at_level(logging.ERROR):
        assert desk.tasks == ["first"]
        assert desk.tasks == ["first"]

    assert "sync.toml" in desk.here.problem
    assert desk.here.fingerprint == good
    told = [record for record in caplog.records if "old tasks stay in force" in record.message]
    assert len(told) == len(desk.here.problem.split("; ")), "told once"
    desk.save(ONE.format(name="mended", every="5m"))
    assert desk.tasks == ["mended"]
    assert desk.here.problem == ""


def test_a_file_that_has_gone_leaves_the_old_tasks_in_force(desk: Desk) -> None:
    (desk.folder / "sync.toml").unlink()
    assert desk.tasks == ["first"]
    assert desk.here.problem
    desk.save(ONE.format(name="back", every="5m"))
    assert desk.tasks == ["back"]


def test_an_imported_module_is_imported_anew(desk: Desk) -> None:
    desk.save(MODULE.format(note="old", more=""), "mine_here.py")
    desk.save('imports = ["mine_here"]\n' + ONE.format(name="first", every="5m"))
    assert desk.tasks == ["first", "mine"]
    old = desk.here.process().tasks["mine"]

    desk.save(MODULE.format(note="new", more='Mine("other", Path()).schedule()'), "mine_here.py")

    assert desk.tasks == ["first", "mine", "other"]
    new = desk.here.process().tasks["mine"]
    assert [getattr(task, "note", "") for task in (old, new)] == ["old", "new"]


def test_a_module_that_raises_leaves_its_old_tasks_in_force_and_registered(desk: Desk) -> None:
    desk.save(MODULE.format(note="old", more=""), "mine_here.py")
    desk.save('imports = ["mine_here"]\n')
    assert desk.tasks == ["mine"]
    old = sys.modules["mine_here"]
    registered = set(all_tasks)

    desk.save(MODULE.format(note="new", more="1 / 0"), "mine_here.py")

    assert desk.tasks == ["mine"]
    assert desk.here.problem == "an imported module raised ZeroDivisionError"
    assert set(all_tasks) == registered
    assert sys.modules["mine_here"] is old
    desk.save("imports = []\n" + ONE.format(name="first", every="5m"))
    assert desk.tasks == ["first"]
    assert not {task.name for task in all_tasks} & {"mine"}


def test_a_module_that_is_no_python_is_told_with_its_place(desk: Desk) -> None:
    desk.save(MODULE.format(note="old", more=""), "mine_here.py")
    desk.save('imports = ["mine_here"]\n')
    assert desk.tasks == ["mine"]

    desk.save(MODULE.format(note="new", more="the end"), "mine_here.py")

    assert desk.tasks == ["mine"]
    assert re.search(r"imports: mine_here: \S+mine_here.py:\d+: invalid syntax$", desk.here.problem)


def test_of_several_threads_one_takes_up_a_change(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.save(ONE.format(name="second", every="5m"))
    with caplog.at_level(logging.INFO), ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda _: tuple(desk.here.process().tasks), range(200)))

    assert set(seen) <= {("first",), ("second",)}
    assert desk.tasks == ["second"]
    assert sum("task(s) of task file" in record.message for record in caplog.records) == 1
