"""`sync-workers init`: writes a task file to start from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from sync_workers.errors import SettingsError


def init(
    path: Annotated[Path, typer.Option("--path", metavar="PATH", help="Where to write it.")] = Path(
        "sync.toml"
    ),
) -> None:
    """Write a commented task file and say what to do next."""
    text = files("sync_workers.cli").joinpath("sync.toml").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        msg = f"{path} is there already and stays as it is: name another place by --path"
        raise SettingsError(msg) from error
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror}; name another place by --path"
        raise SettingsError(msg) from error
    named = "" if path == Path("sync.toml") else f" --config {path}"
    typer.echo(f"Wrote {path}. Next:")
    typer.echo("  1. Share your Notion database with an integration and set its token:")
    typer.echo("       export NOTION_TOKEN=...")
    typer.echo(f"  2. Fill in {path}: your data source, your calendar, your fields.")
    typer.echo(f"  3. See whether it would work:  sync-workers check{named}")
