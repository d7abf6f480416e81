"""One task on a real Redis, as its attempts and its watchers see it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sync_workers.redis.connect import Client
from sync_workers.redis.lease import (
    Lease,
    Taken,
    Taking,
)
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.report import Outcome, Report, Trigger
from tests.conftest import wait_until

SHORT = timedelta(milliseconds=60)


class Task:
    """One task on a real Redis, as its attempts and its watchers see it."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self.runs = RunsStore(client, name)

    def lease(self, run: str = "", **options: Any) -> Lease:
        return Lease(self.client, self.name, run or new_run_id(), **options)

    def begin(self, run: str, trigger: Trigger = Trigger.LOCAL, **request: Any) -> Taking:
        return self.lease(run).take(trigger, first=True, **request)

    def working(self, run: str, **durations: timedelta) -> Lease:
        lease = self.lease(run, **durations)
        assert isinstance(lease.take(Trigger.BEAT, first=True), Taken)
        return lease

    def summary(self, run: str) -> dict[str, Any]:
        return Report(self.name, run, outcome=Outcome.DONE).summary()

    def has_lease_ended(self) -> bool:
        return self.runs.lease() is None

    def wait_for_the_end_of_the_lease(self) -> None:
        wait_until(self.has_lease_ended, "the lease ends by itself")
