"""A run whose next call has to wait for its turn: it gives its worker back, and goes on where it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.errors import NotYetError, RejectedError
from sync_workers.model import ID, NOTHING, Fields, Pair, Record
from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import BudgetKeys, Keys
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.report import Trigger
from sync_workers.services.base import Fetched, Mapped, ReadResult, Service
from sync_workers.services.budget import Account, Budget
from sync_workers.services.local_budget import LocalBudget
from sync_workers.services.memory import FULL, Container, MemoryService
from sync_workers.worker import phases
from sync_workers.worker.delivery import Delivery, Done
from sync_workers.worker.patience import LONGEST_STANDSTILL
from sync_workers.worker.process import Process
from tests.runs.phased import PhasedTask

BAD = "one that is never taken"


class CountedService(MemoryService):
    """Records in memory; each call to it goes by a budget. Repeating a create makes a second record."""

    def __init__(self, container: Container, budget: Budget, account: Account) -> None:
        super().__init__(
            container, Mapped(("name",), key="name"), replace(FULL, safe_create=False, marks=False)
        )
        self._budget, self._account = budget, account

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:
        with self._budget.call(self._account):
            return super().fetch(cursor, known)

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        with self._budget.call(self._account):
            return super().read(ids)

    def create(self, fields: Fields, idempotency: str) -> Record:
        with self._budget.call(self._account):
            if fields["name"] == BAD:
                raise RejectedError("never like this")
            return super().create(fields, idempotency)

    def update(self, record: Record, fields: Fields) -> Record:
        for _ in range(2):  # a look, and the write
            with self._budget.call(self._account):
                pass
        return super().update(record, fields)


@dataclass
class CountedTask(PhasedTask):
    """A task between two containers; the calls to its other side are counted."""

    account: Account
    containers: Pair[Container] = field(default_factory=lambda: Pair.each(lambda side: Container(str(side))))
    sync_rules: Rules = Rules((FieldRule(Pair("name", "name")),))

    @contextmanager
    def sync_services(
        self, budget: Budget | None = None, _known: Mapping[str, str] = NOTHING, /
    ) -> Iterator[Pair[Service]]:
        counted = CountedService(self.containers.other, budget or LocalBudget(), self.account)
        yield Pair(MemoryService(self.containers.notion, Mapped(("name",), key="name")), counted)


@dataclass
class Scene:
    """One task, and its phases called as a worker would call them."""

    client: Client
    task: CountedTask

    def __post_init__(self) -> None:
        self.process = Process(self.client, {self.task.name: self.task})
        self.runs = RunsStore(self.client, self.task.name)

    def pass_a_minute(self) -> None:
        self.client.ask("DEL", BudgetKeys(self.task.account.name).used)

    def shown(self) -> Pair[list[str]]:
        return Pair.each(
            lambda side: sorted(str(r.fields["name"]) for r in self.task.containers[side].records.values())
        )

    def run(self, delivery: Delivery) -> tuple[Done, list[timedelta]]:
        """The whole run, and each wait for which it gave its worker back."""
        waits: list[timedelta] = []
        for name in ("get", "diff", "apply"):
            while True:
                try:
                    done: Done = getattr(phases, name)(delivery, self.process)
                except NotYetError as error:
                    waits.append(error.wait)
                    self.pass_a_minute()
                    continue
                if not done.again:
                    break
        return done, waits


@pytest.fixture
def scene(redis_client: Client, task_name: str) -> Scene:
    return Scene(redis_client, CountedTask(task_name, Account(f"test:{task_name}", 4)))


def delivered(scene: Scene) -> Delivery:
    return Delivery(scene.task.name, new_run_id(), Trigger.AD_HOC)


def test_a_run_that_waits_goes_on_where_it_was_and_nothing_failed(scene: Scene) -> None:
    names = [f"record {number}" for number in range(10)]
    for name in names:
        scene.task.containers.notion.add(name=name)

    done, waits = scene.run(delivered(scene))

    assert done.shown["outcome"] == "done", done.shown
    assert done.shown["counts"] == {"other.create": 10}
    assert scene.shown() == Pair(names, names)
    assert len(waits) == 2  # 11 calls, 4 in a minute
    assert all(timedelta(seconds=30) < wait <= timedelta(seconds=61) for wait in waits)


def test_what_failed_before_the_wait_is_told_after_it(scene: Scene) -> None:
    for name in (BAD, *(f"record {number}" for number in range(6))):
        scene.task.containers.notion.add(name=name)
    done, waits = scene.run(delivered(scene))
    assert waits
    assert done.shown["outcome"] == "partial"
    assert done.shown["failed"] == 1
    assert done.shown["counts"] == {"other.create": 6}


def test_an_update_that_waited_in_its_middle_is_written_once(scene: Scene) -> None:
    made = scene.task.containers.notion.add(name="Bread")
    scene.run(delivered(scene))
    scene.pass_a_minute()
    scene.task.containers.notion.edit(made.id, name="Milk")
    writes = len(scene.task.containers.other.log)
    budget = RedisBudget(scene.client, "another", Trigger.BEAT)
    for _ in range(2):
        with budget.call(scene.task.account):
            pass

    done, waits = scene.run(delivered(scene))

    assert len(waits) == 1  # after the look
    assert done.shown["counts"] == {"other.update": 1}
    assert scene.shown() == Pair(["Milk"], ["Milk"])
    assert len(scene.task.containers.other.log) == writes + 1


def test_what_an_earlier_attempt_may_have_sent_is_still_looked_for(scene: Scene) -> None:
    """Between the killed write and the look at it the run has to wait; the look is not forgotten."""
    made = scene.task.containers.notion.add(name="Bread")
    scene.run(delivered(scene))
    scene.pass_a_minute()
    scene.task.containers.notion.edit(made.id, name="Milk")
    delivery = delivered(scene)
    for name in ("get", "diff"):
        getattr(phases, name)(delivery, scene.process)
    number = 0
    journal = Keys(scene.task.name).journal(delivery.run)
    scene.client.ask("HSET", journal, number, "an earlier attempt")
    (record,) = scene.task.containers.other.records.values()
    scene.task.containers.other.edit(record.id, name="Milk")  # it was sent
    writes = len(scene.task.containers.other.log)
    scene.task.account = Account(scene.task.account.name, 1)

    with pytest.raises(NotYetError):
        phases.apply(delivery, scene.process)
    assert scene.client.ask("HGET", journal, number) == b"an earlier attempt"

    scene.task.account = Account(scene.task.account.name, 9)
    done = phases.apply(delivery, scene.process)
    assert done.shown["counts"] == {"other.update": 1}
    assert len(scene.task.containers.other.log) == writes


def test_a_run_that_waits_keeps_its_lease(scene: Scene) -> None:
    scene.task.containers.notion.add(name="Bread")
    RedisBudget(scene.client, "another", Trigger.BEAT).pause(scene.task.account, timedelta(seconds=100))
    delivery = delivered(scene)

    with pytest.raises(NotYetError) as told:
        phases.get(delivery, scene.process)

    tick = Delivery(scene.task.name, new_run_id(), Trigger.BEAT)
    assert phases.get(tick, scene.process).shown["outcome"] == "dropped"
    info = scene.runs.lease()
    assert info is not None
    assert info.ends_in > told.value.wait > timedelta(seconds=90)


def test_a_pause_of_an_hour_is_waited_for_in_parts(scene: Scene) -> None:
    RedisBudget(scene.client, "another", Trigger.BEAT).pause(scene.task.account, timedelta(hours=1))
    with pytest.raises(NotYetError) as told:
        phases.get(delivered(scene), scene.process)
    assert told.value.wait == scene.process.longest_wait


def test_a_run_that_gets_on_may_take_hours(scene: Scene) -> None:
    for number in range(6):
        scene.task.containers.notion.add(name=f"record {number}")
    delivery = delivered(scene)
    for name in ("get", "diff"):
        getattr(phases, name)(delivery, scene.process)
    stand_still(scene, LONGEST_STANDSTILL)

    with pytest.raises(NotYetError):
        phases.apply(delivery, scene.process)

    stand_still(scene, LONGEST_STANDSTILL / 2)  # since then
    with pytest.raises(NotYetError):
        phases.apply(delivery, scene.process)
    scene.pass_a_minute()
    assert phases.apply(delivery, scene.process).shown["outcome"] == "done"


def test_a_run_that_gets_no_call_for_hours_ends_and_says_why(scene: Scene) -> None:
    RedisBudget(scene.client, "another", Trigger.BEAT).pause(scene.task.account, timedelta(hours=9))
    delivery = delivered(scene)
    with pytest.raises(NotYetError):
        phases.get(delivery, scene.process)
    stand_still(scene, LONGEST_STANDSTILL)
    done = phases.get(delivery, scene.process)
    assert done.shown["outcome"] == "failed"
    assert "left alone" in done.failure
    assert scene.runs.lease() is None


def test_a_worker_that_ends_gives_a_waiting_run_back(scene: Scene) -> None:
    RedisBudget(scene.client, "another", Trigger.BEAT).pause(scene.task.account, timedelta(seconds=5))
    with pytest.raises(NotYetError, match="about to end") as told:
        phases.get(delivered(scene), scene.process, stopping=lambda: True)
    assert told.value.wait < timedelta(seconds=5)


def stand_still(scene: Scene, length: timedelta) -> None:
    """So long nothing was heard of the run."""
    seconds, _ = scene.client.ask("TIME")
    moved = int(seconds) * 1000 - int(length / timedelta(milliseconds=1)) - 1000
    scene.client.ask("HSET", Keys(scene.task.name).current, "begun", moved, "moved", moved)
