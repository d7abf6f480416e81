"""The shape of the project: who imports whom, how long things are, what `import sync_workers` costs."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sync_workers
from tests.project import LAYERS, RANK, imports, problems, sources

ROOT = Path(__file__).parents[1]


def test_the_project_keeps_its_shape() -> None:
    assert problems(ROOT) == []


def test_every_part_of_the_project_has_its_layer() -> None:
    parts = {path.relative_to(ROOT).parts[1].removesuffix(".py") for path in sources(ROOT)} - {"__init__"}
    beat = {path.stem for path in sources(ROOT) if path.relative_to(ROOT).parts[0] == "beat_schedule"}
    assert parts - beat <= set(RANK)
    assert sum(len(layer) for layer in LAYERS) == len(RANK)


LONG_FUNCTION = "def long() -> None:\n" + "    print()\n" * 40

PLANTED = [
    ("sync_workers/task.py", "import celery", "celery is known only in"),
    ("sync_workers/runs/get.py", "def f():\n    from celery import Celery", "celery is known only in"),
    ("sync_workers/cli/run.py", "from kombu import Queue", "kombu is known only in"),
    ("sync_workers/runs/get.py", "import redis", "redis is known only in"),
    ("sync_workers/cli/run.py", "from redis.client import Redis", "redis is known only in"),
    ("sync_workers/services/sql/a.py", "import notion_client", "notion_client is known only in"),
    ("sync_workers/sandbox/a.py", "from notion_client.errors import X", "notion_client is known only in"),
    (
        "sync_workers/services/sql/a.py",
        "from sync_workers.services.notion import X",
        "cannot know the service",
    ),
    (
        "sync_workers/services/memory.py",
        "from sync_workers.services import sql",
        "cannot know the service sql",
    ),
    ("sync_workers/services/sql/a.py", "from sync_workers.engine.rules import X", ""),
    ("sync_workers/services/sql/a.py", "from sync_workers.runs.get import X", "services is below runs"),
    ("sync_workers/engine/a.py", "from sync_workers.runs.get import X", "the engine is pure"),
    ("sync_workers/engine/a.py", "from sync_workers.errors import X", "the engine is pure"),
    ("sync_workers/engine/a.py", "from sync_workers import task", "the engine is pure"),
    ("sync_workers/engine/a.py", "import pydantic", "the engine is pure"),
    ("sync_workers/engine/a.py", "def f():\n    import httpx", "the engine is pure"),
    ("sync_workers/engine/a.py", "import dataclasses, json", ""),
    ("sync_workers/runs/a.py", "from sync_workers.cli import app", "runs is below cli"),
    ("sync_workers/runs/a.py", "from sync_workers.worker.app import app", "runs is below worker"),
    ("sync_workers/runs/a.py", "from sync_workers.redis import keys", "runs is below redis"),
    ("sync_workers/runs/a.py", "import sync_workers.redis.keys", "runs is below redis"),
    ("sync_workers/model.py", "from sync_workers.engine.diff import diff", "model is below engine"),
    ("sync_workers/worker/a.py", "from sync_workers.cli import app", "worker is below cli"),
    ("sync_workers/worker/a.py", "import celery\nimport redis\nimport kombu", ""),
    ("sync_workers/cli/a.py", "import beat_schedule", "never the reverse"),
    ("sync_workers/runs/a.py", "from . import get", "relative import"),
    ("beat_schedule/a.py", "from celery.beat import Scheduler\nfrom sync_workers.runs.get import X", ""),
    ("beat_schedule/a.py", "import redis", "redis is known only in"),
    ("sync_workers/runs/a.py", "x = 1\n" * 301, "301 lines, more than 300"),
    ("sync_workers/runs/a.py", "x = 1\n" * 300, ""),
    ("beat_schedule/a.py", LONG_FUNCTION, "long has 41 lines, more than 40"),
    ("beat_schedule/a.py", LONG_FUNCTION.replace("    print()\n", "", 1), ""),
]


@pytest.mark.parametrize(("place", "source", "expected"), PLANTED)
def test_a_planted_fault_is_found(tmp_path: Path, place: str, source: str, expected: str) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_text(source + "\n" if not source.endswith("\n") else source)
    found = problems(tmp_path)
    if expected:
        assert [problem for problem in found if expected in problem], found
        assert all(problem.startswith(place) for problem in found)
    else:
        assert found == []


# --- importing ---


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after a statement."""
    show = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{statement}; {show}"],
        capture_output=True, text=True, check=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    return set(done.stdout.split())


HEAVY = {
    "celery",
    "kombu",
    "redis",
    "notion_client",
    "flower",
    "sqlalchemy",
    "caldav",
    "starlette",
    "uvicorn",
}


def test_importing_the_package_loads_neither_celery_nor_redis_nor_notion_client() -> None:
    loaded = loaded_by("import sync_workers")
    assert loaded & HEAVY == set()
    assert "sync_workers" in loaded


def test_a_class_task_with_all_public_names_loads_none_of_them_either() -> None:
    names = "SyncTask, State, ConflictMode, ID, all_tasks, run_all_tasks"
    assert loaded_by(f"from sync_workers import {names}") & HEAVY == set()


def test_what_is_loaded_is_seen() -> None:
    """The check above can fail."""
    assert loaded_by("import redis") & HEAVY == {"redis"}


# --- public names ---


def with_all() -> Iterator[str]:
    for path in sources(ROOT):
        if any(isinstance(node, ast.Assign) and "__all__" in ast.unparse(node.targets[0])
               for node in ast.parse(path.read_text()).body):  # fmt: skip
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("name", list(with_all()))
def test_every_name_in_all_is_there_once(name: str) -> None:
    module = importlib.import_module(name)
    assert [each for each in module.__all__ if not hasattr(module, each)] == []
    assert len(set(module.__all__)) == len(module.__all__)


def test_the_package_names_all_that_it_offers_and_nothing_else() -> None:
    """`enqueue` among them, which is imported when it is first asked for."""
    offered = {
        imported.name.rpartition(".")[2]
        for imported in imports(ROOT / "sync_workers" / "__init__.py")
        if imported.name.startswith("sync_workers.")
    }
    assert set(sync_workers.__all__) == offered


def test_the_names_of_the_class_interface_are_there() -> None:
    promised = {"SyncTask", "State", "ConflictMode", "ID", "all_tasks", "run_all_tasks"}
    assert promised <= set(sync_workers.__all__)
