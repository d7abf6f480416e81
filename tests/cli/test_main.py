from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.cli.command import Command

LIGHT = """
import json, sys
from sync_workers.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    code = ended.code
heavy = {"celery", "kombu", "redis", "notion_client", "httpx", "caldav", "sqlalchemy", "rich", "flower"}
print(json.dumps([code, sorted(heavy & set(sys.modules))]))
"""


def test_the_version_is_that_of_the_installed_distribution(command: Command) -> None:
    result = command("--version")

    assert (result.code, result.out) == (0, f"sync-workers {version('sync-workers')}\n")


def test_without_a_command_the_help_is_shown(command: Command) -> None:
    result = command()

    assert result.code == 2
    assert "check" in result.out + result.err


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["init"], ["check", "--help"]])
def test_nothing_heavy_is_imported_before_it_is_needed(args: list[str], tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LIGHT, *args], capture_output=True, text=True, check=True, cwd=tmp_path
    )

    assert json.loads(ended.stdout.splitlines()[-1]) == [0, []]


@pytest.mark.parametrize("args", [["chek"], ["--confg"], ["check", "a", "b"], ["check", "--config"]])
def test_a_wrong_command_line_ends_with_2(command: Command, args: list[str]) -> None:
    result = command(*args)

    assert (result.code, result.out) == (2, "")
    assert "Error: " in result.err


@pytest.mark.parametrize("args", [["check"], ["check", "--config", "there.toml"]])
def test_an_error_is_one_line_on_stderr_and_ends_with_1(command: Command, args: list[str]) -> None:
    result = command(*args)

    assert (result.code, result.out) == (1, "")
    assert result.err.startswith(f"there is no task file {args[-1] if len(args) > 1 else 'sync.toml'}: ")
    assert result.err.count("\n") == 1


def test_all_problems_are_a_line_each(command: Command) -> None:
    Path("sync.toml").write_text("[tasks.a]\nevery = 1\n[tasks.b]\nfields = 1\n")

    result = command("check")

    lines = result.err.splitlines()
    assert result.code == 1
    assert len(lines) == 7
    assert all(line.startswith(("sync.toml:1: tasks.a.", "sync.toml:2: ", "sync.toml:3: ", "sync.toml:4: "))
               for line in lines)  # fmt: skip


def test_a_misspelt_variable_is_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNC_WORKERS_CONFIGG", "x")

    result = command("check")

    assert result.code == 1
    assert "did you mean 'SYNC_WORKERS_CONFIG'?" in result.err


def test_the_task_file_is_named_by_option_before_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNC_WORKERS_CONFIG", "from-environment.toml")

    assert "no task file from-environment.toml" in command("check").err
    assert "no task file from-option.toml" in command("check", "--config", "from-option.toml").err


def test_the_installed_command_shows_no_traceback(tmp_path: Path) -> None:
    installed = Path(sys.executable).with_name("sync-workers")

    ended = subprocess.run([installed, "check"], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert ended.returncode == 1
    assert ended.stderr.startswith("there is no task file ")
    assert "Traceback" not in ended.stderr
