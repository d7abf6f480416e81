"""The health pages of a worker and of beat.

    /healthz   it lives: its loop turns, and a worker with a free slot is answered by the broker
    /readyz    it can work now: that, within half a minute, and Redis and the broker answer

A process that only looks alive is the worst: after a hole in the network of 20 s a worker was seen that
waited for minutes on a dead connection. So what counts is that messages could come. Nobody busy is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

from celery import bootsteps

from sync_workers.errors import RedisUnreachableError, StateError
from sync_workers.health.proof import LIVES, READY, Proof
from sync_workers.health.server import Page, Pages, Server
from sync_workers.redis.connect import HEALTH_CHECK, check, connect
from sync_workers.settings import Settings, load_settings
from sync_workers.worker.process import here
from sync_workers.worker.repeated import Repeated
from sync_workers.worker.start import or_end


@contextmanager
def serving(settings: Settings, proof: Proof) -> Iterator[int | None]:
    """Inside, the pages are served where the settings say; gives the port.

    Raises:
        SettingsError: the port cannot be had.
    """
    if settings.health is None:
        yield None
        return
    host, _, port = settings.health.rpartition(":")
    with Server(host.strip("[]"), int(port), pages(settings, proof)) as server:
        yield server.port


def pages(settings: Settings, proof: Proof, lives: timedelta = LIVES) -> Pages:
    """The pages of one process."""

    def health() -> Page:
        # While Redis is away no process can prove anything, and a restart would help none of them.
        is_well = proof.holds(lives) or not _answers(settings)
        return Page.of(proof.told(), is_well=is_well)

    def ready() -> Page:
        reached = _answers(settings)
        told = proof.told() | {"redis_answers": reached, "task_file_problem": here().problem}
        return Page.of(told, is_well=reached and proof.holds(READY))

    return {"/healthz": health, "/readyz": ready}


def _answers(settings: Settings) -> bool:
    """Whether both Redis answer on connections of their own: those in use may be the broken ones."""
    try:
        for url in {settings.redis_url, settings.broker}:
            with closing(connect(url)) as client:
                check(client)
    except RedisUnreachableError:
        return False
    except StateError:  # it answers that it is full, or that it does not know us
        return True
    return True


class Served(bootsteps.StartStopStep):  # type: ignore[misc] # Celery has no types
    """Serves the pages of this worker."""

    def __init__(self, worker: Any, **options: Any) -> None:
        worker.proof = Proof()
        self._serving = serving(load_settings(), worker.proof)
        super().__init__(worker, **options)

    def start(self, _worker: Any) -> None:
        with or_end():
            self._serving.__enter__()

    def stop(self, _worker: Any) -> None:
        self._serving.__exit__(None, None, None)

    terminate = stop


class Turning(Repeated):
    """Notes that the consumer's loop turns and that the broker answers."""

    every = timedelta(seconds=2)

    def act(self, consumer: Any) -> None:
        channel = consumer.task_consumer.channel
        # redis-py notes when the next look at a connection is due, counted from the last answer over it.
        answered = channel.client.connection.next_health_check - HEALTH_CHECK.total_seconds()
        proof: Proof = consumer.controller.proof
        proof.turn(answered, is_full=not channel.qos.can_consume())
