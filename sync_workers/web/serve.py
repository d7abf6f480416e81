"""The receiver as a process: until it is told to stop."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Mapping
from contextlib import closing, suppress
from types import FrameType
from typing import TYPE_CHECKING

from sync_workers.config import load_for
from sync_workers.config.watch import Watch
from sync_workers.errors import MissingExtraError, SettingsError
from sync_workers.logs import set_up
from sync_workers.redis.connect import Client, check, connect
from sync_workers.settings import Settings
from sync_workers.web.bots import Bots
from sync_workers.web.connections import Concerned, Connection, connections_of
from sync_workers.web.firing import Firing
from sync_workers.web.following import Following
from sync_workers.web.receiving import Receiver
from sync_workers.worker.enqueue import start
from sync_workers.worker.presence import Noting

if TYPE_CHECKING:
    import uvicorn

_log = logging.getLogger(__name__)

MOST_AT_ONCE = 200
"""Requests; more are answered by 503, and come again."""


def serve(settings: Settings, host: str, port: int) -> None:
    """Receive webhook events until SIGTERM or SIGINT.

    Raises:
        MissingExtraError: Starlette and uvicorn are not installed.
        SettingsError: the task file has no connection to Notion, or the port cannot be had.
        StateError: Redis does not answer.
    """
    watch = Watch(settings.config)
    watch.take()
    connections = connections_of(load_for(settings))
    set_up(settings.log_level.value, settings.log_format)
    with closing(connect(settings.redis_url)) as client:
        check(client)
        bots = Bots(client, connections.values())
        bots.learn()
        firing = Firing(client, _tasks(connections), bots, start)
        server = _make_server(client, connections, bots, firing)

        def take_up(found: Mapping[str, Connection]) -> None:
            firing.take_up(_tasks(found))
            bots.take_up(found.values())
            for name in {*connections, *found}:  # the receiver looks into this one
                if name in found:
                    connections[name] = found[name]
                else:
                    del connections[name]

        signal.signal(signal.SIGTERM, _end)
        with _bind(host, port) as bound, suppress(KeyboardInterrupt):  # raised again by uvicorn at its end
            where = "http://{}:{}".format(*bound.getsockname()[:2])
            for connection in connections.values():
                _tell(connection, where)
            noting = Noting("web", where, Following(settings, watch, take_up).look)
            noting.start()
            try:
                server.run(sockets=[bound])
            finally:
                noting.stop()


def _tasks(connections: Mapping[str, Connection]) -> list[Concerned]:
    """All tasks once, also those with both sides on connections to Notion."""
    found = {task.name: task for connection in connections.values() for task in connection.tasks}
    return list(found.values())


def _tell(connection: Connection, where: str) -> None:
    """Where its events come in; without its token none is taken yet, but a handshake may bring one."""
    _log.info("connection %s: events at %s%s", connection.name, where, connection.path)
    try:
        if connection.settings.webhook_token is not None:
            connection.settings.webhook_token.reveal()
    except SettingsError as error:
        _log.warning("connection %s: its events cannot be taken yet: %s", connection.name, error)


def _make_server(
    client: Client, connections: Mapping[str, Connection], bots: Bots, firing: Firing
) -> uvicorn.Server:
    try:
        import uvicorn

        from sync_workers.web.app import make_app
    except ImportError as error:
        raise MissingExtraError("The webhook receiver", "web") from error
    app = make_app(client, Receiver(client, connections, bots, firing.wake), firing)
    config = uvicorn.Config(
        app, http="h11", ws="none", lifespan="on", log_config=None, access_log=False, server_header=False,
        proxy_headers=False, limit_concurrency=MOST_AT_ONCE, timeout_graceful_shutdown=10,
    )  # fmt: skip
    return uvicorn.Server(config)


def _bind(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=_family(host))
    except OSError as error:
        msg = f"cannot listen on {host}:{port} ({error.strerror}): choose another --host or --port"
        raise SettingsError(msg) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _end(_number: int, _frame: FrameType | None) -> None:
    """What SIGTERM does when uvicorn has stopped and raises it again: the end was asked for."""
    raise SystemExit(0)
