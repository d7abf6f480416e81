from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sync_workers.config import TaskFile
from sync_workers.config.modules import import_modules
from sync_workers.errors import SettingsError


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What a test imports is forgotten after it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in ("beside_the_file", "raises_when_imported", "around"):
        sys.modules.pop(name, None)


def test_modules_are_imported_from_beside_the_task_file(tmp_path: Path) -> None:
    (tmp_path / "beside_the_file.py").write_text("HERE = 1\n")

    import_modules(TaskFile(tmp_path / "sync.toml", imports=("beside_the_file",)))

    assert sys.modules["beside_the_file"].HERE == 1


def test_missing_modules_are_told_all_at_once(tmp_path: Path) -> None:
    task_file = TaskFile(tmp_path / "sync.toml", imports=("not_there", "sys", "no.such.module", "..", "json"))

    with pytest.raises(SettingsError) as raised:
        import_modules(task_file)

    assert len(raised.value.problems) == 3
    assert "no module 'not_there', neither in" in raised.value.problems[0]
    assert str(tmp_path) in raised.value.problems[0]


def test_what_a_module_raises_is_the_users_to_see(tmp_path: Path) -> None:
    (tmp_path / "raises_when_imported.py").write_text("import a_missing_library\n")

    with pytest.raises(ModuleNotFoundError, match="a_missing_library"):
        import_modules(TaskFile(tmp_path / "sync.toml", imports=("raises_when_imported",)))


def test_what_the_package_around_a_module_misses_is_told_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "around").mkdir()
    (tmp_path / "around" / "__init__.py").write_text("import a_missing_library\n")

    with pytest.raises(ModuleNotFoundError, match="a_missing_library"):
        import_modules(TaskFile(tmp_path / "sync.toml", imports=("around.inner",)))


def test_without_imports_nothing_is_searched(tmp_path: Path) -> None:
    before = list(sys.path)

    import_modules(TaskFile(tmp_path / "sync.toml"))

    assert sys.path == before
