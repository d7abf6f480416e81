"""`sync-workers worker` and `beat`, and how a process of Celery is started."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from sync_workers.cli.options import ConfigOption

RestartOption = Annotated[
    bool,
    typer.Option(
        "--restart/--no-restart",
        help="Start it again when it ends unexpectedly; a supervisor of your own does not need that.",
    ),
]


def worker(
    config: ConfigOption = None,
    name: Annotated[
        str | None,
        typer.Option(help="Its name in Flower; must differ on one machine.", show_default="sync-PID"),
    ] = None,
    concurrency: Annotated[
        int, typer.Option("--concurrency", "-c", min=1, help="Phases at the same time.")
    ] = 2,
    queues: Annotated[
        str,
        typer.Option(
            "--queues",
            "-Q",
            help="Which phases it takes, each with all its queues.",
        ),
    ] = "sync.get,sync.diff,sync.apply",
    restart: RestartOption = True,
) -> None:
    """Start a worker: it carries out the phases get, diff and apply. Start as many as you like, anywhere."""
    node = f"{name or f'sync-{os.getpid()}'}@%h"
    options = ["--hostname", node, "--concurrency", str(concurrency), "--queues", queues]
    serve("sync_workers.worker.app", ["worker", *options], config, restart=restart)


def beat(config: ConfigOption = None, restart: RestartOption = True) -> None:
    """Start the clock: it emits the jobs of all tasks that have an interval or a crontab."""
    serve("beat_schedule.app", ["beat"], config, restart=restart)


def serve(
    app: str,
    command: list[str],
    config: Path | None,
    *,
    restart: bool,
    environment: Callable[[], Mapping[str, str]] = dict,
) -> None:
    """Run a command of Celery in a process of its own, where Redis answers.

    `environment` is for that process alone, and asked when all is well.
    """
    from sync_workers.redis.connect import check, connect
    from sync_workers.settings import load_settings, variable
    from sync_workers.worker.supervise import supervise

    settings = load_settings()
    client = connect(settings.redis_url)
    try:
        check(client)  # Celery and Flower would go on and fill the log with what one line says
    finally:
        client.close()
    env = {**os.environ, **environment()}
    if config is not None:
        env[variable("config")] = str(config.resolve())
    log_level = [] if command[0] == "flower" else ["--loglevel", settings.log_level.value]
    whole = [sys.executable, "-m", "celery", "-A", app, *command, *log_level]
    raise typer.Exit(supervise(whole, env, restart=restart))


def again(command: str, host: str, port: int) -> NoReturn:
    """Run a command of ours that listens in a process of its own, which is started again when it ends."""
    from sync_workers.worker.supervise import supervise

    whole = [sys.executable, "-m", "sync_workers", command, "--host", host, "--port", str(port)]
    raise typer.Exit(supervise([*whole, "--no-restart"], dict(os.environ)))
