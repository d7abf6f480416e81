"""Columns: which values they hold, and how those cross between SQL and canonical values.

The drivers' own values are used, past SQLAlchemy's types: one cell that cannot be read (SQLite keeps
any text in a date column, PostgreSQL knows the day "infinity") would otherwise fail the whole
listing. Such a cell is shown as the text that stands there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sync_workers.errors import RejectedError
from sync_workers.services.base import Field, Kind
from sync_workers.values import DateRange, is_unset


class Form(StrEnum):
    """What a column holds, in the words of messages to people."""

    TEXT = "text"
    UUID = "a UUID"
    ENUM = "one of its enum's labels"
    INTEGER = "a whole number"
    NUMBER = "a number"
    BOOLEAN = "true or false"
    DATE = "a date"
    MOMENT = "a date and time"  # with its zone
    LOCAL = "a date and time in UTC"  # without a zone
    LIST = "a list of texts"
    JSON = "JSON"
    OTHER = "text in PostgreSQL's notation"  # intervals, networks, ranges: read and written as text
    RAW = "anything"  # SQLite columns without a type
    BLOB = "bytes"


KINDS: Mapping[Form, Kind] = {
    Form.ENUM: Kind.CHOICE,
    Form.INTEGER: Kind.NUMBER,
    Form.NUMBER: Kind.NUMBER,
    Form.BOOLEAN: Kind.CHECKBOX,
    Form.DATE: Kind.DATE,
    Form.MOMENT: Kind.DATE,
    Form.LOCAL: Kind.DATE,
    Form.LIST: Kind.CHOICES,
    Form.JSON: Kind.ANY,
    Form.RAW: Kind.ANY,
}

# What "nobody has filled this in" is in a NOT NULL column; other forms have no such value.
EMPTY: Mapping[Form, Any] = {Form.TEXT: "", Form.BOOLEAN: False, Form.LIST: []}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the table.

    Attributes:
        computed: the database makes the value: generated, identity, serial.
        length: the most characters it declares to keep; None without limit.
        precision: digits after the second, for times; None for the database's finest.
        loose: SQLite, which keeps dates as text and decimals as floats.
        cast: PostgreSQL is asked for the column's text, not for its own value.
    """

    name: str
    form: Form
    nullable: bool = True
    computed: bool = False
    options: tuple[str, ...] = ()
    length: int | None = None
    precision: int | None = None
    loose: bool = False
    cast: bool = False

    @property
    def longest(self) -> int | None:
        """The most characters it keeps; SQLite keeps more than it declares."""
        return None if self.loose else self.length

    def field(self, *, writable: bool) -> Field:
        return Field(
            self.name,
            KINDS.get(self.form, Kind.TEXT),
            id=self.name,
            writable=writable and not self.computed and self.form is not Form.BLOB,
            times=self.form is not Form.DATE,
            options=self.options,
            longest=self.longest,
        )

    def show(self, value: Any) -> Any:
        """The driver's value as a canonical value."""
        reader = READERS.get(self.form)
        return value if value is None or reader is None else reader(value)

    def store(self, value: Any) -> Any:
        """A canonical value as the driver takes it.

        Raises:
            RejectedError: the column can never hold such a value; says which kind it takes.
        """
        if is_unset(value) and not isinstance(value, dict):
            return None if self.nullable else EMPTY.get(self.form)
        try:
            stored = WRITERS[self.form](value) if self.form in WRITERS else value
        except (TypeError, ValueError, ArithmeticError):
            stored = None
        # Not chained: what Python says about a value that it cannot convert has the value in it.
        if stored is None or (self.form is Form.ENUM and stored not in self.options):
            labels = f" ({', '.join(self.options)})" if self.options else ""
            msg = f"column {self.name!r} takes {self.form}{labels}, and the value is something else"
            raise RejectedError(msg)
        if self.longest is not None and len(stored) > self.longest:
            msg = f"column {self.name!r} keeps {self.longest} characters, and the value has {len(stored)}"
            raise RejectedError(msg)
        if not self.loose:
            return stored
        if isinstance(stored, datetime):
            return stored.isoformat(sep=" ")
        if isinstance(stored, Decimal):
            return float(stored)
        return stored.isoformat() if isinstance(stored, date) else stored


