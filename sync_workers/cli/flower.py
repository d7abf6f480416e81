"""`sync-workers flower`: Flower, with a login always."""

from __future__ import annotations

import os
import secrets
from typing import Annotated

import typer

from sync_workers.cli.options import ConfigOption
from sync_workers.cli.serve import RestartOption, serve
from sync_workers.errors import SettingsError

PORT = 5555

COLUMNS = "name,kwargs,state,result,received,runtime,worker"
"""A phase by itself says little: the arguments name task, run and trigger, the result the progress."""

MOST_TASKS = 20_000
"""What Flower remembers: some hours of a hundred tasks, in about as many megabytes."""

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def flower(
    config: ConfigOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535)] = PORT,
    address: Annotated[
        str, typer.Option(help="Where it listens; beyond this machine only with a login of your own.")
    ] = "127.0.0.1",
    url_prefix: Annotated[
        str | None, typer.Option(help="Its path behind a reverse proxy.", show_default=False)
    ] = None,
    restart: RestartOption = True,
) -> None:
    """Start Flower: it shows workers, phases, runs and their progress in the browser, behind a login."""
    options = [
        f"--address={address}", f"--port={port}", f"--tasks_columns={COLUMNS}", f"--max_tasks={MOST_TASKS}",
        *([f"--url_prefix={url_prefix}", "--xheaders=true"] if url_prefix else []),
    ]  # fmt: skip
    login = _login(address)
    serve(
        "sync_workers.worker.app", ["flower", *options], config,
        restart=restart, environment=lambda: {"FLOWER_BASIC_AUTH": login or _made_up()},
    )  # fmt: skip


def _login(address: str) -> str | None:
    """User and password; None where one is to be made up, since nobody can come from elsewhere.

    Raises:
        SettingsError: everybody could come, and there is no login.
    """
    from sync_workers.settings import load_settings

    # By this Flower would start tasks for anybody who asks.
    os.environ.pop("FLOWER_UNAUTHENTICATED_API", None)
    login = load_settings().flower_login
    if login is not None:
        return login.get_secret_value()
    if address not in LOOPBACK:
        raise SettingsError(
            f"Flower can start and stop things, and on {address} others can reach it: set "
            "SYNC_WORKERS_FLOWER_LOGIN to user:password"
        )
    return None


def _made_up() -> str:
    """One for this time, told to whoever started it."""
    made = f"admin:{secrets.token_urlsafe(12)}"
    user, _, password = made.partition(":")
    typer.echo(f"Flower's login until it ends: user {user}, password {password}", err=True)
    return made
