"""`sync-workers init`: writes a task file to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from sync_workers.cli.options import ConfigOption
from sync_workers.errors import SettingsError

Where = Annotated[Path, typer.Option("--path", metavar="PATH", help="Where to write it.")]
Source = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="NOTION_URL",
        help="A database or data source in Notion, whose properties make the field map.",
        show_default=False,
    ),
]
Kind = Annotated[
    str, typer.Option("--other", metavar="KIND", help="With --from: the other side's kind of service.")
]
Connection = Annotated[
    str | None,
    typer.Option(
        "--connection",
        metavar="NAME",
        help="With --from: a Notion connection of the task file, instead of NOTION_TOKEN. "
        "The only one of a file that --config names need not be named.",
        show_default=False,
    ),
]


def init(
    path: Where = Path("sync.toml"),
    source: Source = None,
    other: Kind = "sql",
    connection: Connection = None,
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
        from sync_workers.cli.init_from import connection_of, drawn_up

        _expect_new(path)
        _write(path, drawn_up(path, source, other, connection_of(connection, config)))
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
