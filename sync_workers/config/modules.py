"""Imports the modules of a task file, so that their tasks are registered."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from importlib.util import find_spec
from pathlib import Path

from sync_workers.config.task_file import TaskFile
from sync_workers.errors import SettingsError


def import_modules(task_file: TaskFile) -> None:
    """Import what `imports` names; the folder of the task file is searched first.

    What a module itself raises comes through with its traceback: it is the user's own code.

    Raises:
        SettingsError: modules that are not there, all of them; or one that is no Python.
    """
    folder = str(task_file.path.resolve().parent)
    if task_file.imports and folder not in sys.path:
        sys.path.insert(0, folder)
    missing = [name for name in task_file.imports if not _is_there(name)]
    if missing:
        raise SettingsError(
            *(
                f"{task_file.path}: imports: there is no module {name!r}, neither in {folder} nor installed"
                for name in missing
            )
        )
    for name in task_file.imports:
        try:
            import_module(name)
        except SyntaxError as error:
            place = f"{error.filename}:{error.lineno}"
            raise SettingsError(f"{task_file.path}: imports: {name}: {place}: {error.msg}") from None


def files_of(task_file: TaskFile) -> tuple[Path, ...]:
    """Where the imported modules stand; without those that are no files."""
    found = (getattr(sys.modules.get(name), "__file__", None) for name in task_file.imports)
    return tuple(Path(path) for path in found if path)


@contextmanager
def anew(names: Iterable[str]) -> Iterator[None]:
    """Inside, these modules are imported once more; an error brings the old ones back.

    What they import themselves stays as it is.
    """
    old = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    invalidate_caches()
    try:
        yield
    except BaseException:
        sys.modules.update(old)
        raise


def _is_there(name: str) -> bool:
    if not all(part.isidentifier() for part in name.split(".")):
        return False
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError as error:
        # A package around it is missing; or that package is there and misses something of its own.
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            return False
        raise
