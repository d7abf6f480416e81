"""What a database's refusal means: its error codes as the errors of this project.

A database puts the values it refused into its messages, and so does SQLAlchemy. Codes and names of
columns and constraints are all that is taken from them, and what happened after values were sent is
not chained as a cause, since causes are printed with tracebacks.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from sync_workers.errors import (
    AccessError,
    LaterError,
    RejectedError,
    SettingsError,
    SyncError,
    UnknownOutcomeError,
)


class Moment(StrEnum):
    """What was being done when the error came."""

    CONNECT = "connecting"
    READ = "reading"
    WRITE = "writing"
    COMMIT = "committing"


# SQLSTATE classes and codes, https://www.postgresql.org/docs/current/errcodes-appendix.html
LOST = ("08", "57P01", "57P02", "57P03", "57P05")  # the connection or the server ended
UNRESOLVED = ("08007", "40003")  # the server itself does not know how the transaction ended
BUSY = ("40", "53", "55P03", "55006", "57", "58")  # deadlock, resources, locks, timeouts, disks
REFUSED = ("25006", "28", "3D", "42501")  # read-only, no login, no such database, no privilege
CHANGED = ("3F", "42P01", "42703")  # no such schema, table, column: there a moment ago

# SQLite's primary result codes.
SQLITE_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
SQLITE_LATER = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT}
SQLITE_REFUSED = {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
SQLITE_CHANGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA}
# For these, SQLite's message is a fixed sentence, a colon and names from the schema.
SQLITE_NAMED = {
    sqlite3.SQLITE_CONSTRAINT_CHECK,
    sqlite3.SQLITE_CONSTRAINT_NOTNULL,
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY,
    sqlite3.SQLITE_CONSTRAINT_UNIQUE,
}


def translate(error: Exception, moment: Moment, place: str, columns: Collection[str] = ()) -> SyncError:
    """The error of this project that says what to do next.

    Args:
        error: what SQLAlchemy raised, or what a driver raised for a value that it cannot send.
        moment: what was being done.
        place: the table or database, for the message.
        columns: the columns that were written, for refusals that name none.
    """
    origin = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    if isinstance(origin, sqlite3.Error):
        return of_sqlite(origin, moment, place, columns)
    if isinstance(error, sa.exc.DBAPIError):
        return of_postgresql(error, moment, place, columns)
    return rejected(place, columns, f"the driver cannot send the value ({type(error).__name__})")


def of_postgresql(
    error: sa.exc.DBAPIError, moment: Moment, place: str, columns: Collection[str]
) -> SyncError:
    origin: Any = error.orig
    code = getattr(origin, "sqlstate", None) or ""
    lost = error.connection_invalidated or code.startswith(LOST) or is_unreachable(error)
    if moment is Moment.CONNECT:
        return unconnected(origin, code, place)
    if code in UNRESOLVED or (moment is Moment.COMMIT and lost):
        return unknown(place)
    if lost:
        return LaterError(f"the connection to {place} was lost while {moment}; nothing was done")
    if code.startswith(BUSY):
        return LaterError(f"{place} is busy (SQLSTATE {code}); nothing was done")
    if code.startswith(REFUSED):
        return AccessError(
            f"{place} refuses this user while {moment} (SQLSTATE {code}): grant what is missing"
        )
    if code.startswith(CHANGED) or moment is Moment.READ:
        return SettingsError(f"{place} cannot be used as it is set up (SQLSTATE {code or 'unknown'})")
    diagnosis = getattr(origin, "diag", None)
    named = (("column", "column_name"), ("constraint", "constraint_name"))
    names = [f"{what} {getattr(diagnosis, part)!r}" for what, part in named if getattr(diagnosis, part, None)]
    return rejected(place, columns, f"{' '.join(names) or 'a value'}, SQLSTATE {code or 'unknown'}")


def is_unreachable(error: sa.exc.DBAPIError) -> bool:
    """An error of the connection has no SQLSTATE, since no server gave one."""
    return isinstance(error, sa.exc.OperationalError) and getattr(error.orig, "sqlstate", None) is None


def unconnected(origin: Any, code: str, place: str) -> SyncError:
    """PostgreSQL's library gives no code here, but says whether it came to asking for a password."""
    connection = getattr(origin, "pgconn", None)
    asked = connection is not None and (connection.needs_password or connection.used_password)
    if asked or code.startswith(REFUSED):
        return AccessError(
            f"{place} refuses to let this user in: check user, password and the database's name"
        )
    return LaterError(
        f"{place} does not answer: check that it runs, and host, port, user and database in url"
    )


def of_sqlite(error: sqlite3.Error, moment: Moment, place: str, columns: Collection[str]) -> SyncError:
    extended = getattr(error, "sqlite_errorcode", None)
    code = None if extended is None else extended & 0xFF
    if code in SQLITE_BUSY:
        return LaterError(f"{place} is locked by another program; nothing was done")
    if code in SQLITE_LATER:
        return unknown(place) if moment is Moment.COMMIT else LaterError(f"{place}: its disk gives errors")
    if code in SQLITE_REFUSED:
        return AccessError(f"{place} cannot be opened or written: check the file's owner and rights")
    if code in SQLITE_CHANGED or moment in {Moment.READ, Moment.CONNECT}:
        return SettingsError(f"{place} cannot be used: it is no database, or its tables changed")
    names = str(error).partition(": ")[2] if extended in SQLITE_NAMED else ""
    return rejected(place, columns, f"{getattr(error, 'sqlite_errorname', 'a value')} {names}".strip())


def rejected(place: str, columns: Collection[str], why: str) -> RejectedError:
    written = f"; written were {', '.join(map(repr, sorted(columns)))}" if columns else ""
    return RejectedError(f"{place} refuses the record: {why}{written}")


def unknown(place: str) -> UnknownOutcomeError:
    return UnknownOutcomeError(f"{place} was lost while a write was committed: look whether it is there")
