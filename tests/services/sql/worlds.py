"""Tables as a person sees them: made, filled and edited past the service, with SQLAlchemy's own types."""

from __future__ import annotations

import contextlib
import itertools
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sync_workers.model import ID, Record
from sync_workers.services.base import Mapped
from sync_workers.services.local_budget import LocalBudget
from sync_workers.services.sql import KIND
from sync_workers.services.sql.service import SqlService
from sync_workers.services.sql.settings import SqlConnection, SqlContainer

numbers = itertools.count(1)

TASKS = """CREATE TABLE tasks (id varchar(40) PRIMARY KEY, title text, effort numeric(10,2),
    version integer, changed timestamp, archived boolean, secret text DEFAULT 'untouched')"""
ROLES: dict[str, Any] = {"version": "version", "modified": "changed", "archived": "archived"}


def only(records: tuple[Record, ...]) -> Record:
    (record,) = records
    return record


@dataclass
class Place(contextlib.ExitStack):
    """A database with room for tables, and the services that a test opened on it."""

    url: str
    schema: str | None = None
    engine: sa.Engine = field(init=False)

    def __post_init__(self) -> None:
        super().__init__()
        driver = {"postgresql": "postgresql+psycopg"}
        url = sa.make_url(self.url)
        url = url.set(drivername=driver.get(url.drivername, url.drivername))
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.callback(self.engine.dispose)

    @classmethod
    def file(cls, path: Path) -> Place:
        path.touch()
        return cls(f"sqlite:///{path}")

    @property
    def is_sqlite(self) -> bool:
        return self.schema is None

    def path(self, table: str) -> str:
        """The table as the task file names it."""
        return f"{self.schema}.{table}" if self.schema else table

    def run(self, statement: str, **values: Any) -> list[Any]:
        """Run SQL as a person at a prompt, in the schema of the test."""
        with self.engine.begin() as connection:
            if self.schema:
                connection.execute(sa.text(f'SET LOCAL search_path TO "{self.schema}"'))
            result = connection.execute(sa.text(statement), values)
            return list(result.all()) if result.returns_rows else []

    def open(
        self,
        table: str,
        mapped: Sequence[str] = (),
        connection: dict[str, Any] | None = None,
        **settings: Any,
    ) -> SqlService:
        """A service on the table, closed at the end of the test."""
        service = KIND.connect(
            SqlConnection(**{"url": self.url, **(connection or {})}),
            SqlContainer(table=self.path(table), **settings),
            Mapped(tuple(mapped)),
            LocalBudget(),
        )
        assert isinstance(service, SqlService)
        self.callback(service.close)
        return service


def new_schema(server: str) -> Place:
    place = Place(server, f"test_{os.getpid()}_{next(numbers)}")
    with place.engine.begin() as connection:
        connection.execute(sa.schema.CreateSchema(str(place.schema)))
    return place


@dataclass(frozen=True)
class Variant:
    """A shape that people's tables have."""

    key: type[Any]
    versioned: bool
    marked: bool = False  # with a column for the idempotency text

    def __str__(self) -> str:
        parts = (self.key.__name__.lower(), "version" if self.versioned else "hash", "mark" * self.marked)
        return "-".join(filter(None, parts))


class TableWorld:
    """One empty table of a shape; see `tests.contracts.world.World`."""

    keeps_deleted = False

    def __init__(self, place: Place, variant: Variant) -> None:
        self.place = place
        self.version = "version" if variant.versioned else None
        self.mark = "mark" if variant.marked else None
        extra: list[sa.Column[Any]] = (
            [sa.Column("version", sa.Integer, nullable=False)] if variant.versioned else []
        )
        if self.mark:
            extra.append(sa.Column(self.mark, sa.String(36), unique=True))
        columns: list[sa.Column[Any]] = [
            sa.Column("id", variant.key(), primary_key=True),
            sa.Column("title", sa.Text),
            sa.Column("done", sa.Boolean, nullable=False, server_default=sa.false()),
            sa.Column("effort", sa.Numeric(10, 2)),
            sa.Column("due", sa.Date),
            sa.Column("seen", sa.DateTime(timezone=True)),
            sa.Column("note", sa.String(200)),
            sa.Column("archived", sa.Boolean),
            sa.Column("changed_at", sa.DateTime(timezone=True)),
            *extra,
        ]
        self.table = sa.Table("tasks", sa.MetaData(), *columns, schema=place.schema)
        self.table.create(place.engine)
        self.samples: dict[str, tuple[Any, Any]] = {
            "title": ("Bread", "Milk, 1½ l\nor two"),
            "done": (True, False),
            "effort": (2.5, 3),
            "due": (date(2026, 3, 1), date(2027, 12, 31)),
            "seen": (datetime(2026, 3, 1, 10, 30, tzinfo=UTC), datetime(2026, 3, 2, 11, 0, 1, 5, tzinfo=UTC)),
            "note": ("a", "b"),
        }
        self.mapped = Mapped(tuple(self.samples), key="title")

    def open(self) -> SqlService:
        return self.place.open(
            "tasks",
            self.mapped.names,
            version=self.version,
            idempotency=self.mark,
            modified="changed_at",
            archived="archived",
        )

    def add(self, fields: dict[str, Any]) -> ID:
        key = {} if isinstance(self.table.c.id.type, sa.Integer) else {"id": self._new_key()}
        version = {"version": 1} if self.version else {}
        with self.place.engine.begin() as connection:
            done = connection.execute(self.table.insert().values(**fields, **key, **version))
        assert done.inserted_primary_key is not None
        made = done.inserted_primary_key[0]
        # SQLAlchemy keeps UUIDs in SQLite as a CHAR(32), without hyphens.
        return made.hex if isinstance(made, uuid.UUID) and self.place.is_sqlite else str(made)

    def edit(self, record_id: ID, fields: dict[str, Any]) -> None:
        """As people do at a prompt: without counting the version up."""
        with self.place.engine.begin() as connection:
            connection.execute(self.table.update().where(self._is(record_id)).values(**fields))

    def remove(self, record_id: ID) -> None:
        with self.place.engine.begin() as connection:
            connection.execute(self.table.delete().where(self._is(record_id)))

    destroy = remove

    def _new_key(self) -> Any:
        return uuid.uuid4() if isinstance(self.table.c.id.type, sa.Uuid) else f"made by hand {next(numbers)}"

    def _is(self, record_id: ID) -> sa.ColumnElement[bool]:
        column: sa.Column[Any] = self.table.c.id
        return sa.and_(column == column.type.python_type(record_id))