def show_number(value: Any) -> Any:
    """Decimals as int or float where nothing is lost, else as they are."""
    if not isinstance(value, Decimal):
        return value if isinstance(value, int | float) else str(value)
    if not value.is_finite():
        return float(value)
    if value == value.to_integral_value():
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else value


def show_moment(value: Any) -> Any:
    """In UTC; a time without a zone is taken for UTC."""
    if not isinstance(value, datetime):
        try:
            return show_moment(datetime.fromisoformat(value))
        except (TypeError, ValueError, OverflowError):
            return str(value)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def show_date(value: Any) -> Any:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        moment = show_moment(value)
        return moment.date() if isinstance(moment, datetime) else moment


def show_json(value: Any) -> Any:
    """Both databases are asked for its text, so that "12" and 12 stay apart."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def store_text(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset | dict | bytes | bool | DateRange):
        raise TypeError
    return value.isoformat() if isinstance(value, date | time) else str(value)


def store_number(value: Any) -> Any:
    """Whole floats, as Notion has them, as int."""
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, int | float):
        raise TypeError
    return int(value) if isinstance(value, int) or value.is_integer() else value


def store_boolean(value: Any) -> bool:
    if not isinstance(value, bool | int):
        raise TypeError
    return bool(value)


def store_moment(value: Any) -> datetime:
    """Days begin at midnight UTC."""
    if isinstance(value, DateRange):
        return store_moment(value.start)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    moment = value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def store_date(value: Any) -> date:
    """The day in the moment's own zone, which is the one its author saw."""
    if isinstance(value, DateRange):
        return store_date(value.start)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, date):
        raise TypeError
    return value.date() if isinstance(value, datetime) else value


def store_list(value: Any) -> list[str]:
    if not isinstance(value, list | tuple | set | frozenset):
        raise TypeError
    return [str(item) for item in value]


def store_json(value: Any) -> str:
    """As text, which both databases take; dates in it become ISO text."""
    plain = sorted(value, key=repr) if isinstance(value, set | frozenset) else value
    return json.dumps(plain, ensure_ascii=False, default=str)


READERS: Mapping[Form, Callable[[Any], Any]] = {
    Form.TEXT: lambda value: value.hex() if isinstance(value, bytes) else str(value),
    Form.UUID: str,
    Form.INTEGER: show_number,
    Form.NUMBER: show_number,
    Form.BOOLEAN: lambda value: bool(value) if isinstance(value, int) else str(value),
    Form.DATE: show_date,
    Form.MOMENT: show_moment,
    Form.LOCAL: show_moment,
    Form.LIST: lambda value: [item for item in value if item is not None],
    Form.JSON: show_json,
    Form.RAW: lambda value: value.hex() if isinstance(value, bytes) else value,
    Form.BLOB: lambda value: value.hex() if isinstance(value, bytes) else value,
}

WRITERS: Mapping[Form, Callable[[Any], Any]] = {
    Form.TEXT: store_text,
    Form.UUID: lambda value: str(UUID(str(value))),
    Form.ENUM: store_text,
    Form.INTEGER: store_number,
    Form.NUMBER: store_number,
    Form.BOOLEAN: store_boolean,
    Form.DATE: store_date,
    Form.MOMENT: store_moment,
    Form.LOCAL: lambda value: store_moment(value).replace(tzinfo=None),
    Form.LIST: store_list,
    Form.JSON: store_json,
    Form.OTHER: store_text,
    Form.RAW: lambda value: store_json(value) if isinstance(value, list | dict | set) else value,
}
