from __future__ import annotations

import re
from pathlib import Path

import pytest

from sync_workers.config import load
from sync_workers.model import Side
from tests.cli.command import Command

EXAMPLE = Path(__file__).parents[2] / "examples" / "sync.toml"


def test_init_writes_a_task_file_and_says_what_to_do_next(command: Command) -> None:
    result = command("init")

    assert (result.code, result.err) == (0, "")
    assert Path("sync.toml").is_file()
    assert "export NOTION_TOKEN=" in result.out
    assert result.out.endswith("sync-workers check\n")


def test_init_writes_where_it_is_told(command: Command) -> None:
    result = command("init", "--path", "mine.toml")

    assert result.out.endswith("sync-workers check --config mine.toml\n")
    assert Path("mine.toml").is_file()
    assert not Path("sync.toml").exists()


def test_init_overwrites_nothing(command: Command) -> None:
    Path("sync.toml").write_text("# mine\n")

    result = command("init")

    assert result.code == 1
    assert result.err == "sync.toml is there already and stays as it is: name another place by --path\n"
    assert Path("sync.toml").read_text() == "# mine\n"


def test_init_says_when_it_cannot_write(command: Command) -> None:
    result = command("init", "--path", "no/such/folder.toml")

    assert result.code == 1
    assert result.err.startswith("no/such/folder.toml cannot be written: No such file or directory")


def test_what_init_writes_loads_without_a_problem(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTION_TOKEN", "ntn_test")

    command("init")

    task = load(Path("sync.toml")).tasks["todo"]
    for side in Side:
        task.open(side).close()


def test_everything_that_the_example_offers_in_comments_loads_too(command: Command) -> None:
    command("init")
    text = Path("sync.toml").read_text()
    lines = []
    for line in text.splitlines():
        offered = re.match(r"# (?!values)\w+ = ", line)
        lines.append(line[2:] if offered else "" if line.startswith('every = "5m"') else line)
    Path("sync.toml").write_text("\n".join(lines))

    task_file = load(Path("sync.toml"))

    assert task_file.imports == ("my_tasks",)
    assert task_file.tasks["todo"].schedule.crontab == "*/5 8-18 * * mon-fri"
    assert task_file.tasks["todo"].schedule.in_total == 3
    assert len(task_file.tasks["todo"].rules.fields) == 5


def test_the_example_of_the_repository_is_what_init_writes(command: Command) -> None:
    command("init")

    assert Path("sync.toml").read_text() == EXAMPLE.read_text()
