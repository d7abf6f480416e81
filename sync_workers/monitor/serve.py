"""The process: pages over HTTP until it is told to end."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import closing

from sync_workers.errors import StateError
from sync_workers.health.server import UNAVAILABLE, Page, Pages, Server
from sync_workers.logs import set_up
from sync_workers.monitor.alerting import Alerting
from sync_workers.monitor.collector import KIND, exposition
from sync_workers.monitor.scale import scale
from sync_workers.monitor.view import View, look, look_at_work
from sync_workers.redis.connect import Client, check, connect
from sync_workers.settings import Settings
from sync_workers.worker.presence import Noting
from sync_workers.worker.process import here, this_process
from sync_workers.worker.queues import queues

_log = logging.getLogger(__name__)


def serve(settings: Settings, host: str, port: int) -> None:
    """Show what Redis says until SIGTERM or SIGINT.

    Raises:
        SettingsError: the task file is wrong, or the port cannot be had.
        StateError: Redis does not answer.
    """
    set_up(settings.log_level.value, settings.log_format)
    this_process()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    with closing(connect(settings.redis_url)) as client, closing(connect(settings.broker)) as broker:
        check(client)
        name = f"{socket.gethostname()}:{port}"
        alerting = Alerting(client, lambda: seen(client, broker), lambda: here().alerts, name)
        alerting.start()
        with Server(host, port, pages(client, broker, lambda: alerting.is_alive)) as server:
            _log.info("metrics at http://%s:%d/metrics", host, server.port)
            noting = Noting("monitor", name)
            noting.start()
            ended.wait()
            noting.stop()
        alerting.stop()


def seen(client: Client, broker: Client, look: Callable[..., View] = look) -> View:
    """What Redis says now of the tasks of the task file as it is now."""
    tasks = this_process().tasks
    tenants = (task.sync_tenant for task in tasks.values())
    return look(tasks, client, broker, [queue.name for queue in queues(tenants)])


def pages(client: Client, broker: Client, is_alive: Callable[[], bool] = lambda: True) -> Pages:
    """What the monitor answers; a Redis that is away is told by 503."""

    def health() -> Page:
        return Page("ok\n") if is_alive() else Page("it looks no more\n", UNAVAILABLE)

    def metrics() -> Page:
        try:
            return Page(exposition(seen(client, broker)) + REDIS_UP.format(1), kind=KIND)
        except StateError as error:  # that it is away is worth more than a failed scrape
            _log.warning("%s", error)
            return Page(REDIS_UP.format(0), kind=KIND)

    def ready() -> Page:
        check(client)
        check(broker)
        return Page("ok\n")

    return {
        "/metrics": metrics,
        "/scale": lambda: Page.of(scale(seen(client, broker, look_at_work))),
        "/healthz": health,
        "/readyz": ready,
    }


REDIS_UP = (
    "# HELP sync_workers_redis_up Whether Redis answers; while it does not, there is nothing else to tell.\n"
    "# TYPE sync_workers_redis_up gauge\nsync_workers_redis_up {}\n"
)
