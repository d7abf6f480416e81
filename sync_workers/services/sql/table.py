"""`Table`: one table as the database describes it, and the columns that play a part in the sync."""

from __future__ import annotations

import difflib
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from sync_workers.errors import SettingsError
from sync_workers.services.base import Mapped
from sync_workers.services.sql.columns import Column, Form
from sync_workers.services.sql.settings import SqlContainer

TOKEN_LENGTHS = (32, 36)
"""Characters of the UUID that marks a create, without and with its hyphens."""

# What the column of each setting has to hold.
ROLES: Mapping[str, frozenset[Form]] = {
    "key": frozenset({Form.TEXT, Form.UUID, Form.INTEGER}),
    "version": frozenset({Form.INTEGER}),
    "modified": frozenset({Form.MOMENT, Form.LOCAL}),
    "archived": frozenset({Form.BOOLEAN}),
    "idempotency": frozenset({Form.TEXT, Form.UUID}),
    "parent": frozenset({Form.TEXT, Form.UUID, Form.INTEGER}),
}
# SQLite has neither times nor booleans, and many tables do not pretend that it has.
LOOSE_ROLES: Mapping[str, frozenset[Form]] = {
    **ROLES,
    "modified": ROLES["modified"] | {Form.TEXT},
    "archived": ROLES["archived"] | {Form.INTEGER},
}

# The form of a column, by the first of these types that it is an instance of.
FORMS: tuple[tuple[type[sa.types.TypeEngine[Any]], Form], ...] = (
    (sa.Enum, Form.ENUM),
    (sa.String, Form.TEXT),
    (sa.Uuid, Form.UUID),
    (sa.Boolean, Form.BOOLEAN),
    (sa.Integer, Form.INTEGER),
    (sa.Numeric, Form.NUMBER),
    (sa.Float, Form.NUMBER),
    (sa.DateTime, Form.LOCAL),
    (sa.Date, Form.DATE),
    (sa.JSON, Form.JSON),
)


@dataclass(frozen=True, slots=True)
class Table:
    """One table.

    Attributes:
        name: as in the task file.
        clause: what statements are made of; its columns have no types, see `columns`.
        shown: the columns that a record's fields are.
        roles: column names by the setting that named them; always has `key`.
        unique: columns that the database keeps unique.
        is_view: whether it may leave out rows that are there.
    """

    name: str
    clause: sa.TableClause
    columns: Mapping[str, Column]
    shown: tuple[str, ...]
    roles: Mapping[str, str]
    unique: frozenset[str]
    is_view: bool

    @property
    def key(self) -> Column:
        return self.columns[self.roles["key"]]

    @property
    def writable(self) -> frozenset[str]:
        """Columns that the task may write: not what we or the database fill in."""
        ours = {name for role, name in self.roles.items() if role not in {"key", "parent"}}
        return frozenset(name for name, c in self.columns.items() if c.field(writable=True).writable) - ours

    @property
    def token(self) -> str | None:
        """The column in which a create leaves its mark, so that it can be repeated; None without one."""
        if "idempotency" in self.roles:
            return self.roles["idempotency"]
        key = self.key
        fits = not key.computed and (key.form is Form.UUID or self._has_room(key))
        return key.name if fits and key.name in self.unique and key.name not in self.shown else None

    def mark(self, made: UUID) -> str:
        """The UUID of a create as the token column keeps it; frameworks keep them in a CHAR(32)."""
        short, long = TOKEN_LENGTHS
        length = self.columns[self.token or ""].length
        return made.hex if length is not None and short <= length < long else str(made)

    @property
    def clock_step(self) -> timedelta:
        """How coarse the `modified` column is. In SQLite others may write CURRENT_TIMESTAMP's seconds."""
        column = self.columns.get(self.roles.get("modified", ""))
        if column is None:
            return timedelta(0)
        digits = 0 if column.loose else column.precision
        return timedelta(0) if digits is None else timedelta(seconds=10**-digits)

    def selected(self) -> list[sa.ColumnElement[Any]]:
        """The shown columns, then those of the roles, as the drivers should return them."""
        return [self._read(name) for name in (*self.shown, *self.roles.values())]

    def problems(self, mapped: Mapped) -> list[str]:
        """What the task file asks for and this table does not have."""
        wanted = dict.fromkeys([*self.roles.values(), *mapped.names])
        found = [
            f"table {self.name} has no column {name!r}{nearest(name, self.columns)}"
            for name in wanted
            if name not in self.columns and (name in self.roles.values() or name not in mapped.ids)
        ]
        for role, name in self.roles.items():
            column = self.columns.get(name)
            fitting = (LOOSE_ROLES if column is not None and column.loose else ROLES)[role]
            if column is not None and column.form not in fitting:
                forms = " or ".join(sorted(fitting))
                found.append(
                    f"{role} = {name!r} of table {self.name} must hold {forms}; it holds {column.form}"
                )
        mark = self.columns.get(self.roles.get("idempotency", ""))
        if mark is not None and (mark.name not in self.unique or not self._has_room(mark)):
            found.append(
                f"idempotency = {mark.name!r} of table {self.name} needs a UNIQUE index "
                f"and room for {TOKEN_LENGTHS[0]} characters"
            )
        return found

    def _read(self, name: str) -> sa.ColumnElement[Any]:
        column = self.clause.c[name]
        if self.columns[name].form is Form.LIST:  # the driver does not know lists of an enum
            return sa.cast(column, postgresql.ARRAY(sa.Text))
        return sa.cast(column, sa.Text) if self.columns[name].cast else column

    @staticmethod
    def _has_room(column: Column) -> bool:
        return column.form is not Form.INTEGER and (column.length or TOKEN_LENGTHS[0]) >= TOKEN_LENGTHS[0]


