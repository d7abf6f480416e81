"""A column that holds the key of the row above."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from sync_workers.model import NOTHING_ELSE
from tests.services.sql.worlds import Place, only


def add(place: Place, **values: Any) -> None:
    table = sa.table("tasks", *map(sa.column, values), schema=place.schema)
    with place.engine.begin() as connection:
        connection.execute(sa.insert(table).values(values))


@pytest.mark.parametrize(
    ("kind", "above", "below"),
    [
        ("integer", 1, 2),
        ("varchar(40)", "a", "b"),
        ("uuid", UUID(int=1), UUID(int=2)),
    ],
)
def test_a_row_stands_under_the_row_whose_key_it_holds(
    place: Place, kind: str, above: Any, below: Any
) -> None:
    if place.is_sqlite and kind == "uuid":
        pytest.skip("SQLite has no UUIDs")
    place.run(f"CREATE TABLE tasks (id {kind} PRIMARY KEY, title text, above {kind})")
    add(place, id=above, title="Shopping")
    add(place, id=below, title="Bread", above=above)
    service = place.open("tasks", ["title"], parent="above")

    records = {record.id: record for record in service.fetch().records}

    shopping, bread = records[str(above)], records[str(below)]
    assert shopping.about is NOTHING_ELSE
    assert bread.about.parent == str(above)
    assert bread.fields == {"title": "Bread"}
    assert service.read([bread.id]) == {bread.id: bread}
    assert service.update(bread, {"title": "Milk"}).about.parent == str(above)


def test_another_parent_is_no_edit(place: Place) -> None:
    place.run("CREATE TABLE tasks (id integer PRIMARY KEY, title text, above integer)")
    place.run("INSERT INTO tasks VALUES (1, 'Bread', NULL)")
    service = place.open("tasks", ["title"], parent="above")
    before = only(service.fetch().records)
    place.run("UPDATE tasks SET above = 7")
    after = only(service.fetch().records)
    assert (after.version, after.about.parent) == (before.version, "7")


def test_a_parent_column_that_is_mapped_can_be_written(place: Place) -> None:
    place.run("CREATE TABLE tasks (id varchar(40) PRIMARY KEY, title text, above varchar(40))")
    service = place.open("tasks", ["title", "above"], parent="above")
    record = service.create({"title": "Bread", "above": "x"}, "one")
    assert (record.fields["above"], record.about.parent) == ("x", "x")
    assert service.update(record, {"above": None}).about is NOTHING_ELSE
