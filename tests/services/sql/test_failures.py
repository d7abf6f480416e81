"""What goes wrong with a database, and that no value ends in a message."""

from __future__ import annotations

import contextlib
import sqlite3
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from sync_workers.errors import (
    LaterError,
    RejectedError,
    SettingsError,
    SyncError,
    UnknownOutcomeError,
)
from sync_workers.model import Record
from sync_workers.services.sql.service import SqlService
from tests.conftest import wait_until
from tests.services.sql.line import line_to
from tests.services.sql.worlds import Place

PLANTED = "pl4nted"
TASKS = """CREATE TABLE tasks (id text PRIMARY KEY, title text UNIQUE, length integer CHECK (length < 10),
    kind text NOT NULL DEFAULT 'x')"""


@pytest.fixture
def tasks(place: Place) -> SqlService:
    place.run(TASKS)
    place.run("INSERT INTO tasks VALUES ('a', 'Bread', 1, 'x')")
    return place.open("tasks", ["title", "length"])


@pytest.fixture
def server_tasks(schema: Place) -> SqlService:
    schema.run(TASKS)
    schema.run("INSERT INTO tasks VALUES ('a', 'Bread', 1, 'x')")
    return schema.open("tasks", ["title", "length"])


def refusal(service: SqlService, fields: dict[str, Any]) -> str:
    """The message of a refused create, with the whole traceback as a log would have it."""
    with pytest.raises(RejectedError) as caught:
        service.create(fields, idempotency="one")
    printed = "".join(traceback.format_exception(caught.value))
    assert PLANTED not in printed
    assert "4711" not in printed
    return str(caught.value)


def test_a_broken_constraint_is_named_and_the_value_is_not(place: Place, tasks: SqlService) -> None:
    place.run("INSERT INTO tasks VALUES ('b', :title, 1, 'x')", title=PLANTED)

    unique = refusal(tasks, {"title": PLANTED, "length": 1})
    checked = refusal(tasks, {"title": "new", "length": 4711})

    assert "title" in unique
    assert "tasks_title_key" in unique or "UNIQUE" in unique
    assert "tasks_length_check" in checked or "CHECK" in checked


@pytest.mark.parametrize(
    "fields", [{"title": PLANTED + "\0"}, {"title": PLANTED + "\ud800"}, {"length": 4711 * 10**30}]
)
def test_what_a_driver_cannot_send_is_rejected_without_the_value(
    schema: Place, fields: dict[str, Any]
) -> None:
    schema.run(TASKS)
    assert "refuses the record" in refusal(schema.open("tasks", ["title", "length"]), fields)


def test_what_sqlites_driver_cannot_send_is_rejected_without_the_value(file: Place) -> None:
    file.run(TASKS)
    service = file.open("tasks", ["title", "length"])
    assert "OverflowError" in refusal(service, {"length": 4711 * 10**30})
    assert "UnicodeEncodeError" in refusal(service, {"title": PLANTED + "\ud800"})


def test_an_error_that_a_trigger_raises_is_rejected_without_its_text(place: Place, tasks: SqlService) -> None:
    if place.is_sqlite:
        place.run(f"""CREATE TRIGGER no BEFORE UPDATE ON tasks
            BEGIN SELECT RAISE(ABORT, 'no: {PLANTED} here'); END""")
    else:
        place.run(f"""CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'no: {PLANTED} here'; END $$""")
        place.run("CREATE TRIGGER no BEFORE UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION no()")
    (record,) = tasks.fetch().records

    with pytest.raises(RejectedError, match=r"P0001|TRIGGER") as caught:
        tasks.update(record, {"title": "Milk"})

    assert PLANTED not in "".join(traceback.format_exception(caught.value))
    assert tasks.fetch().records == (record,)


