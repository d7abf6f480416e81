"""Which to-do belongs under which, as far as the objects that were read tell."""

from __future__ import annotations

from dataclasses import replace

from sync_workers.model import ID, About, Record
from sync_workers.services.caldav.todo import ToDo


class Relations:
    """A to-do names its parent by UID, and a record is known by its object's name."""

    def __init__(self) -> None:
        self._names: dict[str, ID] = {}
        self._parent_uids: dict[ID, str] = {}

    def note(self, name: ID, todo: ToDo) -> None:
        if todo.uid is not None:
            self._names[todo.uid] = name
        if todo.parent_uid is None:
            self._parent_uids.pop(name, None)
        else:
            self._parent_uids[name] = todo.parent_uid

    def placed(self, record: Record) -> Record:
        """The record under its parent, if that was noted, too."""
        parent = self._names.get(self._parent_uids.get(record.id, ""))
        return record if parent in {None, record.id} else replace(record, about=About(parent=parent))
