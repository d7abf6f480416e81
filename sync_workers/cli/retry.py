"""`sync-workers retry`: let records out of quarantine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from sync_workers.cli.options import ConfigOption, opened
from sync_workers.errors import SettingsError


def retry(
    name: Annotated[str, typer.Argument(help="The task's name.")],
    record: Annotated[
        str | None, typer.Argument(help="The id of one record; else all of them.", show_default=False)
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Let the next run try records again that failed and wait in quarantine."""
    from sync_workers.redis.quarantine import quarantined, release

    with opened(config, name) as (task, client):
        found = quarantined(client, task.name)
        chosen = {key: one for key, one in found.items() if record is None or key[1] == record}
        if record is not None and not chosen:
            msg = (
                f"record {record} of task {task.name} is not in quarantine: `sync-workers status` shows "
                "those that are, by the id that they are known by there"
            )
            raise SettingsError(msg)
        release(client, task.name, chosen, datetime.now(UTC))
    typer.echo(
        f"{len(chosen)} record(s) are tried again by the next run: sync-workers run {task.name}"
        if chosen
        else f"nothing of task {task.name} is in quarantine"
    )
