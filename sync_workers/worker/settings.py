"""What Celery is told, each setting with its reason. The outages named here were tried, not imagined."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from sync_workers.errors import SettingsError
from sync_workers.redis.connect import CLUSTER, OPTIONS, SOCKET_TIMEOUT
from sync_workers.redis.keys import CELERY, QUEUES_OF
from sync_workers.settings import Settings
from sync_workers.worker.queues import ENQUEUE, GET, PHASES, URGENT, Turns, queues

SOFT_LIMIT, HARD_LIMIT = 0.8, 0.9
"""Shares of `Settings.redelivery`. A phase that worked longer would be delivered a second time meanwhile.
`apply` never meets them: it works in slices (`Settings.slice`)."""

OUTAGE = timedelta(seconds=60)
"""How long publishing and storing results try again. With the defaults a Redis that was away for 8 s at the
end of a phase cost the chain its next step; with this 25 s were carried through in every trial."""


SILENCE = {
    getattr(socket, name): number
    for name, number in {
        "TCP_KEEPIDLE": 5,
        "TCP_KEEPINTVL": 2,
        "TCP_KEEPCNT": 3,
        "TCP_USER_TIMEOUT": int(SOCKET_TIMEOUT.total_seconds() * 1000),
    }.items()
    if hasattr(socket, name)
}
"""After about 10 s without an answer the kernel gives a connection to the broker up (tcp(7)).

A worker waits for messages without a time limit of its own. What it sent into a hole is sent again ever less
often: after one of 34 s it was deaf for 21 s more, with this for 1 s."""


def celery_settings(settings: Settings) -> dict[str, Any]:
    """Celery's configuration.

    Raises:
        SettingsError: the broker is a Redis Cluster, on which Celery's transport does not work.
    """
    url, options = celery_url(settings.broker)
    return {
        "broker_url": url,
        "result_backend": url,
        **_connections(options, settings.redelivery),
        **_delivery(settings.redelivery),
        **_content(),
        **_watching(),
    }


def _connections(options: dict[str, Any], redelivery: timedelta) -> dict[str, Any]:
    # One try a second.
    tries = {
        "interval_start": 0,
        "interval_step": 1,
        "interval_max": 1,
        "max_retries": int(OUTAGE.total_seconds()),
    }
    return {
        # A worker that comes up before Redis waits for it.
        "broker_connection_retry_on_startup": True,
        # ... and one that lost it never gives up.
        "broker_connection_max_retries": None,
        "broker_transport_options": {
            "visibility_timeout": int(redelivery.total_seconds()),
            # Two Celery apps in one database would restore each other's messages by their own timeouts.
            "global_keyprefix": CELERY,
            # Urgent messages first, then every queue in turn.
            "queue_order_strategy": f"{Turns.__module__}:{Turns.__name__}",
            # Which queue it waits in says how urgent a message is; kombu would ask for four lists of each.
            "priority_steps": [0],
            # After a hole in the network of 20 s a worker without these stayed deaf for minutes.
            **OPTIONS,
            "socket_keepalive_options": SILENCE,
            **options,
        },
        "result_backend_transport_options": {
            "retry_policy": tries,
            "global_keyprefix": CELERY,
            **options,
        },
        "redis_socket_timeout": OPTIONS["socket_timeout"],
        "redis_socket_connect_timeout": OPTIONS["socket_connect_timeout"],
        "redis_socket_keepalive": OPTIONS["socket_keepalive"],
        "redis_backend_health_check_interval": OPTIONS["health_check_interval"],
        "redis_retry_on_timeout": True,
        "task_publish_retry_policy": tries,
    }


def _delivery(redelivery: timedelta) -> dict[str, Any]:
    return {
        # A message is done when its phase is done: a killed worker's phase comes again.
        "task_acks_late": True,
        # Without this a killed pool child counts as an answer and the chain is lost.
        "task_reject_on_worker_lost": True,
        # Phases are long: a busy worker holds none that an idle one could take.
        "worker_prefetch_multiplier": 1,
        # A lost connection delivers the running phase once more. Killing it would cut a write in two; it is
        # refused at its next step instead, because the newer attempt has a higher number.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "task_soft_time_limit": redelivery.total_seconds() * SOFT_LIMIT,
        "task_time_limit": redelivery.total_seconds() * HARD_LIMIT,
        # A child that grew over a large snapshot (in KiB) is replaced when its phase has ended.
        "worker_max_memory_per_child": 512 * 1024,
        # Each phase has its own queues, so that workers for one of them can be added: `worker -Q sync.get`.
        "task_queues": queues(),
        "task_routes": {phase: {"queue": phase} for phase in PHASES} | {ENQUEUE: {"queue": GET + URGENT}},
        "task_default_queue": GET,
        "task_default_exchange": QUEUES_OF,
    }


def _content() -> dict[str, Any]:
    return {
        # Names and ids only, readable by anyone; never pickle, which runs code.
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        "accept_content": ["json"],
        # Results are for Flower and people; what is to last stands in our own reports.
        "result_expires": timedelta(hours=1),
        "timezone": "UTC",
        "enable_utc": True,
    }


def _watching() -> dict[str, Any]:
    return {
        # Flower lives on events, and shows a phase from when it was sent.
        "worker_send_task_events": True,
        "task_send_sent_event": True,
        "task_track_started": True,
    }


def celery_url(url: str) -> tuple[str, dict[str, Any]]:
    """Our form of a Redis URL as Celery's, with the transport options that belong to it.

    Raises:
        SettingsError: it is a Redis Cluster.
    """
    parts = urlsplit(url)
    if parts.scheme == CLUSTER:
        raise SettingsError(
            "Celery's messages cannot go through a Redis Cluster: set SYNC_WORKERS_BROKER_URL to a plain "
            "Redis or one behind Sentinel; state and leases stay on the cluster"
        )
    if parts.scheme == "rediss":
        # Celery wants it said that certificates are checked; redis-py does it anyway.
        told = "" if "ssl_cert_reqs=" in parts.query else "ssl_cert_reqs=required"
        return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, told))))), {}
    if parts.scheme == "unix":
        return f"redis+socket://{parts.netloc}{parts.path}{'?' + parts.query if parts.query else ''}", {}
    if parts.scheme != "sentinel":
        return url, {}
    credentials, at, hosts = parts.netloc.rpartition("@")
    nodes = ";".join(f"sentinel://{credentials}{at}{host}{parts.path or '/0'}" for host in hosts.split(","))
    return nodes, {"master_name": parse_qs(parts.query).get("master", ["mymaster"])[0]}
