"""`sync-workers alerts`: what is wrong now, and whether those who are told can be reached."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from sync_workers.cli.options import ConfigOption, connected

if TYPE_CHECKING:
    from sync_workers.config.alerts import Alerts


def alerts(
    config: ConfigOption = None,
    send: Annotated[bool, typer.Option("--try", help="Tell each receiver something harmless.")] = False,
) -> None:
    """Show what is wrong now, as the monitors see it, and who is told."""
    from sync_workers.config import load_for
    from sync_workers.redis.alerts import incidents
    from sync_workers.settings import load_settings

    settings = load_settings()
    if config is not None:
        settings = settings.model_copy(update={"config": config})
    told = load_for(settings).alerts
    if not told.receivers:
        typer.echo(f"nobody is told: {settings.config} has no [alerts.to.NAME]")
    if send:
        raise typer.Exit(not _try(told))
    for name, receiver in told.receivers.items():
        typer.echo(f"told by {receiver.kind}: {name}")
    with connected(config) as (_, client):
        found = incidents(client)
    for one in found:
        typer.echo(f"{one.since:%Y-%m-%d %H:%M} UTC  {one.incident.summary}: {one.incident.command}")
    if told.receivers and not found:
        typer.echo("nothing is wrong")


def _try(told: Alerts) -> bool:
    """Whether all could be reached."""
    from sync_workers.errors import SyncError
    from sync_workers.monitor.sending import send
    from sync_workers.redis.alerts import Change, Incident, Message

    now = datetime.now(UTC)
    trial = Incident(kind="trial", summary="nothing is wrong, this is a trial", command="sync-workers alerts")
    reached = True
    for name, receiver in told.receivers.items():
        try:
            send(receiver, [Message("trial", name, Change.BEGUN, trial, now, now)])
            typer.echo(f"{name} was told by {receiver.kind}")
        except SyncError as error:
            typer.echo(f"{name} could not be told by {receiver.kind}: {error}", err=True)
            reached = False
    return reached
