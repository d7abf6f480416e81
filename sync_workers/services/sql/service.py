"""`SqlService`: a table as one side of a task; see `sync_workers.services.base.Service`.

Each write locks the row, compares it with the record the plan was made from, writes the named
columns only and reads the row back, all in one transaction: what rounding and triggers made of the
values is what the caller gets.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from sync_workers.errors import MovedError, RejectedError
from sync_workers.model import ID, NOTHING, Fields, Record
from sync_workers.services.base import (
    Capabilities,
    Fetched,
    Field,
    Mapped,
    ReadResult,
    WithoutExtras,
)
from sync_workers.services.sql.database import Database
from sync_workers.services.sql.rows import Rows, raw
from sync_workers.services.sql.settings import SqlContainer
from sync_workers.services.sql.table import Table, reflect

IDS_PER_STATEMENT = 500
"""SQLite takes 999 values in one statement where it is old."""
CREATES = uuid.UUID("5b0e3ad4-4a35-5a86-9d0c-0a8c3e1a4f6b")
"""The namespace of the marks that creates leave; never change it, or pending creates are done twice."""


class SqlService(WithoutExtras):
    """One side of a task over a table."""

    def __init__(self, database: Database, place: SqlContainer, mapped: Mapped) -> None:
        self._database = database
        self._place = place
        self._mapped = mapped
        self._name = f"table {place.table}"

    @cached_property
    def capabilities(self) -> Capabilities:
        """Looks at the table when first used, since its columns decide."""
        return Capabilities(
            compare_and_set=True,
            safe_create=self._table.token is not None,
            archives="archived" in self._table.roles,
            restores="archived" in self._table.roles,
            clock_step=self._table.clock_step,
        )

    @cached_property
    def _rows(self) -> Rows:
        with self._database.reading(self._name) as connection:
            return Rows(reflect(connection, self._place, self._mapped))

    @property
    def _table(self) -> Table:
        return self._rows.table

    def schema(self) -> Mapping[str, Field]:
        writable = self._table.writable
        return {name: c.field(writable=name in writable) for name, c in self._table.columns.items()}

    def setup(self) -> Mapping[str, str]:
        # The parent column says nothing about which rows are meant, nor what a record holds.
        told = {role: name for role, name in self._place.roles.items() if role != "parent"}
        roles = [f"{role}={name}" for role, name in sorted(told.items())]
        bound = {
            "container": " ".join([self._database.place, self._place.table, *roles]),
            "fields": ",".join(sorted(self._mapped.names)),
        }
        credential = self._database.credential
        return bound if credential is None else {**bound, "credential": credential}

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:  # noqa: ARG002 - there is no change feed
        statement = self._rows.visible()
        with self._database.reading(self._name) as connection:
            rows = connection.execute(statement).all()
        records = tuple(self._rows.record(row) for row in rows if self._rows.has_key(row))
        # A row without a key may be any record that is absent here.
        return Fetched(records, complete=len(records) == len(rows))

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        rows, found = self._rows, dict[ID, list[sa.Row[Any]]]()
        with self._database.reading(self._name) as connection:
            for start in range(0, len(ids), IDS_PER_STATEMENT):
                asked = rows.has_ids(ids[start : start + IDS_PER_STATEMENT])
                for row in connection.execute(rows.select().where(asked)):
                    found.setdefault(rows.id(row), []).append(row)
        return {record_id: rows.result(record_id, found.get(record_id, ())) for record_id in ids}

    def create(self, fields: Fields, idempotency: str) -> Record:
        values = {**self._birth(), **self._values(fields, creating=True)}
        with self._database.writing(self._name, fields) as connection:
            found = self._insert(connection, values, idempotency)
            return self._revived(connection, found, fields) or self._back(connection, found)

    def _revived(
        self, connection: sa.Connection, found: sa.ColumnElement[bool], fields: Fields
    ) -> Record | None:
        """Bring back the row that an earlier create made and that was archived since; None if it is not."""
        row = connection.execute(self._rows.select().where(found)).one_or_none()
        if row is None or not self._rows.is_archived(row):
            return None
        values = {**self._values(fields), self._table.roles["archived"]: False}
        return self._write(connection, self._rows.record(row), values)

    def update(self, record: Record, fields: Fields) -> Record:
        values = self._values(fields)
        with self._database.writing(self._name, fields) as connection:
            row = self._locked(connection, record.id)
            if row is None or self._rows.is_archived(row):
                raise moved(record.id, "is not there any more")
            self._expect_unchanged(row, record)
            return self._write(connection, record, values) if values else self._rows.record(row)

    def delete(self, record: Record) -> None:
        with self._database.writing(self._name, ()) as connection:
            row = self._locked(connection, record.id)
            if row is None:
                return
            self._expect_unchanged(row, record)
            self._run_on_one(connection, sa.delete(self._table.clause).where(self._rows.has_id(record.id)))

    def archive(self, record: Record) -> None:
        column = self._table.roles.get("archived")
        if column is None:
            msg = f"{self._name} has no archive: name a boolean column as archived"
            raise RejectedError(msg)
        with self._database.writing(self._name, (column,)) as connection:
            row = self._locked(connection, record.id)
            if row is not None and not self._rows.is_archived(row):
                self._expect_unchanged(row, record)
                self._write(connection, record, {column: True})

    def restore(self, record_id: ID) -> Record:
        """Bring an archived row back; a deleted one leaves nothing to bring back."""
        column = self._table.roles.get("archived")
        if column is None:
            return super().restore(record_id)
        with self._database.writing(self._name, (column,)) as connection:
            row = self._locked(connection, record_id)
            if row is None:
                raise moved(record_id, "was deleted, and the table keeps nothing of it")
            record = self._rows.record(row)
            if not self._rows.is_archived(row):
                return record
            return self._write(connection, record, {column: False})

    def close(self) -> None:
        self._database.close()

    def _values(self, fields: Fields, *, creating: bool = False) -> dict[str, Any]:
        """The fields as the columns take them.

        A new row gets the column's default where it cannot be empty and nothing is given.
        """
        for problem, names in (
            ("has no field", set(fields) - set(self._table.shown)),
            ("makes the value itself of", set(fields) - self._table.writable),
        ):
            if names:
                msg = f"{self._name} {problem} {', '.join(sorted(names))}"
                raise RejectedError(msg)
        columns = self._table.columns
        stored: dict[str, Any] = {}
        refused: dict[str, RejectedError] = {}
        for name, value in fields.items():
            try:
                stored[name] = columns[name].store(value)
            except RejectedError as error:
                refused[name] = error
        if refused:
            is_known_by = self._table.key.name in refused
            raise RejectedError(
                "; ".join(map(str, refused.values())), fields=() if is_known_by else tuple(refused)
            )
        if not creating:
            return stored
        return {name: v for name, v in stored.items() if v is not None or columns[name].nullable}

    def _now(self) -> sa.ColumnElement[Any]:
        """The database's clock, so that our writes and a person's are comparable."""
        if self._database.is_sqlite:
            return sa.func.strftime("%Y-%m-%d %H:%M:%f", "now")
        return sa.func.clock_timestamp()

    def _birth(self) -> dict[str, Any]:
        """What a new row has beside its fields."""
        given = {"version": 1, "modified": self._now(), "archived": False}
        return {self._table.roles[role]: value for role, value in given.items() if role in self._table.roles}

    def _insert(
        self, connection: sa.Connection, values: dict[str, Any], idempotency: str
    ) -> sa.ColumnElement[bool]:
        """Insert a row, unless an earlier attempt of the same create did; what finds the row."""
        clause, token = self._table.clause, self._table.token
        if token is None:
            statement = sa.insert(clause).values(values).returning(self._rows.key_column)
            return self._rows.key_column == raw(connection.execute(statement).scalar())
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        mark = self._table.mark(uuid.uuid5(CREATES, idempotency))
        once = insert(clause).values({**values, token: mark})
        connection.execute(once.on_conflict_do_nothing(index_elements=[clause.c[token]]))
        return clause.c[token] == raw(mark)

    def _write(self, connection: sa.Connection, record: Record, values: dict[str, Any]) -> Record:
        """Write the columns of the locked row, and those that say that it changed."""
        roles, key = self._table.roles, self._table.key.name
        if key in values and str(values[key]) != record.id:
            msg = f"the key {key!r} of {self._name} cannot be changed: it is what the row is known by"
            raise RejectedError(msg)
        written = dict(values)
        if "version" in roles:
            counted = self._table.clause.c[roles["version"]]
            written[counted.name] = sa.func.coalesce(counted, 0) + 1
        if "modified" in roles:
            written[roles["modified"]] = self._now()
        here = self._rows.has_id(record.id)
        self._run_on_one(connection, sa.update(self._table.clause).where(here).values(written))
        return self._back(connection, here)

    def _locked(self, connection: sa.Connection, record_id: ID) -> sa.Row[Any] | None:
        """The row as it is now and stays until the end of the transaction; None when it is gone."""
        statement = self._rows.select().where(self._rows.has_id(record_id))
        # SQLite's transaction has locked the whole file already.
        rows = connection.execute(
            statement if self._database.is_sqlite else statement.with_for_update()
        ).all()
        if len(rows) > 1:
            msg = f"{self._name} has several rows with the key {record_id}: make the key unique"
            raise RejectedError(msg)
        return rows[0] if rows else None

    def _expect_unchanged(self, row: sa.Row[Any], record: Record) -> None:
        if not self._rows.is_still(row, record):
            raise moved(record.id, "changed since it was read")

    def _run_on_one(self, connection: sa.Connection, statement: sa.Update | sa.Delete) -> None:
        if connection.execute(statement).rowcount != 1:
            msg = f"{self._name} ignores the write without an error: look for a trigger, rule or policy"
            raise RejectedError(msg)

    def _back(self, connection: sa.Connection, here: sa.ColumnElement[bool]) -> Record:
        """The record as the database shows it after the write."""
        rows = connection.execute(self._rows.select().where(here)).all()
        if len(rows) != 1 or not self._rows.has_key(rows[0]):
            msg = (
                f"{self._name} does not show the row after the write: look at its triggers, policies and key"
            )
            raise RejectedError(msg)
        return self._rows.record(rows[0])


def moved(record_id: ID, what: str) -> MovedError:
    return MovedError(f"record {record_id} {what}")
