"""`sync-workers monitor`: metrics for Prometheus, and numbers for autoscalers."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from sync_workers.cli.options import ConfigOption
from sync_workers.cli.serve import RestartOption, again

PORT = 9464


def monitor(
    config: ConfigOption = None,
    host: Annotated[str, typer.Option(help="Where it listens; it asks for no login.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = PORT,
    restart: RestartOption = True,
) -> None:
    """Start the monitor: /metrics for Prometheus, /scale for autoscalers. Two show the same as one."""
    from sync_workers.settings import load_settings, variable

    if config is not None:
        os.environ[variable("config")] = str(config.resolve())
    settings = load_settings()
    if restart:
        again("monitor", host, port)
    from sync_workers.monitor.serve import serve

    serve(settings, host, port)
