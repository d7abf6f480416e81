"""The CalDAV service: the contract of `services.base` over the to-dos of one calendar.

A record's id is the object's name in the calendar (the last part of its address), not its UID: names
are unique by construction, one object is asked for by it in one call, and it is all that a server
says about a deleted object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID, uuid5

from caldav.davclient import DAVClient

from sync_workers.errors import (
    MovedError,
    RejectedError,
    SettingsError,
    SyncError,
    UnknownOutcomeError,
)
from sync_workers.model import ID, NOTHING, Fields, Record
from sync_workers.services.base import (
    Capabilities,
    Fetched,
    Field,
    Mapped,
    OutOfScope,
    ReadResult,
    WithoutExtras,
)
from sync_workers.services.budget import Budget
from sync_workers.services.caldav.calendar import Calendar, Stored
from sync_workers.services.caldav.connection import Connection, Reply
from sync_workers.services.caldav.elsewhere import Elsewhere
from sync_workers.services.caldav.fields import FIELDS, values_of, with_values
from sync_workers.services.caldav.relations import Relations
from sync_workers.services.caldav.settings import CaldavCalendar, CaldavConnection
from sync_workers.services.caldav.todo import Setting, ToDo, UnreadableError
from sync_workers.values import same

_NAMESPACE = UUID("5f2b6f0c-0f63-4d0a-8a54-6b3c1b5a7d21")
_UNREADABLE = "its iCalendar text cannot be read; repair or delete it in a calendar program"
_ABILITIES = Capabilities(
    change_feed=True,
    deletes_visible=True,
    compare_and_set=True,
    safe_create=True,
    archives=True,
    restores=True,
    clock_step=timedelta(seconds=1),
)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


class CaldavService(WithoutExtras):
    """One side of a task over a calendar; see `sync_workers.services.base.Service`."""

    def __init__(
        self,
        connection: CaldavConnection,
        place: CaldavCalendar,
        mapped: Mapped,
        budget: Budget | None = None,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        unknown = sorted(set(mapped.names) - set(FIELDS))
        if unknown:
            msg = f"a to-do has no field {', '.join(unknown)}; there are {', '.join(FIELDS)}"
            raise SettingsError(msg)
        self._names = mapped.names or tuple(FIELDS)
        self._setting = Setting(place.zone, percent_mapped="percent" in mapped.names)
        self._credential = connection.fingerprint()
        session = Connection(_client(connection), budget, connection.account())
        self._calendar = Calendar(session, place.calendar)
        self._elsewhere = Elsewhere(session, lambda: self._calendar.url)
        self._clock = clock
        self._relations = Relations(self._calendar, self._open)

    @property
    def capabilities(self) -> Capabilities:
        return _ABILITIES

    def schema(self) -> Mapping[str, Field]:
        return FIELDS

    def setup(self) -> Mapping[str, str]:
        """`zone` decides what floating times mean, so another one changes what is read."""
        zone = self._setting.zone.key
        return {"container": self._calendar.url, "credential": self._credential, "zone": zone}

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:  # noqa: ARG002 - nothing is costly here
        if cursor is None:
            return self._list()
        # The cursor is the token, behind the number of objects that were known when it was new.
        number, _, token = cursor.partition(":")
        changes = self._calendar.changes(token) if token and number.isdecimal() else None
        if changes is None:
            return replace(self._list(), reset=True)
        # A token that DAViCal forgot is answered with all objects and no deletions, as if all had just
        # changed. Where most of the calendar comes back, the whole costs little more and is certain.
        if not changes.deleted and len(changes.changed) > int(number) / 2:
            return replace(self._list(), reset=True)
        now = self._calendar.objects(changes.changed)
        found = self._sort(stored for stored in now.values() if stored is not None)
        gone = (*changes.deleted, *(name for name, stored in now.items() if stored is None))
        following = f"{max(0, int(number) - len(gone))}:{changes.token}"
        return replace(found, tombstones=(*gone, *found.tombstones), cursor=following, complete=False)

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        found = self._calendar.objects(list(dict.fromkeys(ids)))
        return {name: self._elsewhere.find(name) if s is None else self._show(s) for name, s in found.items()}

    def create(self, fields: Fields, idempotency: str) -> Record:
        self._check(fields)
        uid = str(uuid5(_NAMESPACE, f"{urlsplit(self._calendar.url).path}\n{idempotency}"))
        now = self._clock()
        todo = with_values(ToDo.new(uid, now, self._setting), self._relations.by_uid(fields), now)
        reply = self._calendar.create(f"{uid}.ics", todo.text)
        if reply is None:
            return self._made_before(uid, fields)
        return self._written(f"{uid}.ics", todo, reply)

    def update(self, record: Record, fields: Fields) -> Record:
        self._check(fields)
        found = self._find(record)
        if found is None:
            msg = f"to-do {record.id} is not there any more"
            raise MovedError(msg)
        stored, todo = found
        patched = with_values(todo, self._relations.by_uid(fields), self._clock())
        if patched is todo:
            return self._record(stored, todo)
        return self._written(stored.name, patched, self._calendar.replace(stored, patched.text))

    def delete(self, record: Record) -> None:
        known = Stored(record.id, record.version, None)
        if known.is_exact:
            self._calendar.delete(known)
        elif (found := self._find(record)) is not None:
            self._calendar.delete(found[0])

    def archive(self, record: Record) -> None:
        """Mark it as cancelled and as archived by this service; only the latter keeps it out of sight."""
        found = self._find(record)
        if found is not None:
            stored, todo = found
            marked = todo.with_properties(todo.put_away(), self._clock())
            self._calendar.replace(stored, marked.text)

    def restore(self, record_id: ID) -> Record:
        """Take away what `archive` left on it; a deleted object leaves nothing to bring back."""
        stored = self._calendar.objects([record_id])[record_id]
        todo = OutOfScope(record_id, "deleted from the calendar") if stored is None else self._open(stored)
        if stored is None or isinstance(todo, OutOfScope):
            reason = todo.reason if isinstance(todo, OutOfScope) else ""
            msg = f"to-do {record_id} cannot be brought back: {reason}"
            raise MovedError(msg)
        if not todo.archived:
            return self._record(stored, todo)
        back = todo.with_properties(todo.brought_back(), self._clock())
        return self._written(stored.name, back, self._calendar.replace(stored, back.text))

    def close(self) -> None:
        self._calendar.close()

    def _list(self) -> Fetched:
        # The token first: what changes while the list is read comes again, rather than never.
        token = self._calendar.token()
        stored = self._calendar.todos()
        found = self._sort(stored, whole=True)
        cursor = None if token is None else f"{len(stored)}:{token}"
        return replace(found, tombstones=(), cursor=cursor)

    def _sort(self, objects: Iterable[Stored], *, whole: bool = False) -> Fetched:
        """Objects as records; what is no visible to-do any more counts as deleted from here."""
        records: list[Record] = []
        hidden: list[ID] = []
        unreadable: dict[ID, str] = {}
        for stored in objects:
            shown = self._look(stored)
            if isinstance(shown, Record):
                records.append(shown)
            elif shown.reason == _UNREADABLE:
                unreadable[stored.name] = shown.reason
            else:
                hidden.append(stored.name)
        # A parent may stand behind its children.
        placed = tuple(self._relations.placed(record, asks=not whole) for record in records)
        return Fetched(placed, tombstones=tuple(hidden), unreadable=unreadable)

    def _open(self, stored: Stored) -> ToDo | OutOfScope:
        if stored.text is None:
            return OutOfScope(stored.name, "not shown to this login")
        try:
            return ToDo.parse(stored.text, self._setting) or OutOfScope(stored.name, "not a to-do")
        except UnreadableError:
            return OutOfScope(stored.name, _UNREADABLE, is_sure=False)

    def _show(self, stored: Stored) -> Record | OutOfScope:
        shown = self._look(stored)
        return self._relations.placed(shown) if isinstance(shown, Record) else shown

    def _look(self, stored: Stored) -> Record | OutOfScope:
        """What an object is by itself: its parent may stand behind it."""
        opened = self._open(stored)
        if isinstance(opened, OutOfScope):
            return opened
        if not opened.archived:
            return self._unplaced(stored, opened)
        self._relations.note(stored.name, opened)
        return OutOfScope(stored.name, "archived")

    def _unplaced(self, stored: Stored, todo: ToDo) -> Record:
        fields = values_of(todo, self._names)
        self._relations.note(stored.name, todo)
        return Record(stored.name, fields, modified=todo.modified, version=stored.etag)

    def _record(self, stored: Stored, todo: ToDo) -> Record:
        return self._relations.placed(self._unplaced(stored, todo))

    def _check(self, fields: Fields) -> None:
        unknown = sorted(set(fields) - set(self._names))
        if unknown:
            msg = f"this side maps no field {', '.join(unknown)}"
            raise RejectedError(msg)

    def _find(self, record: Record) -> tuple[Stored, ToDo] | None:
        """The object as it is now, None if it is gone.

        Raises:
            MovedError: it is not what the plan was made from.
        """
        stored = self._calendar.objects([record.id])[record.id]
        if stored is None:
            return None
        todo = self._open(stored)
        if isinstance(todo, OutOfScope) or todo.archived or self._moved(record, stored, todo):
            msg = f"to-do {record.id} changed since it was read"
            raise MovedError(msg)
        return stored, todo

    def _moved(self, record: Record, stored: Stored, todo: ToDo) -> bool:
        if record.version is not None:
            return stored.etag != record.version
        now = self._record(stored, todo).fields
        return any(not same(now.get(name), value) for name, value in record.fields.items())

    def _written(self, name: ID, todo: ToDo, reply: Reply) -> Record:
        """What a write made of a to-do, as the server shows it: servers change what they store."""
        sent = Stored(name, reply.etag, todo.text)
        try:
            stored = self._calendar.objects([name])[name]
        except SyncError as error:
            msg = f"to-do {name} was written, but could not be read back"
            raise UnknownOutcomeError(msg) from error
        shown = None if stored is None else self._show(stored)
        # Someone wrote in between. What was sent stays the base, so that the next run sees their edit.
        overtaken = reply.etag is not None and stored is not None and stored.etag != reply.etag
        if overtaken or not isinstance(shown, Record):
            return self._record(sent, todo)
        return shown

    def _made_before(self, uid: str, fields: Fields) -> Record:
        """The record of an earlier attempt to create it, whatever became of it."""
        name = f"{uid}.ics"
        stored = self._calendar.objects([name])[name] or next(iter(self._calendar.with_uid(uid)), None)
        todo = OutOfScope(name, "out of sight of this calendar") if stored is None else self._open(stored)
        if stored is None or isinstance(todo, OutOfScope):
            reason = todo.reason if isinstance(todo, OutOfScope) else ""
            msg = f"to-do {name}: the server has its UID already ({reason})"
            raise RejectedError(msg)
        if not todo.archived:
            return self._record(stored, todo)
        # It was archived, and is wanted again.
        now = self._clock()
        back = todo.with_properties({**todo.brought_back(), **todo.completion(None, now)}, now)
        again = with_values(back, self._relations.by_uid(fields), now)
        return self._written(stored.name, again, self._calendar.replace(stored, again.text))


def _client(connection: CaldavConnection) -> DAVClient:
    # Without RFC 6764 discovery the url is the url; rate limits are told, not slept through.
    return DAVClient(
        str(connection.url),
        username=connection.username,
        password=connection.password.reveal() if connection.password is not None else None,
        timeout=connection.timeout.total_seconds(),  # type: ignore[arg-type]  # the session takes fractions
        enable_rfc6764=False,
        rate_limit_handle=False,
    )
