"""`sync-workers check` as a person meets it: Notion over HTTP on one side, a real table on the other."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest

from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.serve import SandboxServer
from tests.cli.command import Command

COLUMNS = {
    "Name": "title",
    "Status": {"status": {"options": [{"name": "Open"}, {"name": "Doing"}, {"name": "Done"}]}},
    "Price": "number",
    "Changed": "last_edited_time",
    "Sync id": "rich_text",
}
FIELDS = """\
Name = "title"
Status = { other = "finished", values = [["Open", false], ["Doing", false], ["Done", true]] }
Price = "price"
"""


@pytest.fixture
def notion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A task file is in place: a data source of a sandbox Notion, and a table."""
    monkeypatch.setenv("NOTION_TOKEN_OF_THE_TEST", TOKEN)
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database, database:
        database.execute(
            "CREATE TABLE things (id INTEGER PRIMARY KEY, title TEXT, finished BOOLEAN, price INTEGER)"
        )
        database.execute("INSERT INTO things (title, finished, price) VALUES ('Milk', true, 2)")
    sandbox = Notion()
    source = sandbox.add_database("Things", COLUMNS)
    sandbox.add_page(source, {"Name": "Bread", "Status": "Doing", "Price": 3})
    with SandboxServer(sandbox) as server:
        yield f"""\
[connections.work]
kind = "notion"
token = {{ env = "NOTION_TOKEN_OF_THE_TEST" }}
url = "{server.url}"
[connections.shop]
kind = "sql"
url = "sqlite:///{tmp_path}/shop.db"
[tasks.things]
match = ["Name"]
notion = {{ connection = "work", data_source = "{source}" }}
other = {{ connection = "shop", table = "things" }}
[tasks.things.fields]
"""


def test_a_map_that_fits_is_shown_with_a_row_of_each_side(command: Command, notion: str) -> None:
    Path("sync.toml").write_text(notion + FIELDS)

    result = command("check")

    assert (result.code, result.err) == (0, "")
    rows = [
        [cell.strip() for cell in line.split("│")[1:-1]] for line in result.out.splitlines() if "│" in line
    ]
    assert rows == [
        ["Name: text", "Bread", "<->", "title: text", "Milk", "newer"],
        ["Status: choice", "Doing", "<->", "finished: checkbox", "yes", "newer"],
        ["Price: number", "3", "<->", "price: number", "2", "newer"],
    ]


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("Price =", "Prize =", "Prize: notion has no field 'Prize'; did you mean 'Price'?"),
        ('"price"', '"prize"', "Price: other has no field 'prize'; did you mean 'price'?"),
        (', ["Done", true]', "", "Status: 'Done' of 'Status' on notion has no counterpart in the value map"),
        (
            '"Open", false',
            '"Opne", false',
            "Status: 'Opne' of the value map is no option of 'Status' on notion",
        ),
        (
            'false], ["Done", true]',
            '0], ["Done", true]',
            "Status: 0 of the value map does not fit: 'finished'",
        ),
        (
            "Price =",
            "Changed =",
            "Changed: notion does not let 'Changed' be written: write direction = \"to_other\"",
        ),
        (
            '"price"',
            '{ other = "price", values = [[1, "a"]] }',
            "Price: 'a' of the value map does not fit: 'price'",
        ),
        ("Status = {", 'Status = "finished"\n#', "Status: 'Status' of notion holds choice, not checkbox"),
    ],
)
def test_what_would_not_work_is_told(
    command: Command, notion: str, written: str, instead: str, said: str
) -> None:
    Path("sync.toml").write_text((notion + FIELDS).replace(written, instead))

    result = command("check")

    assert result.code == 1
    assert f"things: {said}" in result.err


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        (r'table = "things"', 'table = "thinks"', "things: other (sql 'shop'): there is no table 'thinks'"),
        (
            r'data_source = "[^"]+"',
            f'data_source = "{UUID(int=0)}"',
            "things: notion (notion 'work'): Notion does not show ",
        ),
        (
            r"http://127\.0\.0\.1:\d+",
            "http://127.0.0.1:9",
            "things: notion (notion 'work'): Notion cannot be reached",
        ),
    ],
)
def test_a_side_that_cannot_be_reached_is_one_line(
    command: Command, notion: str, written: str, instead: str, said: str
) -> None:
    Path("sync.toml").write_text(re.sub(written, instead, notion + FIELDS))

    result = command("check")

    assert result.code == 1
    assert result.err.startswith(said)
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ('marker = "Sync-id"', "marker = 'Sync-id': data source .* did you mean 'Sync id'?"),
        ('marker = "Price"', "marker = 'Price' of data source .* has the type number"),
        (
            'conflicts = "Name"',
            "(?s)conflicts = 'Name' .* the type title .*conflicts = 'Name' .* is mapped",
        ),
        ('marker = "x", conflicts = "x"', "sync.toml:.* two different properties"),
    ],
)
def test_a_property_that_cannot_be_the_sync_s_own_is_told(
    command: Command, notion: str, own: str, said: str
) -> None:
    Path("sync.toml").write_text((notion + FIELDS).replace("data_source =", f"{own}, data_source ="))

    result = command("check")

    assert result.code == 1
    assert re.search(said, result.err), result.err


def test_the_sync_s_own_properties_stand_in_nobody_s_way(command: Command, notion: str) -> None:
    Path("sync.toml").write_text(
        (notion + FIELDS).replace("data_source =", 'marker = "Sync id", data_source =')
    )
    assert command("check").code == 0


def test_a_wrong_token_is_one_line_that_does_not_show_it(
    command: Command, notion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("sync.toml").write_text(notion + FIELDS)
    monkeypatch.setenv("NOTION_TOKEN_OF_THE_TEST", "ntn_wrong")

    result = command("check")

    assert result.code == 1
    assert result.err.startswith("things: notion (notion 'work'): ")
    assert "ntn_wrong" not in result.err


@pytest.mark.parametrize("written", ["content", '"page:content"', 'content = { other = "title" } #'])
def test_the_body_of_a_page_is_a_field_like_others(command: Command, notion: str, written: str) -> None:
    line = written if "=" in written else f'{written} = "title"'
    Path("sync.toml").write_text(notion + FIELDS.replace('Name = "title"', line).replace("Price", "#"))
    sync = Path("sync.toml").read_text().replace('match = ["Name"]', 'match = ["Status"]')
    Path("sync.toml").write_text(sync)

    result = command("check")

    assert (result.code, result.err) == (0, "")
    assert "content: text" in result.out


def test_what_of_a_page_is_only_read_needs_a_direction(command: Command, notion: str) -> None:
    Path("sync.toml").write_text(notion + FIELDS.replace("Price", "url"))

    result = command("check")

    assert result.code == 1
    assert "'url'" in result.out + result.err
    assert 'direction = "to_other"' in result.out + result.err
