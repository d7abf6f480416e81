"""All tasks that this deployment knows: those of the task file and those of the modules it imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sync_workers.config import load_for
from sync_workers.config.alerts import Alerts
from sync_workers.config.modules import anew, files_of, import_modules
from sync_workers.config.task_file import ConnectionConfig, TaskFile
from sync_workers.errors import SettingsError
from sync_workers.model import Side
from sync_workers.naming import hint, task_name
from sync_workers.runs.task import Task
from sync_workers.service_task import ServiceTask
from sync_workers.settings import Settings
from sync_workers.task import SyncTask, all_tasks


@dataclass(frozen=True, slots=True)
class Loaded:
    """The tasks as the task file had them.

    Attributes:
        tasks: by name, in the order of the file, then those of imported modules by name.
        modules: the files of the modules that it imports.
        imports: the names of these modules.
        registered: what they registered.
        alerts: when a person is told, and where.
    """

    tasks: Mapping[str, Task]
    modules: tuple[Path, ...]
    imports: tuple[str, ...]
    registered: frozenset[SyncTask]
    alerts: Alerts


def load_tasks(settings: Settings) -> dict[str, Task]:
    """All tasks by name, in the order of the file, then those of imported modules by name.

    Raises:
        SettingsError: the file has problems, a module is not there, or a name is taken twice.
    """
    return tasks_of(load_for(settings))


def load(settings: Settings) -> Loaded:
    """The tasks, with what is needed to load them once more; raises as `load_tasks`."""
    return _loaded(load_for(settings))


def load_again(settings: Settings, before: Loaded) -> Loaded:
    """The tasks as the task file has them now; modules are imported anew.

    Raises:
        SettingsError: as `load_tasks`; everything is as it was before.
        Exception: what a module raised; likewise.
    """
    file = load_for(settings)
    if not file.path.exists():
        raise SettingsError(f"the task file {file.path} has gone: put it back")
    known = set(all_tasks)
    all_tasks.difference_update(before.registered)
    try:
        with anew(before.imports):
            return _loaded(file)
    except BaseException:
        all_tasks.clear()
        all_tasks.update(known)
        raise


def _loaded(file: TaskFile) -> Loaded:
    before = set(all_tasks)
    tasks = tasks_of(file)
    return Loaded(tasks, files_of(file), file.imports, frozenset(all_tasks - before), file.alerts)


def tasks_of(file: TaskFile) -> dict[str, Task]:
    """All tasks of a task file that was read before; raises as `load_tasks`."""
    import_modules(file)
    tasks: dict[str, Task] = {name: ServiceTask(config) for name, config in file.tasks.items()}
    problems = []
    for task in sorted(all_tasks, key=lambda task: task.name):
        if task.name in tasks:
            problems.append(f"{file.path} and an imported module both have a task {task.name!r}: rename one")
        tasks[task.name] = task
    if problems:
        raise SettingsError(*problems)
    return tasks


def connections(tasks: Iterable[Task]) -> dict[str, ConnectionConfig]:
    """The connections of configured tasks by name, each once."""
    configs = [task.config for task in tasks if isinstance(task, ServiceTask)]
    sides = [config.sides[side] for config in configs for side in Side]
    return {side.connection.name: side.connection for side in sides}


def pick(tasks: Mapping[str, Task], name: str) -> Task:
    """The task of that name, in whatever form it is written.

    Raises:
        SettingsError: there is none; names the nearest.
    """
    try:
        return tasks[task_name(name)]
    except (KeyError, ValueError):
        msg = f"there is no task {name!r}{hint(name, tasks)}"
        raise SettingsError(msg) from None
