"""The queues of the phases, and in which order a worker asks them.

    sync.get          what beat wants        sync.get@acme          the same of the tenant acme
    sync.get.urgent   what a person wants    sync.get.urgent@acme

Likewise for `sync.diff` and `sync.apply`. A run keeps its class and tenant in all its phases. A worker takes
urgent messages first, and within a class from each queue in turn: so a task with a million records, which
comes back as one message after each slice, holds up nobody for longer than a slice, and a tenant with a
thousand tasks takes turns with one that has a single task.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from celery.app.amqp import AMQP
from kombu import Exchange, Queue

from sync_workers.redis.keys import QUEUES_OF
from sync_workers.report import Trigger
from sync_workers.runs.task import Task

GET, DIFF, APPLY = "sync.get", "sync.diff", "sync.apply"
PHASES = (GET, DIFF, APPLY)
"""The phases in their order; each is the name of a Celery task and of its plain queue."""

ENQUEUE = "sync.enqueue"
"""The Celery task that starts a run, for those who can only send such a thing, as Flower's API."""

URGENT = ".urgent"

MOST_URGENT = 9
"""After so many urgent messages in a row a plain one goes first, so that ticks never wait for ever. The
budget of calls lets as many go before."""

EXCHANGE = Exchange(QUEUES_OF)
"""One for all queues: Redis then remembers under one key which ones there are."""


class Routing(AMQP):  # type: ignore[misc] # Celery has no types
    """Celery's part that makes the queues of tenants when a message goes there first."""

    @staticmethod
    def autoexchange(_name: str) -> Exchange:
        """The exchange of a queue that is not configured."""
        return EXCHANGE


def queue_name(phase: str, trigger: Trigger, tenant: str = "") -> str:
    """Where the message of a phase waits."""
    return _name(phase, tenant, is_urgent=trigger.is_urgent)


def _name(phase: str, tenant: str, *, is_urgent: bool) -> str:
    return phase + (URGENT if is_urgent else "") + (f"@{tenant}" if tenant else "")


def queues(tenants: Iterable[str] = ()) -> list[Queue]:
    """All queues of these tenants, besides those of the tasks that have none."""
    return [
        queue(_name(phase, tenant, is_urgent=is_urgent))
        for tenant in dict.fromkeys(["", *tenants])
        for phase in PHASES
        for is_urgent in (False, True)
    ]


def queue(name: str) -> Queue:
    """The queue of that name."""
    return Queue(name, EXCHANGE, routing_key=name)


def followed(chosen: Iterable[str], tenants: Iterable[str], bound: Iterable[str]) -> list[Queue]:
    """The queues that a worker takes messages from which was started with `--queues` of these names.

    The name of a phase stands for all queues of it: urgent ones, those of all tenants, and those that still
    hold messages of a tenant that no task names any more (`bound` are all that messages were ever sent to).
    """
    chosen = list(chosen)
    known = {each.name: each for each in queues(tenants)}
    known |= {name: queue(name) for name in bound if phase_of(name) in PHASES}
    return [each for name, each in sorted(known.items()) if name in chosen or phase_of(name) in chosen]


def add_queues(worker: Any, tasks: Mapping[str, Task], bound: Iterable[str] = ()) -> list[str]:
    """Let a worker follow the queues of these tasks; gives the names of those that it did not before.

    `worker.chosen_queues` are those it was started with.
    """
    known, tenants = worker.app.amqp.queues, (task.sync_tenant for task in tasks.values())
    wanted = followed(worker.chosen_queues, tenants, bound)
    new = [each for each in wanted if each.name not in known.consume_from]
    for each in new:
        known.select_add(each)
    return [each.name for each in new]


def phase_of(name: str) -> str:
    """The phase whose messages wait in a queue, such as `sync.get` for `sync.get.urgent@acme`."""
    return name.partition("@")[0].removesuffix(URGENT)


class Turns:
    """The order in which a worker asks its queues; kombu makes one for each of its channels.

    Known to kombu as a `queue_order_strategy`: `update` tells which queues there are, `consume` gives the
    order of the next question, `rotate` tells which queue answered it.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        self._urgent_in_a_row = 0

    def update(self, names: Iterable[str]) -> None:
        """These are the queues from now on; those that are known keep their place."""
        wanted = set(names)
        known = [name for name in self._names if name in wanted]
        self._names = known + sorted(wanted - set(known))

    def consume(self, number: int) -> list[str]:
        """All queues, the first to be asked first."""
        urgent_first = self._urgent_in_a_row < MOST_URGENT
        return sorted(self._names, key=lambda name: _is_urgent(name) != urgent_first)[:number]

    def rotate(self, last: str) -> str:
        """That queue had a message: in its class it is the last one now."""
        self._urgent_in_a_row = self._urgent_in_a_row + 1 if _is_urgent(last) else 0
        if last in self._names:
            self._names.remove(last)
            self._names.append(last)
        return last


def _is_urgent(name: str) -> bool:
    return name.partition("@")[0].endswith(URGENT)
