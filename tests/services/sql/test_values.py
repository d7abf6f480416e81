"""What each type of column shows, takes and refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from sync_workers.errors import RejectedError
from sync_workers.services.base import Kind
from sync_workers.services.sql.service import SqlService
from sync_workers.values import DateRange
from tests.services.sql.worlds import Place

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

# Type in PostgreSQL, in SQLite (None where it has none), what is written, what is shown afterwards.
CROSSINGS: list[tuple[str, str | None, Any, Any]] = [
    ("text", "TEXT", "plain 'quoted' \"text\" % :x", "plain 'quoted' \"text\" % :x"),
    ("text", "TEXT", "", None),
    ("text NOT NULL", "TEXT NOT NULL", None, ""),
    ("text", "TEXT", 5, "5"),
    ("char(5)", "CHAR(5)", "ab", "ab"),
    ("integer", "INTEGER", 3.0, 3),
    ("integer", None, 3.6, 4),
    ("bigint", "BIGINT", 2**62, 2**62),
    ("numeric(10,2)", None, 2.005, 2.01),
    ("numeric(10,2)", "NUMERIC(10,2)", 2.5, 2.5),
    ("numeric", None, Decimal("12345678901234567890.12"), Decimal("12345678901234567890.12")),
    ("numeric", None, float("inf"), float("inf")),
    ("double precision", "REAL", 0.1, 0.1),
    ("boolean", "BOOLEAN", True, True),
    ("boolean", "BOOLEAN", None, None),
    ("boolean NOT NULL", "BOOLEAN NOT NULL", None, False),
    ("date", "DATE", date(2026, 3, 1), date(2026, 3, 1)),
    ("date", "DATE", datetime(2026, 3, 1, 1, tzinfo=timezone(timedelta(hours=9))), date(2026, 3, 1)),
    ("date", "DATE", DateRange(date(2026, 3, 1), date(2026, 3, 5)), date(2026, 3, 1)),
    ("timestamptz", None, datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2))), NOON),
    ("timestamp", "DATETIME", datetime(2026, 3, 1, 14, tzinfo=timezone(timedelta(hours=2))), NOON),
    ("timestamp", "DATETIME", date(2026, 3, 1), datetime(2026, 3, 1, tzinfo=UTC)),
    ("timestamp(0)", None, NOON.replace(microsecond=400_000), NOON),
    ("timestamp", "DATETIME", NOON.replace(microsecond=5), NOON.replace(microsecond=5)),
    ("text[]", None, ["b", 'a, "c" {}'], ["b", 'a, "c" {}']),
    ("text[] NOT NULL", None, [], []),
    ("varchar(9)[]", None, ["one"], ["one"]),
    ("mood[]", None, ["glad"], ["glad"]),
    ("mood", None, "sad", "sad"),
    ("uuid", None, "6F9619FF-8B86-D011-B42D-00C04FC964FF", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
    ("jsonb", "JSON", {"a": [1, "x", None]}, {"a": [1, "x", None]}),
    ("json", "JSON", ["a", "b"], ["a", "b"]),
    ("jsonb", "JSON", "12", "12"),
    ("interval", None, "2 days", "2 days"),
    ("inet", None, "10.0.0.1/8", "10.0.0.1/8"),
    ("int[]", None, "{1,2}", "{1,2}"),
    ("point", None, "(1,2)", "(1,2)"),
    ("short", None, "abc", "abc"),
]


def table(place: Place, kind: str) -> SqlService:
    if not place.is_sqlite:
        place.run("CREATE TYPE mood AS ENUM ('glad', 'sad')")
        place.run("CREATE DOMAIN short AS varchar(5)")
    place.run(f"CREATE TABLE things (id text PRIMARY KEY, value {kind})")
    return place.open("things", ["value"])


@pytest.mark.parametrize(("postgresql", "sqlite", "written", "shown"), CROSSINGS)
def test_what_is_written_is_shown_as_the_database_keeps_it(
    place: Place, postgresql: str, sqlite: str | None, written: Any, shown: Any
) -> None:
    kind = sqlite if place.is_sqlite else postgresql
    if kind is None:
        pytest.skip("SQLite has no such type")
    service = table(place, kind)

    created = service.create({"value": written}, idempotency="one")
    updated = service.update(created, {"value": written})

    assert created.fields["value"] == shown
    assert type(created.fields["value"]) is type(shown)
    assert updated.fields == created.fields
    assert service.fetch().records == (updated,)


REFUSALS: list[tuple[str, str | None, Any, str]] = [
    ("varchar(3)", None, "planted", "column 'value' keeps 3 characters"),
    ("integer", "INTEGER", "planted", "column 'value' takes a whole number"),
    ("integer", None, 2**40, "22003"),
    ("bigint", "INTEGER", 2**70, "value"),
    ("numeric(4,2)", None, 999_999, "22003"),
    ("boolean", "BOOLEAN", "planted", "column 'value' takes true or false"),
    ("date", "DATE", "planted", "column 'value' takes a date"),
    ("timestamp", "DATETIME", "planted", "column 'value' takes a date and time"),
    ("uuid", None, "planted", "column 'value' takes a UUID"),
    ("mood", None, "planted", r"takes one of its enum's labels \(glad, sad\)"),
    ("mood[]", None, ["planted"], "22P02"),
    ("text[]", None, "planted", "column 'value' takes a list of texts"),
    ("text", "TEXT", ["planted"], "column 'value' takes text"),
    ("text", None, "planted\0", "driver|SQLSTATE"),
    ("text", "TEXT", "planted\ud800", "value"),
    ("inet", None, "planted", "22P02"),
    ("integer NOT NULL", "INTEGER NOT NULL", None, "value"),
    (
        "text CHECK (value <> 'planted')",
        "TEXT CHECK (value <> 'planted')",
        "planted",
        "things_value_check|CHECK",
    ),
]


@pytest.mark.parametrize(("postgresql", "sqlite", "value", "said"), REFUSALS)
def test_a_value_that_a_column_never_takes_is_rejected_and_named(
    place: Place, postgresql: str, sqlite: str | None, value: Any, said: str
) -> None:
    kind = sqlite if place.is_sqlite else postgresql
    if kind is None:
        pytest.skip("SQLite takes it")
    service = table(place, kind)

    with pytest.raises(RejectedError, match=said):
        service.create({"value": value}, idempotency="one")

    assert service.fetch().records == ()


def test_a_refusal_before_anything_is_sent_names_the_columns(place: Place) -> None:
    service = table(place, "INTEGER" if place.is_sqlite else "integer")

    with pytest.raises(RejectedError) as caught:
        service.create({"value": "planted"}, idempotency="one")
    assert caught.value.fields == ("value",)
    # the key is what the row is known by
    with pytest.raises(RejectedError) as caught:
        service.create({"id": "planted", "value": "planted"}, idempotency="one")
    assert caught.value.fields == ()


def test_the_schema_says_what_columns_hold(schema: Place) -> None:
    schema.run("CREATE TYPE mood AS ENUM ('glad', 'sad')")
    schema.run("""CREATE TABLE things (
        id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number serial, title varchar(80) NOT NULL,
        body text, effort numeric(10,2), share real, done boolean, due date, at timestamp, seen timestamptz,
        tags text[], moods mood[], feels mood, extra jsonb, span interval,
        twice integer GENERATED ALWAYS AS (number * 2) STORED)""")
    fields = schema.open("things").schema()

    assert {name: field.kind for name, field in fields.items()} == {
        "id": Kind.NUMBER,
        "number": Kind.NUMBER,
        "title": Kind.TEXT,
        "body": Kind.TEXT,
        "effort": Kind.NUMBER,
        "share": Kind.NUMBER,
        "done": Kind.CHECKBOX,
        "due": Kind.DATE,
        "at": Kind.DATE,
        "seen": Kind.DATE,
        "tags": Kind.CHOICES,
        "moods": Kind.CHOICES,
        "feels": Kind.CHOICE,
        "extra": Kind.ANY,
        "span": Kind.TEXT,
        "twice": Kind.NUMBER,
    }
    assert {name for name, field in fields.items() if not field.writable} == {"id", "number", "twice"}
    assert (fields["title"].longest, fields["body"].longest) == (80, None)
    assert (fields["due"].times, fields["at"].times) == (False, True)
    assert fields["feels"].options == fields["moods"].options == ("glad", "sad")


def test_sqlite_says_what_columns_are_declared_to_hold(file: Place) -> None:
    file.run("""CREATE TABLE things (id INTEGER PRIMARY KEY, title VARCHAR(80), done BOOLEAN, due DATE,
        at DATETIME, clock TIME, effort NUMERIC(10,2), extra JSON, loose, raw BLOB,
        twice INTEGER GENERATED ALWAYS AS (effort * 2))""")
    fields = file.open("things").schema()

    assert [field.kind for field in fields.values()] == [
        Kind.NUMBER,
        Kind.TEXT,
        Kind.CHECKBOX,
        Kind.DATE,
        Kind.DATE,
        Kind.TEXT,
        Kind.NUMBER,
        Kind.ANY,
        Kind.ANY,
        Kind.TEXT,
        Kind.NUMBER,
    ]
    assert {name for name, field in fields.items() if not field.writable} == {"id", "raw", "twice"}
    assert fields["title"].longest is None


def test_one_unreadable_cell_does_not_hide_the_other_rows(place: Place) -> None:
    place.run("CREATE TABLE things (id text PRIMARY KEY, due date, at timestamp)")
    strange = "some day" if place.is_sqlite else "infinity"
    place.run(
        "INSERT INTO things VALUES ('a', :x, :y), ('b', '2026-03-01', '2026-03-01 12:00:00')",
        x=strange,
        y=strange,
    )

    shown = {record.id: record.fields for record in place.open("things", ["due", "at"]).fetch().records}

    assert shown == {
        "a": {"due": strange, "at": strange},
        "b": {"due": date(2026, 3, 1), "at": NOON},
    }


@pytest.mark.parametrize("text", ["2026-03-01T12:00:00Z", "2026-03-01 14:00:00+02:00", "2026-03-01 12:00:00"])
def test_sqlites_times_are_read_in_every_iso_form_and_as_utc(file: Place, text: str) -> None:
    file.run("CREATE TABLE things (id text PRIMARY KEY, at DATETIME)")
    file.run("INSERT INTO things VALUES ('a', :x)", x=text)
    (record,) = file.open("things", ["at"]).fetch().records
    assert record.fields == {"at": NOON}


def test_unset_fields_of_a_new_row_get_the_default_of_a_column_that_cannot_be_empty(place: Place) -> None:
    place.run("CREATE TABLE things (id text PRIMARY KEY, n integer NOT NULL DEFAULT 7, m integer DEFAULT 8)")
    created = place.open("things", ["n", "m"]).create({"n": None, "m": None}, idempotency="one")
    assert created.fields == {"n": 7, "m": None}
