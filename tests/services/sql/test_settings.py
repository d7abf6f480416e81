"""What the task file may say, and what it is told when it is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sync_workers.errors import LaterError, SettingsError
from sync_workers.services.base import Mapped
from sync_workers.services.local_budget import LocalBudget
from sync_workers.services.sql import KIND
from sync_workers.services.sql.settings import SqlConnection, SqlContainer
from tests.services.sql.worlds import Place

TASKS = """CREATE TABLE tasks (id text PRIMARY KEY, title text, version integer, changed timestamp,
    archived boolean, mark text UNIQUE, other text)"""


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:planted@host/db",
        "postgresql+psycopg://:planted@host/db",
        "postgresql://me:plan/ted@host/db",
        "postgresql://me@host/db?password=planted",
        "postgresql://me@host/db?sslmode=require&PASSWORD=planted",
    ],
)
def test_a_password_in_the_task_file_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValidationError, match="a password does not stand in the task file") as caught:
        SqlConnection.model_validate({"url": url})
    assert "planted" not in str(caught.value)
    assert "password = { env" in str(caught.value)


@pytest.mark.parametrize(
    "url", ["postgresql://me@host:5432/db", "postgresql://me:@host/db", "sqlite:////tmp/x.db"]
)
def test_a_url_without_a_password_is_taken(url: str) -> None:
    assert SqlConnection.model_validate({"url": url}).reveal() == url


def test_the_whole_url_and_the_password_can_be_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DATABASE", "postgresql://me:planted@127.0.0.1:1/db")
    (tmp_path / "password").write_text("other\n")
    whole = {"url": {"env": "DATABASE"}}
    apart = {"url": "postgresql://me@127.0.0.1:1/db", "password": {"file": str(tmp_path / "password")}}

    bound = [setup(connection) for connection in (whole, apart)]

    assert bound[0]["container"] == bound[1]["container"] == "postgresql://127.0.0.1:1/db tasks"
    assert bound[0]["credential"] != bound[1]["credential"]
    assert not any(word in str(bound) for word in ("planted", "other", "me"))


def setup(connection: dict[str, Any], **settings: Any) -> dict[str, str]:
    service = KIND.connect(
        SqlConnection.model_validate(connection),
        SqlContainer(table="tasks", **settings),
        Mapped(),
        LocalBudget(),
    )
    return dict(service.setup())


def test_setup_changes_with_everything_that_a_side_is_bound_to() -> None:
    start = "postgresql://me@host/db"
    bound = [
        setup({"url": start}),
        setup({"url": "postgresql://you@host/db"}),
        setup({"url": "postgresql://me@host/other"}),
        setup({"url": "postgresql://me@/db?host=/tmp/one"}),
        setup({"url": "postgresql://me@/db?host=/tmp/two"}),
        setup({"url": start}, key="number"),
        setup({"url": start}, archived="hidden"),
    ]
    assert len({str(sorted(each.items())) for each in bound}) == len(bound)
    assert setup({"url": start}) == setup({"url": f"{start}?sslmode=require"})
    # Another parent column is no other container: the links stay.
    assert setup({"url": start}) == setup({"url": start}, parent="above")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://me@host/db", "url names 'mysql'"),
        ("no url at all", "url is no database URL"),
        ("sqlite://", "url names no file"),
        ("sqlite:///:memory:", "url names no file"),
    ],
)
def test_a_url_that_cannot_be_used_says_so(url: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        setup({"url": url})


def test_a_file_that_is_missing_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    service = KIND.connect(
        SqlConnection(url=f"sqlite:///{missing}"), SqlContainer(table="tasks"), Mapped(), LocalBudget()
    )
    with pytest.raises(SettingsError, match="there is no file"):
        service.fetch()
    assert not missing.exists()
    service.close()


def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database at all" * 100)
    service = KIND.connect(
        SqlConnection(url=f"sqlite:///{tmp_path}/text"), SqlContainer(table="tasks"), Mapped(), LocalBudget()
    )
    with pytest.raises(SettingsError, match="it is no database"):
        service.fetch()
    service.close()


def test_a_server_that_is_not_there_is_tried_later() -> None:
    service = KIND.connect(
        SqlConnection(url="postgresql://me@127.0.0.1:1/db"), SqlContainer(table="t"), Mapped(), LocalBudget()
    )
    with pytest.raises(LaterError, match="does not answer"):
        service.fetch()
    service.close()


@pytest.mark.parametrize(
    ("mapped", "settings", "said"),
    [
        (["titel"], {}, "has no column 'titel'; did you mean 'title'"),
        (["title"], {"version": "versoin"}, "has no column 'versoin'; did you mean 'version'"),
        (["title"], {"version": "title"}, "version = 'title' .* must hold a whole number"),
        (["title"], {"modified": "version"}, "modified = 'version' .* must hold a date and time"),
        (["title"], {"archived": "title"}, "archived = 'title' .* must hold .*true or false"),
        (["title"], {"idempotency": "other"}, "idempotency = 'other' .* needs a UNIQUE index"),
        (["title"], {"key": "changed"}, "key = 'changed' .* must hold"),
        (["title"], {"parent": "changed"}, "parent = 'changed' .* must hold .*text"),
        (["title"], {"parent": "versoin"}, "has no column 'versoin'; did you mean 'version'"),
    ],
)
def test_a_column_that_cannot_serve_is_named_with_the_nearest(
    place: Place, mapped: list[str], settings: dict[str, Any], said: str
) -> None:
    place.run(TASKS)
    with pytest.raises(SettingsError, match=said):
        place.open("tasks", mapped, **settings).fetch()


def test_all_problems_come_at_once(place: Place) -> None:
    place.run(TASKS)
    with pytest.raises(SettingsError) as caught:
        place.open("tasks", ["titel", "x"], version="title").capabilities  # noqa: B018 - it looks at the table
    assert len(caught.value.problems) == 3


def test_a_table_that_is_not_there_is_named_with_the_nearest(place: Place) -> None:
    place.run(TASKS)
    with pytest.raises(SettingsError, match=f"there is no table .*; did you mean '{place.path('tasks')}'"):
        place.open("taks", ["title"]).schema()


def test_a_table_without_a_single_primary_key_asks_for_the_key(place: Place) -> None:
    place.run("CREATE TABLE pairs (a text, b text, n integer, PRIMARY KEY (a, b))")
    with pytest.raises(SettingsError, match="no primary key of one column: set key"):
        place.open("pairs", ["n"]).fetch()
    assert place.open("pairs", ["n"], key="a").fetch().records == ()


@pytest.mark.parametrize("missing", ["sqlalchemy", "psycopg"])
def test_without_the_libraries_the_extra_is_named(missing: str) -> None:
    program = f"""
import sys
sys.modules[{missing!r}] = None
from sync_workers.errors import MissingExtraError
from sync_workers.services import find
from sync_workers.services.base import Mapped
kind = find("sql")
try:
    kind.connect(kind.connection(url="sqlite:////tmp/x"), kind.container(table="t"), Mapped())
except MissingExtraError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "pip install 'sync-workers[sql]'" in done.stdout


def test_finding_the_kind_imports_no_library() -> None:
    program = (
        "import sys; from sync_workers.services import find; find('sql'); print('sqlalchemy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
