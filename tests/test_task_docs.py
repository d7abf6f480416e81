"""docs/class-interface.md and the class example: they run, and name all there is."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sync_workers import ConflictMode, Limits, SyncTask
from sync_workers.hooks import Hooks
from sync_workers.public_steps import STEPS
from sync_workers.scheduling import Scheduled

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/class-interface.md").read_text(encoding="utf-8")


def test_the_example_of_the_page_runs(tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    script = tmp_path / "example.py"
    script.write_text(block, encoding="utf-8")

    subprocess.run([sys.executable, "-W", "error", script], check=True, cwd=ROOT)


def test_the_example_file_runs_and_ends_quiet() -> None:
    said = subprocess.run(
        [sys.executable, "-W", "error", "examples/two_lists.py"],
        check=True, cwd=ROOT, capture_output=True, text=True,
    ).stdout  # fmt: skip

    assert "link 1, other.create 1" in said
    assert "notion.update 1, other.update 1" in said
    assert "A deletion: notion.delete 1" in said
    assert "Once more: nothing to do" in said


@pytest.mark.parametrize("name", [name for name in vars(Hooks) if not name.startswith("_")])
def test_every_hook_is_explained(name: str) -> None:
    arguments = ", ".join(list(inspect.signature(getattr(Hooks, name)).parameters)[1:]).replace(
        "kwargs", "**kwargs"
    )
    assert f"`{name}({arguments})`" in PAGE


@pytest.mark.parametrize("name", [*STEPS, "resolve_conflict"])
def test_every_step_is_explained(name: str) -> None:
    arguments = ", ".join(list(inspect.signature(getattr(SyncTask, name)).parameters)[1:])
    assert f"`{name}({arguments})`" in PAGE


def test_every_other_public_name_is_there() -> None:
    names = {name for kind in SyncTask.__mro__[:-1] for name in vars(kind) if not name.startswith("_")}
    names |= set(SyncTask.__annotations__) | {"name", "attr_map", "conflict_mode", "report"}
    missing = {name for name in names if f"`{name}" not in PAGE}
    assert not missing


def test_words_of_the_schedule_modes_and_limits_are_there() -> None:
    for name, method in vars(Scheduled).items():
        if inspect.isfunction(method):
            assert f"`{name}(" in PAGE
    for mode in ConflictMode:
        assert f"`{mode}`" in PAGE
    limits = Limits()
    shown = ", ".join(f"{name}={getattr(limits, name)}" for name in Limits.__slots__)
    assert f"`Limits({shown})`" in PAGE
