"""`sync-workers init`: writes a task file to start from."""

from __future__ import annotations

from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sync_workers.cli.options import ConfigOption
from sync_workers.errors import AccessError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from sync_workers.config.task_file import ConnectionConfig
    from sync_workers.fields import Field


def init(
    path: Annotated[Path, typer.Option("--path", metavar="PATH", help="Where to write it.")] = Path(
        "sync.toml"
    ),
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="NOTION_URL",
            help="A database or data source in Notion, whose properties make the field map.",
            show_default=False,
        ),
    ] = None,
    other: Annotated[
        str, typer.Option("--other", metavar="KIND", help="With --from: the other side's kind of service.")
    ] = "sql",
    connection: Annotated[
        str | None,
        typer.Option(
            "--connection",
            metavar="NAME",
            help="With --from: a Notion connection of the task file (--config), instead of NOTION_TOKEN.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Write a commented task file and say what to do next.

    With --from its field map is that of a database in Notion.
    """
    if source is None:
        text = files("sync_workers.cli").joinpath("sync.toml").read_text(encoding="utf-8")
        _write(path, text)
        share = "Share your Notion database with an integration and set its token:"
        steps: tuple[str, ...] = (
            f"{share}\n       export NOTION_TOKEN=...",
            f"Fill in {path}: your data source, your calendar, your fields.",
        )
    else:
        _expect_new(path)
        _write(path, _drawn_up(path, source, other, _connection(connection, config)))
        steps = (f"Fill in {path}: the other side, and what of the field map you want.",)
    named = "" if path == Path("sync.toml") else f" --config {path}"
    typer.echo(f"Wrote {path}. Next:")
    for number, step in enumerate((*steps, f"See whether it would work:  sync-workers check{named}"), 1):
        typer.echo(f"  {number}. {step}")


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise _there(path) from error
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}; name another place by --path"
        raise SettingsError(msg) from error


def _expect_new(path: Path) -> None:
    """Before anything is asked of Notion."""
    if path.exists():
        raise _there(path)


def _there(path: Path) -> SettingsError:
    return SettingsError(f"{path} is there already and stays as it is: name another place by --path")


def _connection(name: str | None, config: Path | None) -> ConnectionConfig | None:
    """The Notion connection of that name in the task file; None without a name."""
    from sync_workers.cli.options import task_file
    from sync_workers.naming import hint

    if name is None:
        return None
    there = {n: c for n, c in task_file(config).connections.items() if c.kind == "notion"}
    if name not in there:
        msg = f"the task file has no Notion connection {name!r}{hint(name, there)}"
        raise SettingsError(msg)
    return there[name]


def _drawn_up(path: Path, source: str, other: str, connection: ConnectionConfig | None) -> str:
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
