"""The contract of a service: what each side of a task talks to.

A service is made from its part of the task file, lives for one phase of one run, and is used by one
thread. It speaks canonical values (`sync_workers.values`) and raises only the errors named here;
whatever its libraries raise is translated at its own boundary, with the cause chained.

Every call may raise `LaterError` (nothing was sent, or the service asks for patience), `AccessError`
(credential or container) and `SettingsError` (a configured name that the container does not have).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol, TypeAlias, runtime_checkable

from sync_workers.errors import RejectedError
from sync_workers.fields import Field, Kind
from sync_workers.model import ID, NOTHING, Fields, Record

__all__ = [
    "Capabilities",
    "Fetched",
    "Field",
    "Gone",
    "Kind",
    "Mapped",
    "OutOfScope",
    "ReadResult",
    "Reveals",
    "Service",
    "WithoutExtras",
    "mark_of",
]

MARK_LENGTH = 32
"""Hexadecimal digits of a mark: 128 bits, so that no two creates ever share one."""


def mark_of(idempotency: str) -> str:
    """The mark that a create with this idempotency text leaves on its record, the same for every service.

    A hash, because the text may hold ids of the other side, and everyone who sees the record sees the mark.
    """
    return hashlib.sha256(idempotency.encode()).hexdigest()[:MARK_LENGTH]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a service can do; the engine takes the best path it offers.

    Attributes:
        change_feed: `fetch(cursor)` returns only what changed since the cursor.
        deletes_visible: the change feed names deleted records.
        compare_and_set: `update` and `delete` write only if the version is still the record's.
        safe_create: `create` with the same idempotency text never makes a second record.
        archives: `archive` is offered.
        restores: `restore` is offered.
        marks: a create stamps `mark_of` its idempotency text on the record, which shows it as
            `About.mark`.
        notes: `annotate` is offered, and records show the text as `About.note`.
        clock_step: how coarse `Record.modified` is; a time t means "within [t, t + clock_step)".
        filtered: a listing leaves out what a filter of the task does not let through: a record that is
            there but not listed is out of scope.
        late: so long it may take until a record that was made is listed.
    """

    change_feed: bool = False
    deletes_visible: bool = False
    compare_and_set: bool = False
    safe_create: bool = False
    archives: bool = False
    restores: bool = False
    marks: bool = False
    notes: bool = False
    clock_step: timedelta = timedelta(0)
    filtered: bool = False
    late: timedelta = timedelta(0)

    @property
    def watched(self) -> bool:
        """Whether what is known of single records has to be kept beside what was listed.

        Such a feed does not name what was deleted, and may show a change late; see `services.feeds`.
        """
        return self.change_feed and not self.deletes_visible


@dataclass(frozen=True, slots=True)
class Fetched:
    """What `fetch` found.

    Attributes:
        records: whole records; with a cursor only those that changed, without one all of them.
            An id that the service showed twice stands here twice.
        tombstones: ids that the service names as deleted.
        cursor: where to go on next time; None when there is no change feed.
        complete: all records of the container are here, so that absence means something.
            False for an answer to a cursor that was accepted.
        reset: the cursor was refused or everything came back: forget what was known.
        unreadable: ids of objects that are there but make no record, with a reason without values;
            they are reported and never taken for gone.
        doubtful: ids of `records` that may be shown older than they are known: only `read` can tell.
        more: the listing is not at its end: `fetch(more)` goes on with it and gives the next part. What
            the whole says, such as `complete`, the last part says.
    """

    records: tuple[Record, ...]
    tombstones: tuple[ID, ...] = ()
    cursor: str | None = None
    complete: bool = True
    reset: bool = False
    unreadable: Mapping[ID, str] = field(default_factory=dict)
    doubtful: tuple[ID, ...] = ()
    more: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """The record does not exist any more, or lies in the trash."""

    id: ID


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """The record may still exist, but not for this task: moved, archived, filtered out, not shared.

    Attributes:
        reason: a few words for the report, such as "moved to another data source".
        is_sure: False when it may be here, but cannot be read or told from others: its link waits,
            whatever the task says about records that are out of scope.
    """

    id: ID
    reason: str
    is_sure: bool = True


ReadResult: TypeAlias = Record | Gone | OutOfScope


