"""A world whose state lies in a real Redis, with the phases of a worker that can die at every step in it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sync_workers.engine.rules import Rules
from sync_workers.model import NOTHING, Pair, Part, Plan
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease, Taken
from sync_workers.redis.runs_store import new_run_id
from sync_workers.redis.state_store import RedisStore, load
from sync_workers.report import Report, Trigger
from sync_workers.runs.apply import Application
from sync_workers.schedule import Schedule
from sync_workers.services.base import Service
from sync_workers.services.budget import Budget
from sync_workers.worker import phases
from sync_workers.worker.delivery import Delivery, Done
from sync_workers.worker.process import Process
from tests.conftest import remove_task
from tests.runs.crashing import Places, StoppedHereError, World

WRITING = {"SET", "DEL", "HSET", "HDEL"}


class StoppableClient(Client):
    """A client in whose process one can die right before and right after everything that changes Redis."""

    def __init__(self, real: Client, places: Places) -> None:
        super().__init__(None, real.place)
        self.real = real
        self.places = places

    def ask(self, *command: str | bytes | int) -> Any:
        if command[0] not in WRITING:
            return self.real.ask(*command)
        self.places.stop()
        answer = self.real.ask(*command)
        self.places.stop()
        return answer

    def run(self, script: str, keys: Sequence[str], args: Sequence[str | bytes | int]) -> Any:
        self.places.stop()
        answer = self.real.run(script, keys, args)
        self.places.stop()
        return answer


@dataclass
class MemoryTask:
    """A task over the two memory services of a world, as workers know one."""

    world: World
    name: str
    places: Places = field(default_factory=Places)
    sync_timing: Schedule = Schedule()
    sync_connections: tuple[str, ...] = ()
    sync_tenant: str = ""
    sync_setup: str = ""
    keeps_to_plan: bool = True

    def __post_init__(self) -> None:
        self.report = Report(self.name)

    @property
    def sync_rules(self) -> Rules:
        return self.world.rules

    @contextmanager
    def sync_services(
        self, _budget: Budget | None = None, _known: Mapping[str, str] = NOTHING, /
    ) -> Iterator[Pair[Service]]:
        yield self.world.services(self.places)

    def carry_out(self, application: Application) -> None:
        self.world.conflicts.extend(application.report.conflicts)
        for part in Part:
            application.run(part)


@dataclass
class StoredWorld:
    """A world in memory, with all that its task keeps in Redis."""

    client: Client
    world: World
    name: str = field(default_factory=lambda: f"crash-{secrets.token_hex(6)}")
    places: int = 0

    def __post_init__(self) -> None:
        """Put the state into Redis as an earlier run left it."""
        if self.world.state is not None:
            lease = Lease(self.client, self.name, new_run_id())
            taken = lease.take(Trigger.LOCAL, first=True)
            assert isinstance(taken, Taken)
            RedisStore(self.client, self.name, lease.run, taken.fence).replace(self.world.state)
            lease.end(Report(self.name).summary())

    def run(self, chosen: int | None = None, *, redelivered: bool = False) -> Done | None:
        """One run, which dies at the chosen place; another attempt goes on if its message comes again."""
        places = Places(chosen)
        task = MemoryTask(self.world, self.name, places)
        process = Process(StoppableClient(self.client, places), {self.name: task})
        delivery = Delivery(self.name, new_run_id(), Trigger.AD_HOC)
        done = None
        for phase in (phases.get, phases.diff, phases.apply):
            try:
                done = phase(delivery, process)
            except StoppedHereError:
                if not redelivered:
                    raise
                done = phase(delivery, process)
            finally:
                self.places = places.passed
            if not done.goes_on:
                break
        return done

    def outlive_the_lease(self) -> None:
        """Whoever died does not renew the lease any more: Redis removes it in the end."""
        self.client.ask("DEL", Keys(self.name).lease)

    def crash(self, place: int, *, redelivered: bool) -> None:
        with suppress(StoppedHereError):
            self.run(place, redelivered=redelivered)
        self.outlive_the_lease()

    def settle(self) -> Plan:
        """Run until a plan is empty, and return that one."""
        for _ in range(6):
            done = self.run()
            assert done is not None
            assert not done.failure, done.failure
            if done.shown["planned"] == 0:
                break
        self.world.state = load(self.client, self.name)
        return self.world.run()

    def close(self) -> None:
        remove_task(self.client, self.name)
