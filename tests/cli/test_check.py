from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from sync_workers.cli.output import one_line, shown
from sync_workers.fields import Field, Kind
from sync_workers.services.memory import container
from sync_workers.task import all_tasks
from sync_workers.values import DateRange
from tests.cli.command import Command

TASK = """\
[connections.here]
kind = "memory"
[tasks.todo]
every = "10s"
match = ["Name"]
notion = { connection = "here", container = "check-a" }
other = { connection = "here", container = "check-b" }
[tasks.todo.fields]
Name = "title"
Status = { other = "done", direction = "to_other", conflict = "error" }
"""


@pytest.fixture(autouse=True)
def _containers() -> None:
    """Two containers whose fields fit."""
    for name in ("check-a", "check-b"):
        place = container(name)
        place.records.clear()
        place.fields.clear()
    container("check-a").fields.update({"Status": Field("Status", Kind.CHECKBOX)})
    container("check-b").fields.update({"done": Field("done", Kind.CHECKBOX)})


def write(text: str) -> None:
    Path("sync.toml").write_text(text)


def test_check_shows_the_field_map_with_a_sample_of_each_side(command: Command) -> None:
    write(TASK)
    container("check-a").add(Name="Bread", Status=True)
    container("check-b").add(title="Milk [bold]", done=False)
    container("check-b").add(title="Eggs", done=False)

    result = command("check")

    assert (result.code, result.err) == (0, "")
    assert "todo: every 10s, conflicts newer, deletes propagate" in result.out
    head, name, status = (line for line in result.out.splitlines() if "│" in line or "┃" in line)
    assert [cell.strip() for cell in head.split("┃")[1:-1]] == [
        "notion: memory here (1)", "such as", "", "other: memory here (2)", "such as", "conflict",
    ]  # fmt: skip
    assert [cell.strip() for cell in name.split("│")[1:-1]] == [
        "Name: any", "Bread", "<->", "title: any", "Milk [bold]", "newer",
    ]  # fmt: skip
    assert [cell.strip() for cell in status.split("│")[1:-1]] == [
        "Status: checkbox", "yes", "-->", "done: checkbox", "no", "error",
    ]  # fmt: skip
    assert result.out.endswith("Nothing stands in the way.\n")


def test_check_shows_the_delete_policy_of_each_side(command: Command) -> None:
    write(TASK.replace("match =", 'delete = { to_notion = "ignore" }\nmatch ='))
    container("check-a").add(Name="Bread", Status=True)
    container("check-b").add(title="Milk", done=False)
    assert "deletes ignore to notion, propagate to other" in command("check").out


def test_check_writes_nothing(command: Command) -> None:
    write(TASK)
    container("check-a").add(Name="Bread", Status=True)

    command("check")

    assert not container("check-b").records


def test_what_would_not_work_is_a_line_on_stderr_and_ends_with_1(command: Command) -> None:
    write(TASK.replace('every = "10s"', 'every = "10s"\ndelete = "archive"'))
    container("check-b").fields["done"] = Field("done", Kind.NUMBER)
    container("check-a").fields["Name"] = Field("Name", Kind.TEXT, writable=False)

    result = command("check")

    assert result.code == 1
    assert result.err.splitlines() == [
        "todo: Name: notion does not let 'Name' be written: write direction = \"to_other\"",
        "todo: Status: 'done' of other holds number, not checkbox: map another field, or add a value map",
    ]
    assert "Name: text, read only" in result.out
    assert "Nothing stands in the way." not in result.out


def test_what_only_loses_something_is_a_note(command: Command) -> None:
    write(TASK)
    container("check-a").fields["Name"] = Field("Name", Kind.TEXT)
    container("check-b").fields["title"] = Field("title", Kind.TEXT, longest=10)

    result = command("check")

    assert result.code == 0
    assert "note: Name: other keeps 10 characters of 'title'" in result.out


def test_a_side_without_records_says_so(command: Command) -> None:
    write(TASK)

    assert "(no record yet)" in command("check").out


def test_only_the_named_task_is_checked(command: Command) -> None:
    write(TASK + TASK[TASK.index("[tasks.todo]") :].replace("tasks.todo", 'tasks."Other one"'))

    out = command("check", "Other One").out

    assert "other-one: every 10s" in out
    assert "todo: every 10s" not in out


def test_an_unknown_task_is_told_with_the_nearest(command: Command) -> None:
    write(TASK)

    result = command("check", "tood")

    assert result.code == 1
    assert "did you mean 'todo'?" in result.err


def test_a_file_without_tasks_is_told(command: Command) -> None:
    write("")

    result = command("check")

    assert (result.code, result.err) == (1, "sync.toml names no task: add a [tasks.NAME]\n")


def test_a_side_that_cannot_be_opened_stops_no_other_task(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    write(
        TASK
        + """\
[connections.away]
kind = "notion"
token = { env = "NO_SUCH_TOKEN" }
[tasks.first]
match = ["Name"]
notion = { connection = "away", data_source = "0123456789abcdef0123456789abcdef" }
other = { connection = "here", container = "check-b" }
fields = { Name = "title" }
"""
    )

    result = command("check")

    assert result.code == 1
    assert result.err.startswith(
        "first: notion (notion 'away'): a secret should be in the environment variable NO_"
    )
    assert result.err.count("\n") == 1
    assert "todo: every 10s" in result.out


def test_a_missing_column_of_a_real_table_is_told_with_the_nearest(command: Command, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "todo.db") as database:
        database.execute("CREATE TABLE todo (id INTEGER PRIMARY KEY, title TEXT, finished BOOLEAN)")
    database.close()
    write(
        TASK.replace(
            'other = { connection = "here", container = "check-b" }',
            'other = { connection = "db", table = "todo" }',
        )
        .replace('"title"', '"titel"')
        .replace('"done"', '"finished"')
        + f'[connections.db]\nkind = "sql"\nurl = "sqlite:///{tmp_path}/todo.db"\n'
    )

    result = command("check")

    assert result.code == 1
    assert result.err == "todo: Name: other has no field 'titel'; did you mean 'title'?\n"
    assert "titel: missing" in result.out


BY_HAND = """\
from sync_workers.task import SyncTask
ByHand = type("ByHand", (SyncTask,), dict.fromkeys(SyncTask.__abstractmethods__, None))
ByHand("by hand", {"Name": "title"}).run_every(minutes=5).schedule()
"""


@pytest.fixture
def _unregistered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the test imports and registers is forgotten after it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(all_tasks)
    yield
    all_tasks.intersection_update(before)
    sys.modules.pop("tasks_of_this_test", None)


@pytest.mark.usefixtures("_unregistered")
def test_a_task_made_of_a_class_is_named(command: Command) -> None:
    Path("tasks_of_this_test.py").write_text(BY_HAND)
    write('imports = ["tasks_of_this_test"]')

    result = command("check")

    assert (result.code, result.err) == (0, "")
    assert "by-hand: made of a class, every 5m" in result.out


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        ("", "-"),
        (False, "no"),
        (0, "0"),
        ("a\nb\x1b[31m", "a b [31m"),
        ("x" * 50, "x" * 39 + "…"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02 03:04+00:00"),
        (DateRange(date(2026, 1, 2), date(2026, 1, 3)), "2026-01-02 to 2026-01-03"),
        (["a", "b"], "a, b"),
        ({"a": True}, "a: yes"),
    ],
)
def test_a_value_is_shown_on_one_line(value: Any, text: str) -> None:
    assert shown(value) == text


def test_nothing_of_others_commands_the_terminal() -> None:
    assert one_line("a\tb\r\nc\x07\x9b1m") == "a b  c  1m"