@runtime_checkable
class Service(Protocol):
    """One side of one task. See the module's text for the rules that hold for every method."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; may look at the container the first time, and raise as every call."""

    def schema(self) -> Mapping[str, Field]:
        """All fields of the container by name, mapped or not; asks the service where it has to.

        The service keeps to the mapped fields it was made with everywhere else.
        """

    def setup(self) -> Mapping[str, str]:
        """What this side is bound to, by name: `container`, `credential`, `filter`, `fields`.

        Stable texts without secrets (hash a credential). A changed one means a fresh comparison.
        """

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:
        """Everything, or everything since `cursor`; through all pages, or an error, never a part.

        A refused cursor is no error: everything comes back with `reset` set.

        Args:
            cursor: of an earlier answer, its `cursor` or its `more`.
            known: records by id as the caller still has them from earlier runs with the same set-up,
                perhaps none. What is costly to read and surely did not change may be taken from them.
        """

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        """For each id what it is now; the answer has every id that was asked for."""

    def create(self, fields: Fields, idempotency: str) -> Record:
        """Make a record and return it as the service now shows it.

        Args:
            fields: values by field name; fields that are not named stay at the service's default.
            idempotency: the same text for each attempt of one create. With `safe_create` a second
                call returns the record that is there.

        Raises:
            RejectedError: the service will never take these values.
            UnknownOutcomeError: it was sent and the reply was lost.
        """

    def update(self, record: Record, fields: Fields) -> Record:
        """Write only `fields` in one write and return the record as the service now shows it.

        `record` is what the plan was made from. If the service's record is no longer like that
        (version, or the mapped fields of a re-read), nothing is written.

        Raises:
            MovedError: someone changed, moved or deleted it.
            RejectedError, UnknownOutcomeError: as for `create`.
        """

    def delete(self, record: Record) -> None:
        """Delete it, to the trash where there is one; already gone is success.

        Raises:
            MovedError: someone changed it since it was read; it stays.
            UnknownOutcomeError: it was sent and the reply was lost.
        """

    def archive(self, record: Record) -> None:
        """Put it out of sight without deleting it; offered only with `Capabilities.archives`.

        Raises: as `delete`.
        """

    def restore(self, record_id: ID) -> Record:
        """Bring back from the trash or the archive what `delete` or `archive` put there.

        Offered only with `Capabilities.restores`. One that is in its place already comes back as it is.

        Raises:
            MovedError: it cannot be brought back: it is gone for good, or was moved elsewhere.
            UnknownOutcomeError: it was sent and the reply was lost.
        """

    def annotate(self, record_id: ID, text: str) -> None:
        """Put a text for a person beside the record, or take it away where it is empty.

        Offered only with `Capabilities.notes`. It touches no field, and may be repeated.

        Raises: as `delete`; RejectedError where the service will never take it.
        """

    def close(self) -> None:
        """Give back connections; calling it twice is fine."""


@runtime_checkable
class Reveals(Protocol):
    """A service whose fields may leave out what it is not to show, without a word."""

    def revealed(self, ids: Sequence[ID]) -> frozenset[ID]:
        """Those of these ids, of whatever container, that a field would surely show if it named them.

        What lies in the trash is among them: it is left out because a person put it there.
        """


class WithoutExtras:
    """The methods of a service that offers neither `restore` nor `annotate`."""

    def restore(self, record_id: ID) -> Record:
        msg = f"record {record_id}: this service cannot bring back what was deleted or archived"
        raise RejectedError(msg)

    def annotate(self, record_id: ID, _text: str) -> None:
        msg = f"record {record_id}: this service has no place for a text about conflicts"
        raise RejectedError(msg)


@dataclass(frozen=True, slots=True)
class Mapped:
    """The fields of a container that a task maps, as the service is told about them.

    Attributes:
        names: field names as in the task file.
        key: name of the field that records are matched by, which a create always fills; None
            when the task maps none.
        forms: by field name, how its values are read and written (`fields.ValueForm`); a field that is
            not named here, or of which the service knows no such form, has its usual one.
        ids: by field name, the stable id that it had when the task ran last (`Field.id`; empty where the
            service has none). A field is found by its id whatever it is called now (`Field.called`). One that
            is known and cannot be found is left out of the schema and of records; it is no error.
        grows: names of fields of which the task says that options may be added; where a write does not add
            them by itself, the service adds them first.
    """

    names: tuple[str, ...] = field(default=())
    key: str | None = None
    forms: Mapping[str, str] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    grows: frozenset[str] = frozenset()