def reflect(connection: sa.Connection, place: SqlContainer, mapped: Mapped) -> Table:
    """The table as the database describes it.

    Raises:
        SettingsError: it or a column that the task file names does not exist or cannot serve; all problems.
    """
    with warnings.catch_warnings():
        # PostgreSQL's less common types are unknown to SQLAlchemy and read as text here.
        warnings.simplefilter("ignore", category=sa.exc.SAWarning)
        inspector = sa.inspect(connection)
        schema, name = locate(inspector, place.table)
        described = inspector.get_columns(name, schema=schema)
        primary = tuple(inspector.get_pk_constraint(name, schema=schema)["constrained_columns"])
        unique = [primary, *uniques(inspector, name, schema)]
    if place.key is None and len(primary) != 1:
        msg = f"table {place.table} has no primary key of one column: set key to what tells rows apart"
        raise SettingsError(msg)
    columns = {c["name"]: describe(c, connection.dialect.name, primary) for c in described}
    table = Table(
        name=place.table,
        clause=sa.table(name, *map(sa.column, columns), schema=schema),
        columns=columns,
        # One that was mapped before and is gone is left out; whoever knows what it was decides.
        shown=tuple(n for n in mapped.names if n in columns or n not in mapped.ids) or tuple(columns),
        roles={"key": place.key or primary[0], **place.roles},
        is_view=name in views(inspector, schema),
        unique=frozenset(names[0] for names in unique if len(names) == 1 and names[0] is not None),
    )
    if problems := table.problems(mapped):
        raise SettingsError(*problems)
    return table


def locate(inspector: sa.Inspector, text: str) -> tuple[str | None, str]:
    """Schema and name: the text itself may be a name with a dot in it."""
    if inspector.has_table(text):
        return None, text
    schema, dot, name = text.partition(".")
    if dot and inspector.has_table(name, schema=schema):
        return schema, name
    inside = schema if dot and schema in inspector.get_schema_names() else None
    there = [*inspector.get_table_names(schema=inside), *inspector.get_view_names(schema=inside)]
    full = [f"{inside}.{each}" for each in there] if inside else there
    msg = f"there is no table {text!r}{nearest(text, full)}"
    raise SettingsError(msg)


def views(inspector: sa.Inspector, schema: str | None) -> list[str]:
    kept = inspector.get_materialized_view_names if inspector.dialect.name == "postgresql" else lambda **_: []
    return [*inspector.get_view_names(schema=schema), *kept(schema=schema)]


def uniques(inspector: sa.Inspector, name: str, schema: str | None) -> Iterable[tuple[str | None, ...]]:
    """Columns of unique constraints and of unique indexes over all rows."""
    for constraint in inspector.get_unique_constraints(name, schema=schema):
        yield tuple(constraint["column_names"])
    # SQLite's constraints are read from the table's text, and not every text is understood; its indexes are.
    also = {"include_auto_indexes": True} if inspector.dialect.name == "sqlite" else {}
    for index in inspector.get_indexes(name, schema=schema, **also):
        partial = any(option.endswith("_where") for option in index.get("dialect_options", {}))
        if index["unique"] and not partial:
            yield tuple(index["column_names"])


def describe(found: Mapping[str, Any], dialect: str, primary: tuple[str, ...]) -> Column:
    """A column from SQLAlchemy's description of it."""
    loose = dialect == "sqlite"
    kind: Any = found["type"]
    kind = kind.data_type if isinstance(kind, postgresql.DOMAIN) else kind
    form = form_of(kind, loose=loose)
    # SQLite numbers the rows of a table by its only INTEGER PRIMARY KEY.
    numbered = loose and form is Form.INTEGER and primary == (found["name"],)
    labels = kind.item_type if form is Form.LIST else kind
    return Column(
        name=found["name"],
        form=form,
        nullable=found["nullable"],
        computed=bool(found.get("computed") or found.get("identity") or found.get("autoincrement") is True)
        or numbered,
        options=tuple(getattr(labels, "enums", ())) if form in {Form.ENUM, Form.LIST} else (),
        length=getattr(kind, "length", None) if form is Form.TEXT else None,
        precision=getattr(kind, "precision", None),
        loose=loose,
        # A CHAR(n) loses the blanks that fill it.
        cast=not loose and (form in {Form.OTHER, Form.JSON} or isinstance(kind, sa.CHAR)),
    )


def form_of(kind: sa.types.TypeEngine[Any], *, loose: bool) -> Form:
    if isinstance(kind, sa.ARRAY):
        return Form.LIST if isinstance(kind.item_type, sa.String) else Form.OTHER
    if isinstance(kind, sa.DateTime) and kind.timezone:
        return Form.MOMENT
    if isinstance(kind, sa.types.LargeBinary):
        return Form.BLOB if loose else Form.OTHER
    if loose and isinstance(kind, sa.Time):
        return Form.TEXT
    for known, form in FORMS:
        if isinstance(kind, known):
            return form
    return Form.RAW if loose else Form.OTHER


def nearest(name: str, there: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(there), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
