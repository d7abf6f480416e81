"""What `sync-workers init --from` writes: a task file from the properties of a database in Notion."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from sync_workers.errors import AccessError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from sync_workers.config.task_file import ConnectionConfig
    from sync_workers.fields import Field


def connection_of(name: str | None, config: Path | None) -> ConnectionConfig | None:
    """The Notion connection of that name in the task file, or the only one of a file that is named.

    None where neither is named: then NOTION_TOKEN serves.
    """
    from sync_workers.cli.options import task_file
    from sync_workers.naming import hint

    if name is None and config is None:
        return None
    there = {n: c for n, c in task_file(config).connections.items() if c.kind == "notion"}
    if name is None:
        if len(there) == 1:
            return next(iter(there.values()))
        listed = (
            f"has {', '.join(there)}: name one of them" if there else "has no Notion connection: name a file"
        )
        msg = f"{config} {listed} by {'--connection' if there else '--config'}"
        raise SettingsError(msg)
    if name not in there:
        msg = f"the task file has no Notion connection {name!r}{hint(name, there)}"
        raise SettingsError(msg)
    return there[name]


def drawn_up(path: Path, source: str, other: str, connection: ConnectionConfig | None) -> str:
    """The text of a task file for that data source, which our own reader takes.

    Raises:
        SettingsError: the link names none, or a database with several; there is no such kind of service.
        AccessError: Notion does not show it.
    """
    from sync_workers import services
    from sync_workers.config import read
    from sync_workers.config.suggest import OTHERS, task_file
    from sync_workers.naming import hint

    if other not in services.KINDS or other == "notion":
        kinds = [kind for kind in services.KINDS if kind != "notion"]
        msg = f"--other: there is no service {other!r}{hint(other, kinds)}"
        raise SettingsError(msg)
    settings = connection.settings if connection is not None else _by_token()
    schema, source_id = _looked_up(settings, source)
    lines = _connection_lines(settings)
    text = task_file(schema, lines, source_id, other)
    if other in OTHERS:
        read(text, path)
    return text


def _by_token() -> BaseModel:
    from sync_workers import services

    return services.find("notion").connection.model_validate({"token": {"env": "NOTION_TOKEN"}})


def _looked_up(settings: BaseModel, source: str) -> tuple[Mapping[str, Field], str]:
    """The properties of what the link leads to, and the id of the data source.

    A link that is copied in Notion names a database.
    """
    from pydantic import ValidationError

    from sync_workers import services
    from sync_workers.services.base import Mapped
    from sync_workers.services.local_budget import LocalBudget

    kind = services.find("notion")
    for place in ("database", "data_source"):
        try:
            container = kind.container.model_validate({place: source})
        except ValidationError as error:
            msg = f"--from: {source!r} {error.errors()[0]['ctx']['error']}"
            raise SettingsError(msg) from None
        try:
            with closing(kind.connect(settings, container, Mapped(), LocalBudget())) as service:
                return service.schema(), service.setup()["container"]
        except AccessError:
            if place == "data_source":
                raise
        except SettingsError as error:
            raise SettingsError(*(f"--from: {problem}" for problem in error.problems)) from error
    raise AssertionError  # the last place returned or raised


def _connection_lines(settings: BaseModel) -> tuple[str, ...]:
    """A connection to Notion as its table says it: where the token is, never what it is."""
    from sync_workers.config.suggest import quoted

    said = settings.model_dump(mode="json", exclude_unset=True)
    token = ", ".join(f"{key} = {quoted(str(value))}" for key, value in said.pop("token").items() if value)
    rest = (f"{key} = {quoted(value) if isinstance(value, str) else value}" for key, value in said.items())
    return (f"token = {{ {token} }}", *rest)
