"""One runner (R6): two runs of a task never write at the same time; a worker whose lease has gone
notices before its next write, and its state commits are refused."""

from __future__ import annotations

from contextlib import suppress

import pytest

from sync_workers.errors import LeaseLostError
from sync_workers.model import Side
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Held, Lease, Taken
from sync_workers.redis.runs_store import new_run_id
from sync_workers.redis.state_store import RedisStore
from sync_workers.report import Trigger
from sync_workers.runs.apply import SliceOverError
from sync_workers.runs.history import Entry
from sync_workers.runs.store import MemoryStore
from sync_workers.state import Change
from tests.runs.here import BOTH, Here, application, carry_out


def test_r6_a_lease_that_has_gone_stops_the_run_before_the_write(here: Here) -> None:
    class Lost(MemoryStore):
        def begin(self, operation: int, change: Change, intent: Entry | None = None) -> bool:
            raise LeaseLostError(f"another run has it {operation} {change} {intent}")

    here.add(Side.NOTION, title="Bread")
    here.add(Side.NOTION, title="Milk")
    with pytest.raises(LeaseLostError):
        carry_out(application(here, Lost(here.world.state)))
    assert here.services.other.asked == []


def store_of(client: Client, task: str) -> RedisStore:
    """What a new run of a task writes with, once the lease of whoever had it has ended."""
    client.ask("DEL", Keys(task).lease)
    lease = Lease(client, task, new_run_id())
    taken = lease.take(Trigger.BEAT, first=True)
    assert isinstance(taken, Taken)
    return RedisStore(client, task, lease.run, taken.fence)


@BOTH
@pytest.mark.parametrize("done", [0, 1, 2])
def test_r6_a_worker_that_wakes_up_after_its_lease_ended_writes_nothing(
    here: Here, redis_client: Client, task_name: str, side: Side, done: int
) -> None:
    for name in ("Bread", "Milk", "Wine"):
        here.add(side, title=name)
    asleep = application(here, store_of(redis_client, task_name))
    asleep.stop = lambda: len(asleep.ended) == done
    with suppress(SliceOverError):
        carry_out(asleep)

    store = store_of(redis_client, task_name)
    here.world.state = store.load()
    carry_out(application(here, store))
    state, asked = store.load(), list(here.services[side.opposite].asked)
    asleep.stop = lambda: False
    with pytest.raises(LeaseLostError):
        carry_out(asleep)

    assert here.services[side.opposite].asked == asked
    assert store.load() == state
    assert [len(here.world.containers[each].records) for each in Side] == [3, 3]


def test_r6_a_second_run_does_not_begin_while_the_first_one_has_the_lease(
    redis_client: Client, task_name: str
) -> None:
    first, second = (Lease(redis_client, task_name, new_run_id()) for _ in range(2))
    assert isinstance(first.take(Trigger.BEAT, first=True), Taken)
    assert isinstance(second.take(Trigger.BEAT, first=True), Held)
    with pytest.raises(LeaseLostError):
        RedisStore(redis_client, task_name, second.run, second.fence).commit(None, Change())


def test_r6_a_lease_that_ended_between_the_intent_and_the_write_stops_the_write(here: Here) -> None:
    """Such as that of a process that was stopped there."""
    here.add(Side.NOTION, title="Bread")

    def gone() -> None:
        raise LeaseLostError("another run works by now")

    store = MemoryStore(here.world.state)
    with pytest.raises(LeaseLostError):
        carry_out(application(here, store, check=gone))
    assert here.services.other.asked == []
    assert store.begun
