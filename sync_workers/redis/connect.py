"""From a URL to a client: how Redis is reached, and which of its errors mean what to us.

Above this package nobody knows redis-py: its errors are translated here, in one place.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from redis import Redis
from redis.cluster import RedisCluster
from redis.commands.core import Script
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004 - redis-py's name; only the except below uses it
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    TimeoutError,  # noqa: A004 - likewise
)
from redis.sentinel import MasterNotFoundError, Sentinel

from sync_workers.errors import RedisUnreachableError, SettingsError, StateError
from sync_workers.redis import scripts

SOCKET_TIMEOUT = timedelta(seconds=10)
"""Longer than any command of ours takes, and short enough that dropped packets are noticed: without
it a process stayed deaf for minutes after a hole in the network of 20 s."""
CONNECT_TIMEOUT = timedelta(seconds=5)
HEALTH_CHECK = timedelta(seconds=5)
"""A connection that was idle for longer is asked before it is used, so that a dead one is replaced."""

OPTIONS: dict[str, Any] = {
    "socket_timeout": SOCKET_TIMEOUT.total_seconds(),
    "socket_connect_timeout": CONNECT_TIMEOUT.total_seconds(),
    "socket_keepalive": True,
    "health_check_interval": int(HEALTH_CHECK.total_seconds()),
}
"""What every connection to Redis gets, those of Celery's broker and result backend too."""

AT_ONCE = 100
"""So many scripts go in one round trip: between them other clients get their turn."""

CLUSTER = "redis+cluster"
REMEDY = "Start Redis, or set SYNC_WORKERS_REDIS_URL to one that runs; 'sync-workers demo' brings its own"


class Client:
    """Redis, spoken to in commands and scripts; shared by the threads of a process.

    Attributes:
        place: where it is, without user and password.
        patience: how long a command is sent again while nobody answers. All of ours may be sent twice.
    """

    def __init__(self, client: Any, place: str, patience: timedelta = timedelta(0)) -> None:
        self.place = place
        self.patience = patience
        self._client = client
        self._scripts: dict[str, Script] = {}

    def ask(self, *command: str | bytes | int) -> Any:
        """Send one command; answers come as bytes.

        Raises:
            RedisUnreachableError: it does not answer.
            StateError: it refuses; the message names the remedy.
        """
        return self._patiently(lambda: self._client.execute_command(*command))

    def run(self, script: str, keys: Sequence[str], args: Sequence[str | bytes | int]) -> Any:
        """Run one of the scripts of `sync_workers.redis.scripts` by name; raises as `ask`."""
        found = self._script(script)
        return self._patiently(lambda: found(keys=keys, args=args))

    def run_each(self, script: str, each: Sequence[Sequence[str]]) -> list[Any]:
        """Run a script on several sets of keys, many in one round trip; raises as `ask`."""
        if isinstance(self._client, RedisCluster):  # its pipelines take no scripts
            return [self.run(script, keys, ()) for keys in each]
        parts = (each[at : at + AT_ONCE] for at in range(0, len(each), AT_ONCE))
        return [answer for part in parts for answer in self._patiently(partial(self._sent, script, part))]

    def _sent(self, script: str, each: Sequence[Sequence[str]]) -> Any:
        with self._client.pipeline(transaction=False) as pipeline:
            for keys in each:
                self._script(script)(keys=keys, client=pipeline)
            return pipeline.execute()

    def _script(self, name: str) -> Script:
        if name not in self._scripts:
            self._scripts[name] = self._client.register_script(scripts.source(name))
        return self._scripts[name]

    def close(self) -> None:
        """Give back the connections; calling it twice is fine."""
        self._client.close()

    def _patiently(self, send: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + self.patience.total_seconds()
        pause = 0.1
        while True:
            try:
                with self._translated():
                    return send()
            except RedisUnreachableError:
                if time.monotonic() + pause > deadline:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 2.0)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (AuthenticationError, NoPermissionError) as error:
            raise StateError(
                f"Redis at {self.place} refuses these credentials: "
                "set user and password in SYNC_WORKERS_REDIS_URL"
            ) from error
        except (ConnectionError, TimeoutError, MasterNotFoundError, OSError) as error:
            if (why := _tls(error)) is not None:
                raise RedisUnreachableError(
                    f"Redis at {self.place} and this process do not trust each other ({why}): name its "
                    "authority by ?ssl_ca_certs=FILE in SYNC_WORKERS_REDIS_URL, and the host as its "
                    "certificate does"
                ) from error
            raise RedisUnreachableError(f"Redis at {self.place} does not answer. {REMEDY}") from error
        except OutOfMemoryError as error:
            raise StateError(
                f"Redis at {self.place} is full: raise its maxmemory; never let it evict keys"
            ) from error
        except ReadOnlyError as error:
            raise StateError(
                f"Redis at {self.place} is a replica: "
                "point SYNC_WORKERS_REDIS_URL at the primary, or use sentinel://"
            ) from error
        except (RedisError, RedisClusterException) as error:
            raise StateError(f"Redis at {self.place} refused a command: {type(error).__name__}") from error


