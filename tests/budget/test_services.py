"""The limits of services other than Notion, kept by the same budget."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sync_workers.errors import LaterError, NotYetError
from sync_workers.secret import Secret
from sync_workers.services.base import Mapped, Service
from sync_workers.services.caldav import connect
from sync_workers.services.caldav.settings import CaldavCalendar, CaldavConnection
from sync_workers.services.local_budget import Ledger, LocalBudget
from sync_workers.services.sql import KIND
from sync_workers.services.sql.settings import SqlConnection, SqlContainer
from tests.services.caldav.odd import PATH, Answer, Odd, multistatus
from tests.services.caldav.odd import calendar as a_calendar


def test_transactions_of_a_database_are_counted_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "things.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE things (id INTEGER PRIMARY KEY, title TEXT)")
    ledger = Ledger()
    for limit, calls in ((None, 9), (2, 2)):
        connection = SqlConnection(url=f"sqlite:///{path}", calls_per_minute=limit)
        budget = LocalBudget(ledger, patience=timedelta(0))
        service = KIND.connect(connection, SqlContainer(table="things"), Mapped(("title",)), budget)
        with closing(service):
            service.schema()
            for _ in range(calls - 1):
                service.read(["1"])
            if limit is not None:
                with pytest.raises(NotYetError):
                    service.create({"title": "Bread"}, "one")


@pytest.fixture
def odd() -> Iterator[Odd]:
    server = Odd()
    server.answer("PROPFIND", multistatus(a_calendar()))
    yield server
    server.close()


def caldav(url: str, limit: int, ledger: Ledger) -> Service:
    connection = CaldavConnection.model_validate({"url": url, "calls_per_minute": limit})
    budget = LocalBudget(ledger, patience=timedelta(0))
    return connect(connection, CaldavCalendar(calendar=PATH), Mapped(), budget)


def test_requests_to_a_calendar_are_counted_where_that_is_wanted(odd: Odd) -> None:
    with closing(caldav(odd.url, 1, Ledger())) as service, pytest.raises(NotYetError):
        service.fetch()
    assert len(odd.asked) == 1


def test_a_pause_that_a_calendar_asks_for_is_kept_by_everyone(odd: Odd) -> None:
    odd.answer("PROPFIND", Answer(429, headers={"Retry-After": "50"}))
    ledger = Ledger()
    with closing(caldav(odd.url, 99, ledger)) as one, pytest.raises(LaterError):
        one.fetch()
    with closing(caldav(odd.url, 99, ledger)) as another, pytest.raises(NotYetError):
        another.fetch()
    assert len(odd.asked) == 1


def test_without_a_limit_nothing_is_counted() -> None:
    connection = CaldavConnection.model_validate({"url": "http://localhost/"})
    assert connection.account() is None
    assert SqlConnection(url="sqlite:////tmp/x").account() is None


def test_an_account_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    secret = Secret(file=tmp_path / "secret")
    calendar = CaldavConnection.model_validate(
        {"url": "http://localhost/", "username": "ada", "password": secret, "calls_per_minute": 9}
    ).account()
    sql = SqlConnection(url="postgresql://ada@localhost/db", password=secret, calls_per_minute=9).account()
    assert "hunter2" not in f"{calendar}{sql}"
