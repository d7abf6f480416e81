"""A world of two services that misbehave as real ones do, and a store that refuses a stale worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from typing import Any, TypeVar

from sync_workers.errors import LaterError, LeaseLostError, RejectedError, UnknownOutcomeError
from sync_workers.model import ID, NOTHING, Fields, Pair, Plan, Record, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application
from sync_workers.runs.history import Entry
from sync_workers.services.base import Fetched
from sync_workers.services.memory import MemoryService
from sync_workers.state import Change, State
from tests.runs.crashing import Places, StoppableService, StoppableStore, World

T = TypeVar("T")

IDENTITY = ("Id", "uid")
"""A field that nobody edits: what a record is, on whichever side it is."""


class Trouble(StrEnum):
    """What a listing or the next write meets."""

    NONE = ""
    RAISES = "a listing fails"
    CUT = "a listing is cut short and says so"
    HIDES = "a listing leaves out what is there"
    EMPTY = "a listing shows nothing of what is linked"
    REPEATS = "a listing shows an id twice"
    UNREADABLE = "a record cannot be read"
    REQUEST_LOST = "a request is lost"
    REPLY_LOST = "a reply is lost"
    LATER = "a write is asked to come later"
    RACE = "a person is faster than a write"


LISTINGS = tuple(Trouble)[1:7]
WRITES = tuple(Trouble)[7:]


@dataclass
class Temper:
    """How one side misbehaves.

    Attributes:
        listing: what the next listings meet.
        missing: the ids that they leave out, repeat or cannot read.
        writes: what the next writes meet, one after the other.
        refuses: the identities of records that it will never take.
        credential: what it is bound to.
    """

    listing: Trouble = Trouble.NONE
    missing: frozenset[ID] = frozenset()
    writes: list[Trouble] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    credential: str = "first"

    def calm(self) -> None:
        self.listing, self.missing = Trouble.NONE, frozenset()
        self.writes.clear()


class RoughService(MemoryService):
    """A memory service of such a temper; `race` is what a person does right before a write."""

    def __init__(
        self, real: MemoryService, identity: str, temper: Temper, race: Callable[[ID, Fields], None]
    ) -> None:
        super().__init__(real.container, real.mapped, real.capabilities)
        self.real, self.identity, self.temper, self.race = real, identity, temper, race

    def setup(self) -> dict[str, str]:
        return {**super().setup(), "credential": self.temper.credential}

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:
        trouble, missing = self.temper.listing, self.temper.missing
        if trouble is Trouble.NONE:
            return self.real.fetch(cursor, known)
        if trouble is Trouble.RAISES:
            raise LaterError("not now", wait=timedelta(minutes=1))
        # Without a cursor, so that no mirror keeps what was a lie.
        whole = replace(self.real.fetch(), cursor=None, reset=True)
        if trouble is Trouble.REPEATS:
            return replace(whole, records=(*whole.records, *_of(missing, whole.records)))
        shown = tuple(record for record in whole.records if record.id not in missing)
        gone = {record.id: "it is broken" for record in _of(missing, whole.records)}
        unreadable = gone if trouble is Trouble.UNREADABLE else {}
        return replace(whole, records=shown, complete=trouble is not Trouble.CUT, unreadable=unreadable)

    def create(self, fields: Fields, idempotency: str) -> Record:
        return self._write(fields, None, lambda: super(RoughService, self).create(fields, idempotency))

    def update(self, record: Record, fields: Fields) -> Record:
        return self._write(
            record.fields, record, lambda: super(RoughService, self).update(record, fields), written=fields
        )

    def delete(self, record: Record) -> None:
        self._write(record.fields, record, lambda: super(RoughService, self).delete(record))

    def archive(self, record: Record) -> None:
        self._write(record.fields, record, lambda: super(RoughService, self).archive(record))

    def _write(
        self, fields: Fields, record: Record | None, write: Callable[[], T], written: Fields = NOTHING
    ) -> T:
        if fields.get(self.identity) in self.temper.refuses:
            raise RejectedError("it is none of ours")
        trouble = self.temper.writes.pop(0) if self.temper.writes else Trouble.NONE
        if trouble is Trouble.LATER:
            raise LaterError("not now", wait=timedelta(minutes=1))
        if trouble is Trouble.REQUEST_LOST:
            raise UnknownOutcomeError("the request was lost")
        if trouble is Trouble.RACE and record is not None and record.id in self.container.records:
            self.race(record.id, written)
        done = write()
        if trouble is Trouble.REPLY_LOST:
            raise UnknownOutcomeError("the reply was lost")
        return done


def _of(ids: Iterable[ID], records: Iterable[Record]) -> list[Record]:
    return [record for record in records if record.id in set(ids)]


class FencedStore(StoppableStore):
    """A store that knows who has the lease; an older worker is refused."""

    def __init__(self, state: State | None, places: Places, world: RoughWorld) -> None:
        super().__init__(state, places)
        self.world, self.fence = world, world.fence

    def begin(self, operation: int, change: Change, intent: Entry | None = None) -> bool:
        self._expect_lease()
        return super().begin(operation, change, intent)

    def commit(self, operation: int | None, change: Change, entry: Entry | None = None) -> None:
        self._expect_lease()
        super().commit(operation, change, entry)

    def _expect_lease(self) -> None:
        if self.fence != self.world.fence:
            raise LeaseLostError("another run has begun since")


def _no_one(_side: Side, _record_id: ID, _written: Fields) -> None:
    """Nobody is faster."""


@dataclass
class RoughWorld(World):
    """Two rough services and a task.

    Attributes:
        fence: the number of the last attempt.
        race: what a person does right before a write of these fields.
        awake: how many operations the next worker carries out before it stops and loses its lease.
        last: what the last worker carries out.
    """

    tempers: Pair[Temper] = field(default_factory=lambda: Pair(Temper(), Temper()))
    fence: int = 0
    race: Callable[[Side, ID, Fields], None] = _no_one
    awake: int | None = None
    last: Application | None = None

    def services(self, places: Places) -> Pair[Any]:
        calm = super().services(places)
        return Pair.each(lambda side: StoppableService(self._rough(side, calm[side].real), places))

    def _rough(self, side: Side, real: MemoryService) -> RoughService:
        return RoughService(real, Pair(*IDENTITY)[side], self.tempers[side], partial(self.race, side))

    def store(self, places: Places) -> StoppableStore:
        self.fence += 1
        return self.opens(FencedStore(self.state, places, self))

    def application(
        self, plan: Plan, services: Pair[Any], store: StoppableStore, report: Report
    ) -> Application:
        self.last = made = super().application(plan, services, store, report)
        if (operations := self.awake) is not None:
            made.stop = lambda: len(made.ended) >= operations
        return made
