"""What a task says about when it runs, its name, and what `sync` does without."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sync_workers import ConflictMode, SyncTask, all_tasks
from sync_workers.errors import SettingsError
from tests.task_worlds import Todo, World, world


@pytest.fixture
def here() -> World:
    return world()


@pytest.fixture
def clean_registry() -> Iterator[None]:
    before = set(all_tasks)
    all_tasks.clear()
    yield
    all_tasks.clear()
    all_tasks.update(before)


@pytest.mark.usefixtures("clean_registry")
def test_two_tasks_of_one_name_are_an_error(here: World) -> None:
    first = Todo(here.notion, here.other, name="My List").schedule()
    assert first.schedule() is first

    with pytest.raises(SettingsError, match="two tasks with the name 'my-list'"):
        Todo(here.notion, here.other, name="my-list").schedule()
    assert all_tasks == {first}


def test_schedules_that_make_no_sense_are_refused(here: World) -> None:
    task: SyncTask = Todo(here.notion, here.other)
    for times in (0, -1):
        with pytest.raises(ValueError, match="times must be positive"):
            task.in_total(times)
    with pytest.raises(TypeError):
        task.in_total(1.5)  # type: ignore[arg-type] # that is what is refused
    for seconds in (0, -1):
        with pytest.raises(ValueError, match="interval"):
            task.run_every(seconds=seconds)
    with pytest.raises(ValueError, match="interval"):
        task.run_every()


def test_each_word_of_a_schedule_gives_the_task_back(here: World) -> None:
    task: SyncTask = Todo(here.notion, here.other)

    assert task.run_every(hours=1, minutes=2, seconds=3).in_total(4) is task

    assert task.sync_timing.every == timedelta(hours=1, minutes=2, seconds=3)
    assert task.sync_timing.in_total == 4
    assert task.run_once() is task
    assert task.sync_timing.every is None
    assert task.sync_timing.in_total is None


def test_sync_needs_and_imports_no_redis() -> None:
    script = """
import sys
from tests.task_worlds import world
here = world()
here.notion.add(Title="a", Done=False, Note="")
here.task().sync(None)
assert here.sides_agree()
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"redis", "celery", "kombu", "notion_client"}))
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("given", "name"), [("SyncGTasks", "syncgtasks"), ("My list 2", "my-list-2"), ("a_b", "a_b")]
)
def test_a_name_is_brought_to_one_form(here: World, given: str, name: str) -> None:
    task = Todo(here.notion, here.other, name=given)

    assert task.name == name
    assert task.report.task == name
    assert task.state_key == f"sync:{{{name}}}"


@pytest.mark.parametrize("given", ["", " ", "-a", "a" * 65, "ü", "a/b", "{a}"])
def test_what_is_no_name_is_refused(here: World, given: str) -> None:
    with pytest.raises(ValueError, match="is no name for a task"):
        Todo(here.notion, here.other, name=given)


def test_the_mode_may_be_text_and_nonsense_is_refused(here: World) -> None:
    assert Todo(here.notion, here.other, "notion").conflict_mode is ConflictMode.NOTION
    with pytest.raises(ValueError, match="sometimes"):
        Todo(here.notion, here.other, "sometimes")


def test_two_attributes_cannot_map_to_one() -> None:
    class Doubled(Todo):
        def __init__(self) -> None:
            SyncTask.__init__(self, "doubled", {"A": "x", "B": "x"})

    with pytest.raises(ValueError, match="two Notion attributes map to one"):
        Doubled()


def test_a_task_without_its_hooks_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        SyncTask("name", {})  # type: ignore[abstract] # that is what is refused
