"""A listing that is longer than a slice of a phase, and runs of single records, with a real Redis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.errors import LaterError, LeaseLostError
from sync_workers.model import ID, NOTHING, Pair, Record, Side
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease, Taken
from sync_workers.redis.looks import Looks
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.redis.state_store import load
from sync_workers.report import Report, Trigger
from sync_workers.services.base import Fetched, Mapped
from sync_workers.services.memory import FULL, MemoryService
from sync_workers.worker import phases
from sync_workers.worker.delivery import Delivery, Done
from sync_workers.worker.process import Process
from tests.conftest import remove_task
from tests.runs.crashing import ATTRS, Places, StoppedHereError, World
from tests.runs.late import LATE
from tests.runs.stored import MemoryTask, StoppableClient

RULES = Rules(tuple(FieldRule(Pair(*attrs)) for attrs in ATTRS), key=("Name",))
PIECE = 2


class InPieces(MemoryService):
    """Gives a listing two records at a time, and notes what it was asked."""

    def __init__(self, real: MemoryService, world: PiecewiseWorld) -> None:
        super().__init__(real.container, real.mapped, real.capabilities)
        self.world = world

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:
        self.world.asked.append(cursor or "all")
        if cursor is not None and not cursor.startswith("more "):
            return super().fetch(cursor, known)
        if self.world.breaks and self.world.breaks.pop(0):
            raise LaterError("not now", wait=timedelta(milliseconds=1))
        start = int((cursor or "more 0").removeprefix("more "))
        whole = super().fetch(None, known)
        part = whole.records[start : start + PIECE]
        if start + PIECE >= len(whole.records):
            return replace(whole, records=part)
        return Fetched(part, complete=False, more=f"more {start + PIECE}")


@dataclass
class PiecewiseWorld(World):
    asked: list[str] = field(default_factory=list)
    breaks: list[bool] = field(default_factory=list)

    def service(self, side: Side) -> MemoryService:
        if side is Side.OTHER:
            return super().service(side)
        mapped = Mapped(tuple(rule.attrs[side] for rule in self.rules.fields))
        return InPieces(MemoryService(self.containers[side], mapped, self.capabilities[side]), self)


@dataclass
class Desk:
    """A task of seven records on the Notion side."""

    client: Client
    name: str
    world: PiecewiseWorld = field(default_factory=lambda: PiecewiseWorld(RULES, Pair(LATE, FULL)))

    def __post_init__(self) -> None:
        add = self.world.containers.notion.add
        self.pages = [add(Name=f"row {number}", Text=None, Note=None).id for number in range(7)]

    def phase(self, name: str, delivery: Delivery, places: Places | None = None) -> Done:
        task = MemoryTask(self.world, self.name, Places())
        client = self.client if places is None else StoppableClient(self.client, places)
        length = timedelta(0) if name == "get" else timedelta(seconds=60)
        done: Done = getattr(phases, name)(delivery, Process(client, {self.name: task}, slice=length))
        return done

    def run(self, *, looks: bool = False) -> Done:
        delivery = Delivery(self.name, new_run_id(), Trigger.AD_HOC, looks=looks)
        self.world.asked.clear()
        for name in ("get", "diff", "apply"):
            while (done := self.phase(name, delivery)).again:
                pass
            if not done.goes_on:
                break
        return done

    @property
    def titles(self) -> list[str]:
        return sorted(record.fields["title"] for record in self.world.containers.other.records.values())

    @property
    def rows(self) -> list[str]:
        return sorted(record.fields["Name"] for record in self.world.containers.notion.records.values())


@pytest.fixture
def desk(redis_client: Client, task_name: str) -> Iterator[Desk]:
    yield Desk(redis_client, task_name)
    remove_task(redis_client, task_name)


def test_each_part_is_an_attempt_of_its_own_and_nothing_is_listed_twice(desk: Desk) -> None:
    done = desk.run()
    assert done.shown["outcome"] == "done"
    assert desk.world.asked == ["all", "more 2", "more 4", "more 6"]
    assert desk.titles == desk.rows
    keys = desk.client.ask("KEYS", f"{Keys(desk.name).prefix}:run:*")
    assert [key for key in keys if b"parts" in key] == []


def test_what_asks_for_patience_goes_on_where_it_was(desk: Desk) -> None:
    desk.world.breaks = [False, True, False, False, True]
    delivery = Delivery(desk.name, new_run_id(), Trigger.AD_HOC)
    patient = 0
    while True:
        try:
            done = desk.phase("get", delivery)
        except LaterError:
            patient += 1
            continue
        if not done.again:
            break
    assert patient == 2
    assert done.shown["records"]["notion"] == len(desk.pages)
    assert desk.world.asked == ["all", "more 2", "more 2", "more 4", "more 6", "more 6"]


@pytest.mark.parametrize("place", range(1, 24))
def test_r4_a_worker_that_dies_anywhere_in_a_long_listing_loses_no_row(desk: Desk, place: int) -> None:
    delivery = Delivery(desk.name, new_run_id(), Trigger.AD_HOC)
    places = Places(place)
    with suppress(StoppedHereError):
        while desk.phase("get", delivery, places).again:
            pass
    while (done := desk.phase("get", delivery)).again:
        pass
    assert done.shown["records"]["notion"] == len(desk.pages)


def test_r10_a_quiet_run_asks_for_changes_alone(desk: Desk) -> None:
    desk.run()
    assert desk.run().shown["planned"] == 0
    assert len(desk.world.asked) == 1
    assert desk.world.asked[0] not in {"all", "more 2"}


def test_a_run_of_looks_lists_nothing_on_that_side(desk: Desk) -> None:
    desk.run()
    state = load(desk.client, desk.name)
    assert state is not None
    desk.world.containers.notion.edit(desk.pages[0], Name="looked at")
    desk.world.containers.notion.edit(desk.pages[1], Name="not looked at")
    Looks(desk.client, desk.name).add(Side.NOTION, [desk.pages[0]])

    desk.run(looks=True)

    assert desk.world.asked == []
    assert "looked at" in desk.titles
    assert "not looked at" not in desk.titles
    assert Looks(desk.client, desk.name).waiting(Side.NOTION) == {}
    desk.run()
    assert desk.titles == desk.rows


def test_a_look_that_comes_while_a_run_reads_is_for_the_next_one(desk: Desk) -> None:
    desk.run()
    looks = Looks(desk.client, desk.name)
    looks.add(Side.NOTION, [desk.pages[0]])
    delivery = Delivery(desk.name, new_run_id(), Trigger.AD_HOC, looks=True)
    desk.phase("get", delivery)
    looks.add(Side.NOTION, [desk.pages[0], desk.pages[1]])
    desk.phase("diff", delivery)
    assert set(looks.waiting(Side.NOTION)) == set(desk.pages[:2])


def test_without_its_state_a_mirror_is_worth_nothing(desk: Desk) -> None:
    desk.run()
    desk.client.ask("DEL", *Keys(desk.name).state())
    desk.run()
    assert desk.world.asked[0] == "all"
    assert desk.titles == desk.rows


def test_a_mirror_is_refused_from_a_worker_whose_lease_has_gone(desk: Desk) -> None:
    runs = RunsStore(desk.client, desk.name)
    with pytest.raises(LeaseLostError):
        runs.put_mirror("run", 1, Side.NOTION, b"old")
    with pytest.raises(LeaseLostError):
        runs.add_part("run", 1, 0, b"old")
    assert runs.mirror(Side.NOTION) is None
    assert runs.parts("run") == []


def test_a_part_whose_answer_was_lost_and_that_is_sent_again_is_there_once(desk: Desk) -> None:
    runs, lease = RunsStore(desk.client, desk.name), Lease(desk.client, desk.name, "run")
    taken = lease.take(Trigger.LOCAL, first=True)
    assert isinstance(taken, Taken)
    for place in (0, 0, 1, 1):
        runs.add_part("run", taken.fence, place, f"part {place}".encode())
    assert runs.parts("run") == [b"part 0", b"part 1"]
    lease.end(Report(desk.name).summary())
    assert runs.parts("run") == []
