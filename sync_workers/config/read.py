"""From the text of a task file to its values. Nothing stops at the first problem."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from sync_workers import services
from sync_workers.config import lines
from sync_workers.config.alerts import read_alerts
from sync_workers.config.forms import FileForm, KindForm, Table
from sync_workers.config.problems import Problems
from sync_workers.config.read_tasks import read_tasks
from sync_workers.config.tables import Find, Tables, tables, without
from sync_workers.config.task_file import ConnectionConfig, TaskFile
from sync_workers.errors import SettingsError
from sync_workers.settings import Settings


def load_for(settings: Settings, find: Find = services.find) -> TaskFile:
    """The task file that the settings name; an empty one where nobody named one and none is there.

    Raises:
        SettingsError: as `load`.
    """
    named = "config" in settings.model_fields_set
    if not named and not settings.config.exists():
        return TaskFile(settings.config)
    return load(settings.config, find)


def load(path: Path, find: Find = services.find) -> TaskFile:
    """The task file at `path`.

    Raises:
        SettingsError: it is not there, or something is wrong in it; `.problems` has everything.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        msg = (
            f"there is no task file {path}: write one by `sync-workers init`, "
            "or name yours by --config or SYNC_WORKERS_CONFIG"
        )
        raise SettingsError(msg) from error
    except OSError as error:
        msg = f"the task file {path} cannot be read: {error.strerror}"
        raise SettingsError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"the task file {path} is not UTF-8 text: save it as UTF-8"
        raise SettingsError(msg) from error
    return read(text, path, find)


def read(text: str, path: Path, find: Find = services.find) -> TaskFile:
    """The task file of that text; `path` names it in messages, and relative files start beside it.

    Raises:
        SettingsError: something is wrong in it; `.problems` has everything.
    """
    text = text.replace("\r\n", "\n")
    data = _parse(text, path)
    problems = Problems(str(path), lines.find_lines(text))
    checked = Tables(problems, path.parent, find)
    form = checked.form(FileForm, data, ())
    connections = {name: _connection(checked, name, found) for name, found in tables(data, "connections")}
    tasks = read_tasks(checked, data, connections)
    alerts = read_alerts(checked, data)
    problems.raise_all()
    imports = tuple(form.imports) if form else ()
    there = {name: found for name, found in connections.items() if found}
    return TaskFile(path, imports, there, tasks, alerts)


def _parse(text: str, path: Path) -> Table:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what = str(error)
        found = re.search(r" \(at line (\d+), column (\d+)\)$", what)
        if found:
            place, what = f"{found[1]}:{found[2]}", what[: found.start()]
        else:
            place = str(text.count("\n") + 1)
        msg = f"{path}:{place}: this is no TOML: {what}"
        raise SettingsError(msg) from error


def _connection(checked: Tables, name: str, data: Table) -> ConnectionConfig | None:
    """The connection; None for one whose kind is not known."""
    path = ("connections", name)
    form = checked.form(KindForm, data, path)
    if form is None:
        return None
    try:
        service = checked.find(form.kind)
    except SettingsError as error:
        checked.problems.add((*path, "kind"), str(error))
        return None
    settings = checked.form(service.connection, without(data, "kind"), path, also={"kind"})
    # Even with wrong settings its kind says what the sides of tasks on it need: their problems are told
    # at once. It never leaves this module, since there is a problem already.
    return ConnectionConfig(name, form.kind, service, settings or service.connection.model_construct())
