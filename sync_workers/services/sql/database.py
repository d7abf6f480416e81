"""`Database`: one connection to SQLite or PostgreSQL, and its transactions.

Every statement runs in a transaction of this class, and whatever goes wrong in one leaves it as an
error of this project.
"""

from __future__ import annotations

import hashlib
import math
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sync_workers.errors import SettingsError
from sync_workers.services.budget import Account, Budget
from sync_workers.services.local_budget import LocalBudget
from sync_workers.services.sql.outcomes import Moment, translate
from sync_workers.services.sql.settings import SqlConnection

LOCK_TIMEOUT = timedelta(seconds=5)
"""How long a statement waits for a person's transaction to end."""
STATEMENT_TIMEOUT = timedelta(minutes=2)
"""How long a statement may take, a listing of everything included."""
DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
# Where a server with a socket and the like say in the URL's query what the container is.
PLACES = ("host", "port", "dbname", "service")


class Database:
    """A database; `connect` makes no call yet."""

    def __init__(
        self,
        url: sa.URL,
        connect_timeout: timedelta,
        budget: Budget | None = None,
        account: Account | None = None,
    ) -> None:
        self.url = url
        self._budget = budget or LocalBudget()
        self._account = account
        self.is_sqlite = url.drivername == "sqlite"
        engine = connect_sqlite(url) if self.is_sqlite else connect_postgresql(url, connect_timeout)
        self._engine = engine

    @property
    def place(self) -> str:
        """Which database this is, without credentials; stable."""
        query = {name: self.url.query[name] for name in PLACES if name in self.url.query}
        url = sa.URL.create(
            self.url.get_backend_name(),
            host=self.url.host,
            port=self.url.port,
            database=self.url.database,
            query=query,
        )
        return url.render_as_string()

    @property
    def credential(self) -> str | None:
        """A short hash of user and password; None where there are none."""
        parts = (
            self.url.username,
            self.url.password,
            self.url.query.get("user"),
            self.url.query.get("password"),
        )
        if not any(parts):
            return None
        return hashlib.sha256(f"sync-workers:{parts!r}".encode()).hexdigest()[:16]

    @contextmanager
    def reading(self, place: str) -> Iterator[sa.Connection]:
        """One consistent view of everything, whatever others write meanwhile.

        Raises:
            LaterError, AccessError, SettingsError: see `outcomes`.
        """
        options = (
            {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        )
        with self._transaction(Moment.READ, place, (), options) as connection:
            yield connection

    @contextmanager
    def writing(self, place: str, columns: Collection[str]) -> Iterator[sa.Connection]:
        """One transaction that is committed at the end, or rolled back when anything is raised.

        Args:
            place: the table, for messages.
            columns: the columns that are written, for messages.

        Raises:
            RejectedError: the database will never take these values.
            UnknownOutcomeError: the connection was lost during COMMIT.
            LaterError, AccessError, SettingsError: nothing was done.
        """
        options = {"begin": "IMMEDIATE"} if self.is_sqlite else {"isolation_level": "READ COMMITTED"}
        with self._transaction(Moment.WRITE, place, columns, options) as connection:
            yield connection

    @contextmanager
    def _transaction(
        self, moment: Moment, place: str, columns: Collection[str], options: Mapping[str, Any]
    ) -> Iterator[sa.Connection]:
        with self._turn(), self._connected() as connection:
            connection.execution_options(**options)
            try:
                connection.begin()
                if not self.is_sqlite:
                    connection.execute(limits())
                yield connection
            except (sa.exc.DBAPIError, OverflowError, UnicodeError) as error:
                raise translate(error, moment, place, columns) from None
            try:
                connection.commit()
            except sa.exc.DBAPIError as error:
                raise translate(error, Moment.COMMIT, place, columns) from None

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._account is None else self._budget.call(self._account)

    def _connected(self) -> sa.Connection:
        try:
            return self._engine.connect()
        except sa.exc.DBAPIError as error:
            # No value has been sent, so that the cause can be shown.
            raise translate(error, Moment.CONNECT, self.place) from error

    def close(self) -> None:
        self._engine.dispose()


def open_database(settings: SqlConnection, budget: Budget | None = None) -> Database:
    """The database of the settings; makes no call.

    Raises:
        SettingsError: the URL, its file or a secret is wrong.
    """
    try:
        url = sa.make_url(settings.reveal())
    except (sa.exc.ArgumentError, ValueError):
        # Not chained: what could not be read as a URL may have a password in it.
        msg = "url is no database URL: write postgresql://user@host/database or sqlite:////path/to/file"
        raise SettingsError(msg) from None
    driver = DRIVERS.get(url.drivername)
    if driver is None:
        msg = f"url names {url.drivername!r}; there are postgresql:// and sqlite://"
        raise SettingsError(msg)
    url = url.set(drivername=driver)
    if settings.password is not None:
        url = url.set(password=settings.password.reveal())
    return Database(url, settings.connect_timeout, budget, settings.account())


def connect_sqlite(url: sa.URL) -> sa.Engine:
    """SQLite in a file that is there: opening one that is not would make an empty one.

    Raises:
        SettingsError: the URL names no file.
    """
    if not url.database or url.database == ":memory:":
        msg = "url names no file: write sqlite:////absolute/path or sqlite:///relative/path"
        raise SettingsError(msg)
    path = Path(url.database).expanduser().absolute()

    def open_file() -> sqlite3.Connection:
        if not path.exists():
            msg = f"there is no file {path}: check url, or whether its disk is mounted"
            raise SettingsError(msg)
        # Transactions are begun by `begin` below; a run's phase may close it from another thread.
        connection = sqlite3.connect(
            f"{path.as_uri()}?mode=rw",
            uri=True,
            timeout=LOCK_TIMEOUT.total_seconds(),
            isolation_level=None,
            check_same_thread=False,
        )
        # Off by default in SQLite: a delete must not leave rows behind that refer to nothing.
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    engine = sa.create_engine("sqlite://", creator=open_file, poolclass=sa.QueuePool, hide_parameters=True)

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # IMMEDIATE takes the write lock before the row is compared, so that nobody comes between.
        kind = connection.get_execution_options().get("begin", "DEFERRED")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if kind == "IMMEDIATE" else "BEGIN DEFERRED")

    return engine


def connect_postgresql(url: sa.URL, connect_timeout: timedelta) -> sa.Engine:
    from sync_workers.services.sql.adapters import read_all_times

    arguments = {
        "connect_timeout": max(2, math.ceil(connect_timeout.total_seconds())),  # less counts as 2 anyway
        "application_name": "sync-workers",
        # A server that vanished without a word is noticed within a minute.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
        # Poolers such as PgBouncer give each transaction another server connection.
        "prepare_threshold": None,
    }
    engine = sa.create_engine(url, connect_args=arguments, hide_parameters=True)
    sa.event.listen(engine, "connect", read_all_times)
    return engine


def limits() -> sa.Select[Any]:
    """Timeouts and UTC for this transaction only: poolers refuse them as options of the connection."""
    settings = {
        "TimeZone": "UTC",
        "lock_timeout": f"{LOCK_TIMEOUT // timedelta(milliseconds=1)}ms",
        "statement_timeout": f"{STATEMENT_TIMEOUT // timedelta(milliseconds=1)}ms",
    }
    return sa.select(*(sa.func.set_config(name, value, True) for name, value in settings.items()))  # noqa: FBT003 - SQL
