"""`Rows`: which rows are asked for, and what a row says as a record. No statement is run here."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from sync_workers.model import ID, NOTHING_ELSE, About, Record
from sync_workers.services.base import Gone, OutOfScope, ReadResult
from sync_workers.services.sql.columns import Form, show_moment
from sync_workers.services.sql.table import Table
from sync_workers.values import same


class Rows:
    """The rows of one table; a row is what `select` gives."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._places = {role: len(table.shown) + n for n, role in enumerate(table.roles)}
        self._shows = [(name, table.columns[name].show) for name in table.shown]

    @property
    def key_column(self) -> sa.ColumnClause[Any]:
        return self.table.clause.c[self.table.key.name]

    def select(self) -> sa.Select[Any]:
        return sa.select(*self.table.selected())

    def visible(self) -> sa.Select[Any]:
        """All rows but the archived ones."""
        archived = self.table.roles.get("archived")
        if archived is None:
            return self.select()
        return self.select().where(self.table.clause.c[archived].is_not(sa.true()))

    def has_id(self, record_id: ID) -> sa.ColumnElement[bool]:
        return self.key_column == raw(self._key(record_id))

    def has_ids(self, ids: Sequence[ID]) -> sa.ColumnElement[bool]:
        keys = [key for key in map(self._key, ids) if key is not None]
        return self.key_column.in_(sa.bindparam("keys", keys, expanding=True, type_=sa.types.NullType()))

    def _key(self, record_id: ID) -> Any:
        """The id as the key column's value; None when no row can have it."""
        key = self.table.key
        try:
            if key.form is Form.INTEGER:
                return int(record_id)
            return str(uuid.UUID(record_id)) if key.form is Form.UUID else record_id
        except ValueError:
            # SQLite keeps text in integer columns too.
            return record_id if key.loose else None

    def has_key(self, row: sa.Row[Any]) -> bool:
        """SQLite's keys can be NULL, and an empty id is none."""
        return row[self._places["key"]] not in {None, ""}

    def id(self, row: sa.Row[Any]) -> ID:
        return str(row[self._places["key"]])

    def is_archived(self, row: sa.Row[Any]) -> bool:
        return "archived" in self._places and bool(row[self._places["archived"]])

    def record(self, row: sa.Row[Any]) -> Record:
        fields = {
            name: None if value is None else show(value)
            for (name, show), value in zip(self._shows, row, strict=False)
        }
        changed = show_moment(row[self._places["modified"]]) if "modified" in self._places else None
        return Record(
            id=self.id(row),
            fields=fields,
            modified=changed if isinstance(changed, datetime) else None,
            version=self._version(row, fields),
            about=self._about(row),
        )

    def _about(self, row: sa.Row[Any]) -> About:
        parent = row[self._places["parent"]] if "parent" in self._places else None
        return NOTHING_ELSE if parent in {None, ""} else About(parent=str(parent))

    def _version(self, row: sa.Row[Any], fields: dict[str, Any]) -> str:
        """A hash over the mapped columns and the version column.

        Both, since a person's UPDATE at a prompt seldom counts the version up, and since a version
        that was counted up may stand for a change of what is not mapped.
        """
        counted = row[self._places["version"]] if "version" in self._places else None
        told = repr((counted, fields)).encode(errors="surrogatepass")
        return hashlib.blake2b(told, digest_size=16).hexdigest()

    def is_still(self, row: sa.Row[Any], record: Record) -> bool:
        """Whether the row is what the record was read from."""
        now = self.record(row)
        if record.version is not None:
            return now.version == record.version
        return all(same(now.fields.get(name), value) for name, value in record.fields.items())

    def result(self, record_id: ID, rows: Sequence[sa.Row[Any]]) -> ReadResult:
        if not rows and self.table.is_view:
            return OutOfScope(record_id, "not in the view, which may leave out rows that are there")
        if not rows:
            return Gone(record_id)
        if len(rows) > 1:
            return OutOfScope(record_id, "several rows have this key", is_sure=False)
        return OutOfScope(record_id, "archived") if self.is_archived(rows[0]) else self.record(rows[0])


def raw(value: Any) -> sa.BindParameter[Any]:
    """A value as the driver sends it: SQLAlchemy would cast text to VARCHAR, which is no uuid."""
    return sa.bindparam(None, value, type_=sa.types.NullType())
