"""The sql service: a table in SQLite or PostgreSQL as one side of a task.

    settings.py   what stands in the task file
    columns.py    values of columns as canonical values, and back
    table.py      the table as the database describes it
    rows.py       which rows are asked for, what a row says
    database.py   the connection and its transactions
    outcomes.py   the databases' error codes as errors of this project
    adapters.py   PostgreSQL's times that Python does not know
    service.py    the service, out of all of these

Only `connect` imports SQLAlchemy and psycopg, which the extra `sql` installs.
"""

from __future__ import annotations

from sync_workers.errors import MissingExtraError
from sync_workers.services import ServiceKind
from sync_workers.services.base import Mapped, Service
from sync_workers.services.budget import Budget
from sync_workers.services.sql.settings import SqlConnection, SqlContainer


def connect(
    connection: SqlConnection, place: SqlContainer, mapped: Mapped, budget: Budget | None = None
) -> Service:
    """The service over a table; makes no call yet.

    Raises:
        MissingExtraError: SQLAlchemy or psycopg is not installed.
        SettingsError: the URL or a secret is wrong.
    """
    try:
        import psycopg  # noqa: F401 - the driver that SQLAlchemy loads by name
        import sqlalchemy as sa  # noqa: F401 - asked for here, so that the answer is clear
    except ImportError as error:
        what = "SQL"
        raise MissingExtraError(what, "sql") from error
    from sync_workers.services.sql.database import open_database
    from sync_workers.services.sql.service import SqlService

    return SqlService(open_database(connection, budget), place, mapped)


KIND = ServiceKind(SqlConnection, SqlContainer, connect)
