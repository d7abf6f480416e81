"""The memory service: records in this process, for docs, tests and trying things out.

Containers are found by name, live as long as the process and are shared by all services that name
them; a lock makes each call atomic. Every ability of the contract is offered, and each can be
switched off to play a poorer service.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from sync_workers.errors import MovedError, RejectedError
from sync_workers.model import ID, NOTHING, NOTHING_ELSE, About, Fields, Record
from sync_workers.services import ServiceKind
from sync_workers.services.base import (
    Capabilities,
    Fetched,
    Field,
    Gone,
    Kind,
    Mapped,
    OutOfScope,
    ReadResult,
    WithoutExtras,
    mark_of,
)
from sync_workers.services.budget import Budget
from sync_workers.values import same


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Container:
    """A list of records that several services can share.

    Attributes:
        fields: what each field holds; a field that is not named here holds anything.
        clock: gives the time of a change.
    """

    name: str = "memory"
    fields: dict[str, Field] = field(default_factory=dict)
    clock: Callable[[], datetime] = _now
    records: dict[ID, Record] = field(default_factory=dict)
    archived: dict[ID, Record] = field(default_factory=dict)
    log: list[ID] = field(default_factory=list)
    made: dict[str, ID] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1), repr=False)

    def add(self, **values: Any) -> Record:
        """Add a record as a person would, past the service."""
        return self.make(values)

    def make(self, fields: Fields, about: About = NOTHING_ELSE) -> Record:
        """Add a record under the next id."""
        with self.lock:
            return self.put(Record(id=f"{self.name}-{next(self.numbers)}", fields=dict(fields), about=about))

    def edit(self, record_id: ID, **values: Any) -> Record:
        """Change a record as a person would, past the service."""
        with self.lock:
            record = self.records[record_id]
            return self.put(replace(record, fields={**record.fields, **values}))

    def remove(self, record_id: ID) -> None:
        """Delete a record as a person would; deleting an unknown one is fine."""
        with self.lock:
            if self.records.pop(record_id, None) is not None:
                self.log.append(record_id)

    def put(self, record: Record) -> Record:
        """Store a record with a new version and time; what it shows beside its fields stays."""
        self.log.append(record.id)
        stored = replace(record, version=str(len(self.log)), modified=self.clock())
        self.records[record.id] = stored
        return stored


_containers: dict[str, Container] = {}


def container(name: str) -> Container:
    """The container of that name in this process, made when first asked for."""
    return _containers.setdefault(name, Container(name))


FULL = Capabilities(
    change_feed=True,
    deletes_visible=True,
    compare_and_set=True,
    safe_create=True,
    archives=True,
    restores=True,
    marks=True,
    notes=True,
)


class MemoryService(WithoutExtras):
    """One side of a task over a `Container`; see `sync_workers.services.base.Service`."""

    def __init__(
        self, container: Container, mapped: Mapped | None = None, capabilities: Capabilities = FULL
    ) -> None:
        self.container = container
        self.mapped = mapped or Mapped()
        self.capabilities = capabilities

    def schema(self) -> Mapping[str, Field]:
        with self.container.lock:
            seen = {name for record in self.container.records.values() for name in record.fields}
            names = [*self.container.fields, *sorted(seen - set(self.container.fields))]
            names += [name for name in self.mapped.names if name not in names]
            return {name: self.container.fields.get(name, Field(name, Kind.ANY, id=name)) for name in names}

    def setup(self) -> Mapping[str, str]:
        return {"container": self.container.name}

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:  # noqa: ARG002 - nothing is costly here
        with self.container.lock:
            end = str(len(self.container.log)) if self.capabilities.change_feed else None
            if cursor is None or end is None:
                return Fetched(tuple(map(self._show, self.container.records.values())), cursor=end)
            if not cursor.isdecimal() or int(cursor) > len(self.container.log):
                return replace(self.fetch(), reset=True)
            changed = dict.fromkeys(self.container.log[int(cursor) :])
            there = [self.container.records[i] for i in changed if i in self.container.records]
            gone = tuple(i for i in changed if i not in self.container.records)
            visible = gone if self.capabilities.deletes_visible else ()
            return Fetched(tuple(map(self._show, there)), tombstones=visible, cursor=end, complete=False)

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        with self.container.lock:
            return {record_id: self._read(record_id) for record_id in ids}

    def create(self, fields: Fields, idempotency: str) -> Record:
        self._check(fields)
        with self.container.lock:
            made = self.container.made.get(idempotency)
            if self.capabilities.safe_create and made in self.container.records:
                return self._show(self.container.records[made])
            about = About(mark=mark_of(idempotency)) if self.capabilities.marks else NOTHING_ELSE
            record = self.container.make(fields, about)
            self.container.made[idempotency] = record.id
            return self._show(record)

    def update(self, record: Record, fields: Fields) -> Record:
        self._check(fields)
        with self.container.lock:
            self._expect(record)
            return self._show(self.container.edit(record.id, **fields))

    def delete(self, record: Record) -> None:
        with self.container.lock:
            if record.id in self.container.records:
                self._expect(record)
                self.container.remove(record.id)

    def archive(self, record: Record) -> None:
        with self.container.lock:
            if record.id in self.container.records:
                self._expect(record)
                self.container.archived[record.id] = self.container.records[record.id]
                self.container.remove(record.id)

    def restore(self, record_id: ID) -> Record:
        """Bring back what was archived; a deleted record leaves nothing to bring back."""
        if not self.capabilities.restores:
            return super().restore(record_id)
        with self.container.lock:
            if record_id not in self.container.records:
                if record_id not in self.container.archived:
                    msg = f"record {record_id} was deleted, and this service keeps nothing of it"
                    raise MovedError(msg)
                self.container.put(self.container.archived.pop(record_id))
            return self._show(self.container.records[record_id])

    def annotate(self, record_id: ID, text: str) -> None:
        if not self.capabilities.notes:
            return super().annotate(record_id, text)
        with self.container.lock:
            record = self.container.records.get(record_id)
            if record is None:
                msg = f"record {record_id} is not there any more"
                raise MovedError(msg)
            note = text or None
            if record.about.note != note:
                self.container.put(replace(record, about=replace(record.about, note=note)))
        return None

    def close(self) -> None:
        """Nothing is open."""

    def _read(self, record_id: ID) -> ReadResult:
        if record_id in self.container.records:
            return self._show(self.container.records[record_id])
        if record_id in self.container.archived:
            return OutOfScope(record_id, "archived")
        return Gone(record_id)

    def _check(self, fields: Fields) -> None:
        """Refuse fields that this side does not map."""
        unknown = sorted(set(fields) - set(self.mapped.names)) if self.mapped.names else []
        if unknown:
            msg = f"container {self.container.name} has no field {', '.join(unknown)}"
            raise RejectedError(msg)

    def _expect(self, record: Record) -> None:
        """Refuse to write over an edit: compare and set by version, else by the mapped fields."""
        now = self.container.records.get(record.id)
        if now is None:
            msg = f"record {record.id} is not there any more"
            raise MovedError(msg)
        shown = self._show(now)
        if self.capabilities.compare_and_set and record.version is not None:
            moved = shown.version != record.version
        else:
            moved = any(not same(shown.fields.get(name), value) for name, value in record.fields.items())
        if moved:
            msg = f"record {record.id} changed since it was read"
            raise MovedError(msg)

    def _show(self, record: Record) -> Record:
        about = self._about(record.about)
        if not self.mapped.names:
            fields = {n: value for n, value in record.fields.items() if n not in about.unread}
            return replace(record, fields=fields, about=about) if about.unread else _with(record, about)
        fields = {name: record.fields.get(name) for name in self.mapped.names if name not in about.unread}
        return replace(record, fields=fields, about=about)

    def _about(self, about: About) -> About:
        """What a service of these abilities shows beside the fields."""
        mark = about.mark if self.capabilities.marks else None
        note = about.note if self.capabilities.notes else None
        return about if (mark, note) == (about.mark, about.note) else replace(about, mark=mark, note=note)


def _with(record: Record, about: About) -> Record:
    return record if about is record.about else replace(record, about=about)


class MemoryConnection(BaseModel):
    """`[connections.NAME]` with `kind = "memory"`: there is nothing to set."""

    model_config = ConfigDict(extra="forbid")


class MemoryContainer(BaseModel):
    """A task's side on a memory connection."""

    model_config = ConfigDict(extra="forbid")

    container: str = "memory"


def _connect(
    _connection: MemoryConnection, place: MemoryContainer, mapped: Mapped, _budget: Budget | None = None
) -> MemoryService:
    return MemoryService(container(place.container), mapped)


KIND = ServiceKind(MemoryConnection, MemoryContainer, _connect)
