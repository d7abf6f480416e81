"""What a write does to the row, and what it does not do when a person was faster."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from sync_workers.errors import MovedError, RejectedError
from sync_workers.model import Record
from sync_workers.services.base import OutOfScope
from tests.conftest import wait_until
from tests.services.sql.worlds import ROLES, TASKS, Place, only


def test_a_trigger_that_changes_the_written_column_is_seen_in_the_answer(place: Place) -> None:
    place.run(TASKS)
    if place.is_sqlite:
        place.run("""CREATE TRIGGER shout AFTER UPDATE OF title ON tasks WHEN NEW.title <> upper(NEW.title)
            BEGIN UPDATE tasks SET title = upper(NEW.title) WHERE id = NEW.id; END""")
        place.run("""CREATE TRIGGER shout_first AFTER INSERT ON tasks
            BEGIN UPDATE tasks SET title = upper(NEW.title) WHERE id = NEW.id; END""")
    else:
        place.run("""CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN EXECUTE format('UPDATE %I.tasks SET title = upper(title) WHERE id = $1', TG_TABLE_SCHEMA)
               USING NEW.id; RETURN NULL; END $$""")
        place.run("""CREATE TRIGGER shout AFTER INSERT OR UPDATE ON tasks FOR EACH ROW
            WHEN (NEW.title <> upper(NEW.title)) EXECUTE FUNCTION shout()""")
    service = place.open("tasks", ["title"])

    created = service.create({"title": "bread"}, idempotency="one")
    updated = service.update(created, {"title": "milk"})

    assert created.fields == {"title": "BREAD"}
    assert updated.fields == {"title": "MILK"}
    assert service.fetch().records == (updated,)


def test_a_write_counts_the_version_up_and_says_when(place: Place) -> None:
    place.run(TASKS)
    service = place.open("tasks", ["title"], **ROLES)
    before = datetime.now(UTC) - timedelta(seconds=1)

    created = service.create({"title": "Bread"}, idempotency="one")
    updated = service.update(created, {"title": "Milk"})

    assert place.run("SELECT version, secret FROM tasks") == [(2, "untouched")]
    assert created.modified is not None
    assert updated.modified is not None
    assert before < created.modified <= updated.modified < before + timedelta(minutes=1)
    assert service.capabilities.clock_step == timedelta(seconds=1 if place.is_sqlite else 0)


def test_a_version_that_was_never_set_counts_from_one(place: Place) -> None:
    place.run(TASKS)
    place.run("INSERT INTO tasks (id, title) VALUES ('a', 'Bread')")
    service = place.open("tasks", ["title"], **ROLES)
    service.update(only(service.fetch().records), {"title": "Milk"})
    assert place.run("SELECT version FROM tasks") == [(1,)]


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE tasks SET title = 'Milk'",
        "UPDATE tasks SET version = 8",
        "UPDATE tasks SET effort = 1.01",
    ],
)
@pytest.mark.parametrize("write", ["update", "delete", "archive"])
def test_a_persons_edit_of_a_mapped_column_or_the_version_is_never_overwritten(
    place: Place, edit: str, write: str
) -> None:
    place.run(TASKS)
    place.run("INSERT INTO tasks (id, title, effort, version) VALUES ('a', 'Bread', 1, 7)")
    service = place.open("tasks", ["title", "effort"], **ROLES)
    record = only(service.fetch().records)
    place.run(edit)
    edited = place.run("SELECT * FROM tasks")

    with pytest.raises(MovedError, match="record a changed"):
        getattr(service, write)(record, *([{"title": "Cake"}] if write == "update" else []))

    assert place.run("SELECT * FROM tasks") == edited


def test_an_edit_of_a_column_that_is_not_mapped_is_kept_and_does_not_stop_a_write(place: Place) -> None:
    place.run(TASKS)
    place.run("INSERT INTO tasks (id, title, effort) VALUES ('a', 'Bread', 1)")
    service = place.open("tasks", ["title"])
    record = only(service.fetch().records)
    place.run("UPDATE tasks SET effort = 5")

    service.update(record, {"title": "Milk"})

    assert place.run("SELECT title, effort FROM tasks") == [("Milk", 5)]


def test_a_write_waits_for_a_persons_open_transaction_and_then_sees_its_edit(schema: Place) -> None:
    schema.run(TASKS)
    schema.run("INSERT INTO tasks (id, title) VALUES ('a', 'Bread')")
    service = schema.open("tasks", ["title"])
    record = only(service.fetch().records)
    moved = threading.Event()

    def write() -> None:
        with pytest.raises(MovedError):
            service.update(record, {"title": "Cake"})
        moved.set()

    with schema.engine.connect() as person:
        person.execute(
            sa.update(sa.table("tasks", sa.column("title"), schema=schema.schema)).values(title="Milk")
        )
        writer = threading.Thread(target=write)
        writer.start()
        waiting = """SELECT count(*) FROM pg_stat_activity
            WHERE application_name = 'sync-workers' AND wait_event_type = 'Lock'"""
        wait_until(lambda: schema.run(waiting) == [(1,)], "the service waits for the person")
        person.commit()
    writer.join(timeout=20)

    assert moved.is_set()
    assert schema.run("SELECT title FROM tasks") == [("Milk",)]


def test_a_record_without_a_version_is_compared_by_its_fields(place: Place) -> None:
    place.run(TASKS)
    place.run("INSERT INTO tasks (id, title) VALUES ('a', 'Bread')")
    service = place.open("tasks", ["title"])
    with pytest.raises(MovedError):
        service.update(Record("a", {"title": "Cake"}), {"title": "Milk"})
    assert service.update(Record("a", {"title": "Bread"}), {"title": "Milk"}).fields == {"title": "Milk"}


def test_archived_rows_are_out_of_sight_and_out_of_scope(place: Place) -> None:
    place.run(TASKS)
    place.run(
        "INSERT INTO tasks (id, title, archived) VALUES ('a', 'x', NULL), ('b', 'x', true), ('c', 'x', false)"
    )
    service = place.open("tasks", ["title"], **ROLES)
    record = next(record for record in service.fetch().records if record.id == "a")

    service.archive(record)
    service.archive(record)

    assert [each.id for each in service.fetch().records] == ["c"]
    assert service.read(["a", "b"]) == {"a": OutOfScope("a", "archived"), "b": OutOfScope("b", "archived")}
    assert place.run("SELECT count(*) FROM tasks") == [(3,)]
    with pytest.raises(MovedError):
        service.update(record, {"title": "y"})
    with pytest.raises(MovedError):
        service.delete(record)


def test_creating_what_was_archived_brings_it_back_as_it_is_now(place: Place) -> None:
    place.run("CREATE TABLE tasks (id text PRIMARY KEY, title text, archived boolean)")
    service = place.open("tasks", ["title"], archived="archived")
    made = service.create({"title": "x"}, "one")
    service.archive(made)
    again = service.create({"title": "y"}, "one")
    assert (again.id, again.fields["title"]) == (made.id, "y")
    assert [record.id for record in service.fetch().records] == [made.id]


def test_without_an_archived_column_there_is_no_archive(place: Place) -> None:
    place.run(TASKS)
    service = place.open("tasks", ["title"])
    assert not service.capabilities.archives
    with pytest.raises(RejectedError, match="no archive"):
        service.archive(Record("a", {}))


def test_what_comes_back_counts_as_a_change_and_nothing_else_is_touched(place: Place) -> None:
    place.run(TASKS)
    place.run("INSERT INTO tasks (id, title, version, archived) VALUES ('a', 'x', 4, true)")
    service = place.open("tasks", ["title"], **ROLES)
    restored = service.restore("a")
    assert restored == service.fetch().records[0]
    assert restored.modified is not None
    assert place.run("SELECT id, title, version, secret FROM tasks") == [("a", "x", 5, "untouched")]


def test_without_an_archived_column_nothing_is_brought_back(place: Place) -> None:
    place.run(TASKS)
    place.run("INSERT INTO tasks (id, title) VALUES ('a', 'x')")
    service = place.open("tasks", ["title"])
    assert not service.capabilities.restores
    with pytest.raises(RejectedError, match="cannot bring back"):
        service.restore("a")


def test_sqlite_tables_without_booleans_and_times_can_be_archived_and_timed(file: Place) -> None:
    file.run("CREATE TABLE tasks (id TEXT PRIMARY KEY, title TEXT, changed TEXT, archived INTEGER)")
    service = file.open("tasks", ["title"], modified="changed", archived="archived")
    record = service.create({"title": "Bread"}, idempotency="one")
    assert record.modified is not None
    service.archive(record)
    assert service.fetch().records == ()
    assert service.restore(record.id).fields == record.fields
    assert [each.id for each in service.fetch().records] == [record.id]


@pytest.mark.parametrize("column", ["version", "changed", "archived", "twice"])
def test_what_we_or_the_database_fill_in_cannot_be_written(place: Place, column: str) -> None:
    place.run(
        TASKS.replace("title text", "title text, twice integer GENERATED ALWAYS AS (version * 2) STORED")
    )
    service = place.open("tasks", ["title", column], **ROLES)
    assert not service.schema()[column].writable
    with pytest.raises(RejectedError, match=f"makes the value itself of {column}"):
        service.create({"title": "x", column: 1}, idempotency="one")


def test_nothing_to_write_writes_nothing(place: Place) -> None:
    place.run(TASKS)
    place.run("INSERT INTO tasks (id, title, version) VALUES ('a', 'Bread', 7)")
    service = place.open("tasks", ["title"], **ROLES)
    record = only(service.fetch().records)
    assert service.update(record, {}) == record
    assert place.run("SELECT version FROM tasks") == [(7,)]


def test_a_write_that_a_trigger_swallows_is_no_success(schema: Place) -> None:
    schema.run(TASKS)
    schema.run("INSERT INTO tasks (id, title) VALUES ('a', 'Bread')")
    schema.run("CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$")
    schema.run(
        """CREATE TRIGGER swallow BEFORE INSERT OR UPDATE OR DELETE ON tasks
            FOR EACH ROW EXECUTE FUNCTION swallow()"""
    )
    service = schema.open("tasks", ["title"])
    record = only(service.fetch().records)
    with pytest.raises(RejectedError, match="ignores the write"):
        service.update(record, {"title": "Milk"})
    with pytest.raises(RejectedError, match="ignores the write"):
        service.delete(record)
    with pytest.raises(RejectedError, match="does not show the row"):
        service.create({"title": "Cake"}, idempotency="one")


def test_foreign_keys_of_sqlite_are_obeyed(file: Place) -> None:
    file.run(TASKS)
    file.run("CREATE TABLE notes (task TEXT REFERENCES tasks (id))")
    file.run("INSERT INTO tasks (id, title) VALUES ('a', 'Bread')")
    file.run("INSERT INTO notes VALUES ('a')")
    service = file.open("tasks", ["title"])
    with pytest.raises(RejectedError, match="FOREIGNKEY"):
        service.delete(only(service.fetch().records))
