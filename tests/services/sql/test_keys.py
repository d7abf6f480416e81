"""Keys: by what rows are known, and by what a create is known again; and listings of all of them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from sync_workers.errors import MovedError, RejectedError
from sync_workers.model import Record
from sync_workers.services.base import Gone, OutOfScope
from tests.services.sql.worlds import ROLES, TASKS, Place, only


def test_a_new_row_gets_its_key_from_the_idempotency_text(place: Place) -> None:
    place.run(TASKS)
    first, second = place.open("tasks", ["title"]), place.open("tasks", ["title"])
    one = first.create({"title": "Bread"}, idempotency="run 1, record 7")
    place.run("UPDATE tasks SET title = 'Milk'")

    again = second.create({"title": "Bread"}, idempotency="run 1, record 7")

    assert (again.id, again.fields) == (one.id, {"title": "Milk"})
    assert len(one.id) == 36


def test_an_idempotency_column_makes_creates_with_any_key_repeatable(place: Place) -> None:
    numbered = "INTEGER PRIMARY KEY" if place.is_sqlite else "serial PRIMARY KEY"
    place.run(f"CREATE TABLE tasks (id {numbered}, title text, mark varchar(36) UNIQUE)")
    plain, marked = place.open("tasks", ["title"]), place.open("tasks", ["title"], idempotency="mark")
    assert not plain.capabilities.safe_create
    assert marked.capabilities.safe_create

    made = [marked.create({"title": "Bread"}, idempotency=text) for text in ("one", "one", "two")]

    assert [record.id for record in made[:2]] == ["1", "1"]
    assert len(marked.fetch().records) == 2


@pytest.mark.parametrize(
    ("key", "safe"),
    [("varchar(36)", True), ("char(32)", True), ("varchar(31)", False), ("text", True), ("integer", False)],
)
def test_creates_can_be_repeated_where_the_key_has_room_for_a_mark(
    place: Place, key: str, *, safe: bool
) -> None:
    place.run(f"CREATE TABLE tasks (id {key} PRIMARY KEY, title text)")
    service = place.open("tasks", ["title"])
    assert service.capabilities.safe_create is safe
    if safe:
        ids = {service.create({"title": "Bread"}, idempotency="one").id for _ in range(2)}
        assert len(ids) == 1
        assert service.fetch().records[0].id in ids


def test_a_key_that_is_not_unique_promises_nothing(place: Place) -> None:
    place.run("CREATE TABLE tasks (number text, title text)")
    place.run("INSERT INTO tasks VALUES ('a', 'Bread'), ('a', 'Milk'), ('b', 'Cake')")
    service = place.open("tasks", ["title"], key="number")
    assert not service.capabilities.safe_create

    records = service.fetch().records

    assert [record.id for record in records].count("a") == 2
    assert service.read(["a"]) == {"a": OutOfScope("a", "several rows have this key", is_sure=False)}
    with pytest.raises(RejectedError, match="several rows with the key a"):
        service.update(records[0], {"title": "x"})


def test_rows_without_a_key_make_a_listing_incomplete(place: Place) -> None:
    place.run("CREATE TABLE tasks (number text UNIQUE, title text)")
    place.run("INSERT INTO tasks VALUES (NULL, 'Bread'), ('b', 'Milk')")
    fetched = place.open("tasks", ["title"], key="number").fetch()
    assert [record.id for record in fetched.records] == ["b"]
    assert not fetched.complete


def test_a_mapped_key_is_taken_from_the_task_and_never_changed(place: Place) -> None:
    place.run(TASKS)
    service = place.open("tasks", ["id", "title"])
    assert not service.capabilities.safe_create
    record = service.create({"id": "mine", "title": "Bread"}, idempotency="one")
    assert record.id == "mine"
    with pytest.raises(RejectedError, match="id"):
        service.create({"id": "mine", "title": "Milk"}, idempotency="two")
    with pytest.raises(RejectedError, match=r"the key 'id' of table .* cannot be changed"):
        service.update(record, {"id": "other"})
    assert service.update(record, {"id": "mine", "title": "Milk"}).fields == {"id": "mine", "title": "Milk"}
    assert service.fetch().records[0].id == "mine"


def test_ids_that_no_row_can_have_are_gone(place: Place) -> None:
    place.run("CREATE TABLE numbered (id integer PRIMARY KEY, title text)")
    service = place.open("numbered", ["title"])
    assert service.read(["abc", "9" * 18]) == {"abc": Gone("abc"), "9" * 18: Gone("9" * 18)}
    service.delete(Record("abc", {}))
    with pytest.raises(MovedError):
        service.update(Record("abc", {}), {"title": "x"})


def test_sqlite_text_in_a_numbers_column_is_still_found(file: Place) -> None:
    file.run("CREATE TABLE tasks (number INTEGER UNIQUE, title TEXT)")
    file.run("INSERT INTO tasks VALUES ('x7', 'Bread')")
    service = file.open("tasks", ["title"], key="number")
    record = only(service.fetch().records)
    assert service.read(["x7"]) == {"x7": record}
    assert service.update(record, {"title": "Milk"}).fields == {"title": "Milk"}


def test_odd_names_are_quoted(place: Place) -> None:
    table, column, key = 'odd "table"; DROP--%s', 'a :b %(c)s "d" [e]', "Kéy"
    metadata = sa.MetaData()
    made = sa.Table(
        table,
        metadata,
        sa.Column(key, sa.Text, primary_key=True),
        sa.Column(column, sa.Text),
        sa.Column("order", sa.Integer),
        schema=place.schema,
    )
    metadata.create_all(place.engine)
    service = place.open(table, [column, "order"], version="order")

    service = place.open(table, [column])
    record = service.create({column: "x'; --"}, idempotency="one")
    record = service.update(record, {column: "%(y)s :z ?"})

    with place.engine.connect() as person:
        assert person.execute(sa.select(made.c[column])).scalar() == "%(y)s :z ?"
    assert service.read([record.id]) == {record.id: record}
    service.delete(record)
    assert service.fetch().records == ()


def test_a_view_can_be_a_side(place: Place) -> None:
    place.run(TASKS)
    place.run("CREATE VIEW open_tasks AS SELECT id, title FROM tasks")
    place.run("INSERT INTO tasks (id, title) VALUES ('a', 'Bread')")
    service = place.open("open_tasks", ["title"], key="id")
    assert [record.fields for record in service.fetch().records] == [{"title": "Bread"}]


SHOWN = "open_tasks AS SELECT id, title FROM tasks WHERE archived IS NOT TRUE"


@pytest.mark.parametrize("kind", ["VIEW", "MATERIALIZED VIEW"])
def test_r4_a_row_that_is_not_in_a_view_is_not_taken_for_deleted(place: Place, kind: str) -> None:
    if place.is_sqlite and kind != "VIEW":
        pytest.skip("SQLite has no such views")
    place.run(TASKS)
    place.run("INSERT INTO tasks (id, title, archived) VALUES ('a', 'Bread', TRUE)")
    place.run(f"CREATE {kind} {SHOWN}")

    view, table = (
        place.open(name, ["title"], key="id").read(["a", "gone"]) for name in ("open_tasks", "tasks")
    )

    for record_id in ("a", "gone"):
        found = view[record_id]
        assert isinstance(found, OutOfScope)
        assert found.reason == "not in the view, which may leave out rows that are there"
    assert isinstance(table["a"], Record)
    assert table["gone"] == Gone("gone")


def test_a_long_listing_and_a_long_reading_are_complete(place: Place) -> None:
    place.run(TASKS)
    place.run("""INSERT INTO tasks (id, title)
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)
        SELECT CAST(i AS varchar(40)), 'x' FROM n""")
    service = place.open("tasks", ["title"], **ROLES)

    fetched = service.fetch()
    ids = [str(number) for number in range(1, 2001)]

    assert len({record.id for record in fetched.records}) == 50_000
    assert fetched.complete
    assert fetched.cursor is None
    assert all(isinstance(found, Record) for found in service.read(ids).values())