def test_a_constraint_that_is_checked_at_commit_is_rejected_too(schema: Place) -> None:
    schema.run("CREATE TABLE tasks (id text PRIMARY KEY, title text UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    schema.run("INSERT INTO tasks VALUES ('a', :title)", title=PLANTED)
    service = schema.open("tasks", ["title"])
    assert "tasks_title_key" in refusal(service, {"title": PLANTED})
    assert len(service.fetch().records) == 1


@contextlib.contextmanager
def locked(place: Place) -> Iterator[None]:
    """A person's transaction that has written and does not end."""
    with place.engine.connect() as person:
        if place.is_sqlite:
            person.exec_driver_sql("BEGIN IMMEDIATE")
        table = sa.table("tasks", sa.column("title"), schema=place.schema)
        person.execute(sa.update(table).values(title="Cake"))
        yield
        person.rollback()


def test_a_row_that_stays_locked_is_tried_later(place: Place, tasks: SqlService) -> None:
    (record,) = tasks.fetch().records
    with locked(place), pytest.raises(LaterError, match="nothing was done"):
        tasks.update(record, {"title": "Milk"})
    assert tasks.update(record, {"title": "Milk"}).fields["title"] == "Milk"


def terminate_all(place: Place) -> None:
    """As an administrator who restarts the server; returns when the connections are gone."""
    mine = "FROM pg_stat_activity WHERE application_name = 'sync-workers'"
    place.run(f"SELECT pg_terminate_backend(pid) {mine}")
    wait_until(lambda: place.run(f"SELECT count(*) {mine}") == [(0,)], "connections end")


def test_a_connection_that_was_lost_between_two_calls_is_tried_later_and_then_made_again(
    schema: Place, server_tasks: SqlService
) -> None:
    (record,) = server_tasks.fetch().records
    terminate_all(schema)
    with pytest.raises(LaterError, match="was lost while"):
        server_tasks.update(record, {"title": "Milk"})
    assert server_tasks.fetch().records == (record,)


def cut_before(service: SqlService, word: str, cut: Any) -> None:
    """Run `cut` right before the service sends the statement or COMMIT that begins with `word`."""
    engine = service._database._engine
    if word == "COMMIT":
        sa.event.listen(engine, "commit", lambda _connection: cut())
        return

    @sa.event.listens_for(engine, "before_cursor_execute")
    def look(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith(word):
            cut()


@pytest.mark.parametrize("word", ["UPDATE", "SELECT"])
def test_a_connection_that_is_lost_before_commit_did_nothing(
    schema: Place, server_tasks: SqlService, word: str
) -> None:
    (record,) = server_tasks.fetch().records
    cut_before(server_tasks, word, lambda: terminate_all(schema))
    with pytest.raises(LaterError, match="nothing was done"):
        server_tasks.update(record, {"title": "Milk"})
    assert schema.run("SELECT title FROM tasks") == [("Bread",)]


def test_nobody_comes_between_comparing_and_writing_in_sqlite(file: Place) -> None:
    file.run("PRAGMA journal_mode = WAL")
    file.run(TASKS)
    file.run("INSERT INTO tasks VALUES ('a', 'Bread', 1, 'x')")
    service = file.open("tasks", ["title"])
    (record,) = service.fetch().records

    def edit() -> None:
        with (
            contextlib.closing(sqlite3.connect(str(file.engine.url.database), timeout=0)) as person,
            pytest.raises(sqlite3.OperationalError, match="locked"),
        ):
            person.execute("UPDATE tasks SET title = 'Cake'")

    cut_before(service, "UPDATE", edit)

    assert service.update(record, {"title": "Milk"}).fields == {"title": "Milk"}


@pytest.mark.parametrize("write", ["create", "update", "delete"])
def test_a_connection_that_is_lost_during_commit_has_an_unknown_outcome(
    schema: Place, server_tasks: SqlService, write: str
) -> None:
    (record,) = server_tasks.fetch().records
    arguments: dict[str, tuple[Any, ...]] = {
        "create": ({"title": "Milk"}, "one"),
        "update": (record, {"title": "Milk"}),
        "delete": (record,),
    }
    cut_before(server_tasks, "COMMIT", lambda: terminate_all(schema))
    with pytest.raises(UnknownOutcomeError, match="look whether it is there"):
        getattr(server_tasks, write)(*arguments[write])
    assert schema.open("tasks", ["title", "length"]).fetch().records == (record,)


def test_a_create_whose_commit_reply_was_lost_is_not_done_twice(schema: Place) -> None:
    schema.run(TASKS)
    url = sa.make_url(schema.url)
    with line_to(f"{url.query['host']}/.s.PGSQL.5432") as line:
        through = {"url": f"postgresql://postgres@127.0.0.1:{line.port}/postgres"}
        service = schema.open("tasks", ["title"], through)
        assert service.fetch().records == ()
        line.cuts = True
        with pytest.raises(UnknownOutcomeError):
            service.create({"title": "Milk"}, idempotency="one")
        line.cuts = False
        assert schema.run("SELECT title FROM tasks") == [("Milk",)]

        again = service.create({"title": "Milk"}, idempotency="one")
        service.close()

    assert again.fields == {"title": "Milk"}
    assert schema.run("SELECT title FROM tasks") == [("Milk",)]


def test_a_restore_whose_commit_reply_was_lost_is_unknown_and_can_be_repeated(schema: Place) -> None:
    schema.run("CREATE TABLE tasks (id text PRIMARY KEY, title text, archived boolean, version integer)")
    schema.run("INSERT INTO tasks VALUES ('a', 'Bread', true, 0)")
    url = sa.make_url(schema.url)
    with line_to(f"{url.query['host']}/.s.PGSQL.5432") as line:
        through = {"url": f"postgresql://postgres@127.0.0.1:{line.port}/postgres"}
        service = schema.open("tasks", ["title"], through, archived="archived", version="version")
        assert service.fetch().records == ()
        line.cuts = True
        with pytest.raises(UnknownOutcomeError):
            service.restore("a")
        line.cuts = False
        assert schema.run("SELECT archived, version FROM tasks") == [(False, 1)]

        again = service.restore("a")
        service.close()

    assert again.fields == {"title": "Bread"}
    assert schema.run("SELECT archived, version FROM tasks") == [(False, 1)]


def test_a_table_that_vanished_is_an_error_and_not_an_empty_listing(place: Place, tasks: SqlService) -> None:
    tasks.fetch()
    place.run("DROP TABLE tasks")
    with pytest.raises(SettingsError, match="cannot be used"):
        tasks.fetch()
    with pytest.raises(SettingsError, match="cannot be used"):
        tasks.read(["a"])


def test_a_listing_shows_one_moment_although_rows_are_written_meanwhile(schema: Place) -> None:
    schema.run(TASKS)
    service = schema.open("tasks", ["title"])
    with service._database.reading("tasks") as connection:
        count = sa.text(f"SELECT count(*) FROM {schema.schema}.tasks")  # noqa: S608 - no value in it
        before = connection.execute(count).scalar()
        schema.run("INSERT INTO tasks VALUES ('a', 'Bread', 1, 'x')")
        assert connection.execute(count).scalar() == before == 0


def test_reading_cannot_write(schema: Place) -> None:
    schema.run(TASKS)
    service = schema.open("tasks", ["title"])
    with pytest.raises(SyncError), service._database.reading("tasks") as connection:
        connection.execute(sa.text(f"INSERT INTO {schema.schema}.tasks (id) VALUES ('a')"))  # noqa: S608 - no value
    assert schema.run("SELECT * FROM tasks") == []


def test_a_failed_write_leaves_nothing_behind_for_the_next_call(place: Place, tasks: SqlService) -> None:
    (record,) = tasks.fetch().records
    with pytest.raises(RejectedError):
        tasks.update(record, {"title": "Milk", "length": 11})
    assert place.run("SELECT title, length FROM tasks") == [("Bread", 1)]
    assert isinstance(tasks.update(record, {"title": "Milk", "length": 9}), Record)
