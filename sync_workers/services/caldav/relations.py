"""Which to-do belongs under which: it names its parent by UID, and a record is known by its object's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sync_workers.model import ID, About, Fields, Record
from sync_workers.services.base import OutOfScope
from sync_workers.services.caldav.calendar import Calendar, Stored
from sync_workers.services.caldav.todo import ToDo

PARENT = "parent"
"""The field that names the parent."""

SUFFIX = ".ics"


class Relations:
    """What the objects that were read tell; for the rest the calendar is asked, once for each."""

    def __init__(self, calendar: Calendar, opened: Callable[[Stored], ToDo | OutOfScope]) -> None:
        self._calendar = calendar
        self._opened = opened
        self._shown: dict[str, ID] = {}
        self._hidden: dict[str, ID] = {}
        self._uids: dict[ID, str] = {}
        self._parent_uids: dict[ID, str] = {}

    def note(self, name: ID, todo: ToDo) -> None:
        """Remember one that makes a record, or that is put out of sight."""
        if todo.uid is not None:
            now, before = (self._hidden, self._shown) if todo.archived else (self._shown, self._hidden)
            before.pop(todo.uid, None)
            now[todo.uid] = name
            self._uids[name] = todo.uid
        if todo.parent_uid is None:
            self._parent_uids.pop(name, None)
        else:
            self._parent_uids[name] = todo.parent_uid

    def placed(self, record: Record, *, asks: bool = True) -> Record:
        """The record under its parent, if that is a record, too; its own field names it in any case.

        `asks` the calendar for a parent that was not read, which after a whole listing is of no use.
        """
        uid = self._parent_uids.get(record.id)
        if uid is None:
            return record
        if PARENT in record.fields:
            named = self._name(uid, asks=asks)
            fields = {**record.fields, PARENT: None if named == record.id else named}
            record = replace(record, fields=fields)
        parent = self._shown.get(uid)
        return record if parent in {None, record.id} else replace(record, about=About(parent=parent))

    def by_uid(self, fields: Fields) -> Fields:
        """The fields as a to-do keeps them: it names its parent by UID."""
        parent = fields.get(PARENT)
        return {**fields, PARENT: self._uid(parent)} if isinstance(parent, str) else fields

    def _uid(self, name: ID) -> str:
        """The UID of the to-do of that name; of one that is not there the one that its name tells."""
        if name not in self._uids:
            stored = self._calendar.objects([name])[name]
            uid = None if stored is None else self._learned(stored)
            return uid or name.removesuffix(SUFFIX)
        return self._uids[name]

    def _name(self, uid: str, *, asks: bool) -> ID:
        """The name of the object with a UID.

        Of one that is not there the name that nearly all programs give it, so that it stays the same for the
        sync when it goes, or comes later than its children.
        """
        name = self._shown.get(uid) or self._hidden.get(uid)
        if name is None:
            name = (self._asked(uid) if asks else None) or f"{uid}{SUFFIX}"
            self._hidden[uid] = name
        return name

    def _asked(self, uid: str) -> ID | None:
        # The server finds texts that only contain it, too.
        return next((one.name for one in self._calendar.with_uid(uid) if self._learned(one) == uid), None)

    def _learned(self, stored: Stored) -> str | None:
        """The UID of an object that was asked for, which is remembered with it."""
        todo = self._opened(stored)
        if isinstance(todo, OutOfScope):
            return None
        self.note(stored.name, todo)
        return todo.uid
