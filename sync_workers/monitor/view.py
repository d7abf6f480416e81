"""`View`: what Redis says now about tasks, queues, calls and processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sync_workers.errors import RedisUnreachableError, SettingsError, StateError
from sync_workers.redis.beat import Leader, leader
from sync_workers.redis.budget import Usage, usage
from sync_workers.redis.connect import Client
from sync_workers.redis.pauses import By, pause_of_connections
from sync_workers.redis.presence import ProcessInfo, processes
from sync_workers.redis.queues import Taken, Waiting, bound_queues, taken, waiting
from sync_workers.redis.totals import Totals, totals_of
from sync_workers.registry import connections
from sync_workers.runs.task import Task
from sync_workers.schedule import Schedule
from sync_workers.services import Counted
from sync_workers.services.budget import Account


@dataclass(frozen=True, slots=True)
class Calls:
    """How it stands with the calls of a connection."""

    account: Account
    usage: Usage

    @property
    def headroom(self) -> float:
        """Which share of the calls of a window may still be made: 0 to 1; 0 while it is paused."""
        if self.usage.paused_until is not None:
            return 0.0
        return max(1 - self.usage.calls / self.account.limit, 0.0)


@dataclass(frozen=True, slots=True)
class View:
    """What Redis said at one moment; each by its name.

    Attributes:
        calls: by connection.
        memory: of the Redis with the state: bytes in use, and the most it may use or 0.
        leader: the beat that ticks.
    """

    tasks: Mapping[str, Totals] = field(default_factory=dict)
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    waiting: Mapping[str, Waiting] = field(default_factory=dict)
    taken: Mapping[str, Taken] = field(default_factory=dict)
    calls: Mapping[str, Calls] = field(default_factory=dict)
    processes: tuple[ProcessInfo, ...] = ()
    leader: Leader | None = None
    memory: tuple[int, int] = (0, 0)

    @property
    def task_files(self) -> int:
        """How many different task files workers and beats go by."""
        return len({one.fingerprint for one in self.processes if one.kind in {"worker", "beat"}})

    @property
    def refused(self) -> int:
        """For how many processes the new task file is wrong."""
        return sum(bool(one.problem) for one in self.processes)


def look(tasks: Mapping[str, Task], client: Client, broker: Client, queues: list[str]) -> View:
    """What Redis says now; `queues` are those to be told even where nothing was ever sent to them.

    Raises:
        StateError: Redis or the broker does not answer.
    """
    return replace(
        look_at_work(tasks, client, broker, queues),
        tasks=_with_connections(tasks, totals_of(client, tasks), client),
        schedules={name: task.sync_timing for name, task in tasks.items()},
        processes=tuple(processes(client)),
        leader=leader(client),
        memory=_memory(client),
    )


def look_at_work(tasks: Mapping[str, Task], client: Client, broker: Client, queues: list[str]) -> View:
    """Only what waits and what calls are left, as autoscalers ask for it every few seconds; as `look`."""
    names = sorted({*queues, *bound_queues(broker)})
    return View(waiting=waiting(broker, names), taken=taken(broker), calls=_calls(tasks, client))


def _with_connections(
    tasks: Mapping[str, Task], found: Mapping[str, Totals], client: Client
) -> dict[str, Totals]:
    """The totals; a task is paused with a connection that it uses: it does not run then, and is not late."""
    names = {name for task in tasks.values() for name in task.sync_connections}
    paused = {name for name in names if pause_of_connections(client, [name]) is not None}
    by = {
        name: By.PERSON.value for name, task in tasks.items() if not paused.isdisjoint(task.sync_connections)
    }
    return {name: replace(one, paused=one.paused or by.get(name, "")) for name, one in found.items()}


def _memory(client: Client) -> tuple[int, int]:
    """Of all nodes where it is a cluster; nothing where asking is forbidden."""
    try:
        told = client.ask("INFO", "memory")
    except RedisUnreachableError:
        raise
    except StateError:
        return 0, 0
    nodes = list(told.values()) if all(isinstance(part, dict) for part in told.values()) else [told]
    return sum(int(node["used_memory"]) for node in nodes), sum(int(node["maxmemory"]) for node in nodes)


def _calls(tasks: Mapping[str, Task], client: Client) -> dict[str, Calls]:
    found = {}
    for name, connection in connections(tasks.values()).items():
        if not isinstance(connection.settings, Counted):
            continue
        try:
            account = connection.settings.account()
        except SettingsError:  # its secret is not known to this process: whoever uses it tells
            continue
        if account is not None:
            found[name] = Calls(account, usage(client, account))
    return found
