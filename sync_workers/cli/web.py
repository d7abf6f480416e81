"""`sync-workers web`: the receiver of Notion's webhook events, and how it gets the token that signs them."""

from __future__ import annotations

import os
import time
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from sync_workers.cli.options import ConfigOption
from sync_workers.cli.serve import RestartOption, again
from sync_workers.errors import LaterError, SettingsError
from sync_workers.naming import hint

if TYPE_CHECKING:
    from sync_workers.redis.webhooks import Webhooks
    from sync_workers.settings import Settings

PORT = 8686

WINDOW = timedelta(minutes=10)
"""How long a handshake is waited for."""

ASK_EVERY = timedelta(seconds=0.2)


def web(
    config: ConfigOption = None,
    host: Annotated[
        str, typer.Option(help="Where it listens; a reverse proxy in front of it speaks HTTPS.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = PORT,
    token_for: Annotated[
        str | None,
        typer.Option(
            "--token-for",
            metavar="CONNECTION",
            help="Wait for the token of a new webhook subscription of this connection, show it, and end.",
            show_default=False,
        ),
    ] = None,
    restart: RestartOption = True,
) -> None:
    """Start the receiver of Notion's webhook events: what is edited there is synced within seconds."""
    from sync_workers.settings import load_settings, variable

    if config is not None:
        os.environ[variable("config")] = str(config.resolve())
    settings = load_settings()
    if token_for is not None:
        _show_token(settings, token_for)
    elif restart:
        again("web", host, port)
    else:
        from sync_workers.web.serve import serve

        serve(settings, host, port)


def _show_token(settings: Settings, name: str) -> None:
    """Let one handshake in, and show its token to the person who asked for it: nobody else ever sees it."""
    from sync_workers.config import load_for
    from sync_workers.redis.connect import check, connect
    from sync_workers.redis.webhooks import Webhooks
    from sync_workers.web.connections import connections_of

    connections = connections_of(load_for(settings))
    if name not in connections:
        msg = f"there is no connection {name!r} to Notion{hint(name, connections)}"
        raise SettingsError(msg)
    with closing(connect(settings.redis_url)) as client:
        check(client)
        webhooks = Webhooks(client, name)
        typer.echo(
            "In Notion, create the webhook subscription now, or press 'Resend token' in one that is not "
            "verified yet.\nIts URL is that of this receiver, with the path "
            f"{connections[name].path}. Waiting ..."
        )
        token = _arrived(webhooks, name)
        typer.echo(f"The token: {token}\nIn Notion, press 'Verify' and paste it there.")
        if connections[name].settings.webhook_token is not None:
            typer.echo(f"Then put it where `webhook_token` of the connection {name} says.")
        elif typer.confirm("Did Notion accept it?"):
            webhooks.keep_token(token)
            typer.echo("Kept in Redis: from now on it checks the signatures of all events.")
        else:
            typer.echo("Forgotten: somebody else may have sent it. Start this command again.")


def _arrived(webhooks: Webhooks, name: str) -> str:
    """The token, once a handshake brought it.

    Raises:
        LaterError: none came.
    """
    webhooks.open_window(WINDOW)
    try:
        while (token := webhooks.offered()) == "":
            time.sleep(ASK_EVERY.total_seconds())
    finally:
        webhooks.close_window()
    if token is None:
        msg = (
            f"no token came for the connection {name}: see whether Notion reaches this machine, "
            f"and start `sync-workers web --token-for {name}` again"
        )
        raise LaterError(msg)
    return token
