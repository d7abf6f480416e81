"""Users and files with fewer rights than a sync needs."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from sync_workers.errors import AccessError
from tests.conftest import wait_until
from tests.services.sql.test_failures import PLANTED, TASKS
from tests.services.sql.worlds import Place


@pytest.fixture
def login(schema: Place) -> str:
    """A user that may look at the table and no more."""
    user = f"reader_{schema.schema}"
    schema.run(f"CREATE ROLE {user} LOGIN")
    schema.run(f"GRANT USAGE ON SCHEMA {schema.schema} TO {user}")
    return user


def as_user(schema: Place, user: str) -> dict[str, Any]:
    return {"url": sa.make_url(schema.url).set(username=user).render_as_string(hide_password=False)}


def test_a_user_without_rights_is_told_which_step_was_refused(schema: Place, login: str) -> None:
    schema.run(TASKS)
    schema.run("INSERT INTO tasks VALUES ('a', 'Bread', 1, 'x')")
    service = schema.open("tasks", ["title"], as_user(schema, login))
    with pytest.raises(AccessError, match=r"while reading \(SQLSTATE 42501"):
        service.fetch()
    schema.run(f"GRANT SELECT ON tasks TO {login}")
    (record,) = service.fetch().records
    with pytest.raises(AccessError, match=r"while writing \(SQLSTATE 42501"):
        service.update(record, {"title": "Milk"})


@pytest.mark.parametrize("password", ["", PLANTED])
def test_a_password_that_is_missing_or_wrong_is_no_reason_to_wait(
    schema: Place, login: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with asking_for_passwords(schema, login):
        monkeypatch.setenv("DATABASE_PASSWORD", password)
        secret = {"password": {"env": "DATABASE_PASSWORD"}} if password else {}
        service = schema.open("tasks", ["title"], {**as_user(schema, login), **secret})
        with pytest.raises(AccessError, match="check user, password") as caught:
            service.fetch()
    assert PLANTED not in "".join(traceback.format_exception(caught.value))


@contextlib.contextmanager
def asking_for_passwords(schema: Place, user: str) -> Iterator[None]:
    """The server asks this user for a password, and trusts everyone else as before."""
    ((path,),) = schema.run("SHOW hba_file")
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - the server says where
        before = file.read()
    try:
        put_rules(schema, path, f"local all {user} scram-sha-256\n{before}")
        yield
    finally:
        put_rules(schema, path, before)


def put_rules(schema: Place, path: str, rules: str) -> None:
    with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 - the server says where
        file.write(rules)
    ((loaded,),) = schema.run("SELECT pg_conf_load_time()")
    schema.run("SELECT pg_reload_conf()")
    wait_until(lambda: schema.run("SELECT pg_conf_load_time()") != [(loaded,)], "rules are read again")


def test_a_file_that_may_only_be_read_is_read_and_not_written(file: Place) -> None:
    file.run(TASKS)
    file.run("INSERT INTO tasks VALUES ('a', 'Bread', 1, 'x')")
    service = file.open("tasks", ["title"])
    (record,) = service.fetch().records
    with service._database._engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(AccessError, match="rights"):
        service.update(record, {"title": "Milk"})