def _tls(error: BaseException) -> str | None:
    """What is wrong with TLS, where it is that."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return getattr(cause, "verify_message", "") or cause.reason or "TLS"
        cause = cause.__cause__ or cause.__context__
    return None


def connect(url: str, patience: timedelta = timedelta(0)) -> Client:
    """A client for `redis://`, `rediss://`, `unix://`, `sentinel://` or `redis+cluster://`.

    Nothing is sent yet, except that a cluster is asked for its nodes; `check` asks whether somebody answers.
    `sentinel://[:password@]host:port,host:port/db?master=name` asks the sentinels for the primary.

    Raises:
        SettingsError: the URL cannot be understood.
        RedisUnreachableError: the cluster does not answer.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme == "sentinel":
            return Client(_behind_sentinel(url), place(url), patience)
        if parts.scheme == CLUSTER:
            return Client(_cluster(url), place(url), patience)
        return Client(Redis.from_url(url, **OPTIONS), place(url), patience)
    except RedisClusterException as error:
        raise RedisUnreachableError(f"Redis at {place(url)} does not answer. {REMEDY}") from error
    except ValueError as error:
        raise SettingsError(
            f"the Redis URL for {place(url)} cannot be understood: write redis://host:port/0, rediss://..., "
            "unix:///path, sentinel://host:port,host:port/0?master=name or redis+cluster://host:port"
        ) from error


def place(url: str) -> str:
    """Where a URL points, without user and password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path or "nowhere"


def check(client: Client) -> None:
    """Ask whether Redis answers.

    Raises:
        StateError: it does not, or refuses.
    """
    client.ask("PING")


def warnings(client: Client) -> list[str]:
    """What about this Redis would lose data one day: a line with the remedy for each."""
    found = []
    policy = _setting(client, "maxmemory-policy", "maxmemory_policy")
    if policy not in {None, "noeviction"}:
        found.append(
            f"Redis at {client.place} throws keys away when it is full (maxmemory-policy {policy}): "
            "CONFIG SET maxmemory-policy noeviction, and the same in its configuration"
        )
    if _setting(client, "appendonly", "aof_enabled") in {"no", "0"}:
        found.append(
            f"Redis at {client.place} forgets the last writes in a crash (appendonly no): "
            "CONFIG SET appendonly yes, and the same in its configuration"
        )
    return found


def _setting(client: Client, setting: str, info: str) -> str | None:
    """One setting; a managed Redis that forbids CONFIG shows it in INFO, or nobody knows it."""
    try:
        return str(client.ask("CONFIG GET", setting)[setting])
    except RedisUnreachableError:
        raise
    except (StateError, KeyError):
        pass
    try:
        return str(client.ask("INFO")[info])
    except RedisUnreachableError:
        raise
    except (StateError, KeyError):
        return None


def _behind_sentinel(url: str) -> Any:
    parts = urlsplit(url)
    credentials, _, hosts = parts.netloc.rpartition("@")
    user, _, password = credentials.partition(":")
    name = parse_qs(parts.query).get("master", ["mymaster"])[0]
    sentinels = [_address(host) for host in hosts.split(",")]
    options = OPTIONS | {"db": int(parts.path.strip("/") or 0)}
    if credentials:
        options |= {"username": unquote(user) or None, "password": unquote(password)}
    # Sentinel's annotations are missing, hence the cast through Any.
    sentinel: Any = Sentinel
    return sentinel(sentinels, **options).master_for(name)


def _address(host: str) -> tuple[str, int]:
    name, _, port = host.rpartition(":") if ":" in host else (host, "", "26379")
    return name, int(port)


def _cluster(url: str) -> Any:
    cluster: Any = RedisCluster
    return cluster.from_url("redis" + url.removeprefix(CLUSTER), **OPTIONS)
