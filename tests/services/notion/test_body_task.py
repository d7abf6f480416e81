"""A task between a Notion database and a table whose text column holds the bodies of the pages."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sync_workers.config.read import read
from sync_workers.errors import SyncError
from sync_workers.local import run_here
from sync_workers.redis.connect import Client
from sync_workers.redis.history import entries
from sync_workers.report import Report
from sync_workers.service_task import ServiceTask
from tests.services.notion.world import NotionWorld, notion_world

TASK = """
[connections.work]
kind = "notion"
token = {{ file = "{token}" }}
url = "{url}"
[connections.base]
kind = "sql"
url = "sqlite:///{table}"
[tasks.{name}]
conflict = "error"
match = ["Name"]
notion = {{ connection = "work", data_source = "{source}", late = "0s" }}
other = {{ connection = "base", table = "notes" }}
[tasks.{name}.fields]
Name = "title"
Price = "price"
content = "body"
"""
TEXT = "# Plan\n\n* one\n* __two__\n\nthe end"
NORMAL = "# Plan\n- one\n- **two**\nthe end"


@dataclass
class Desk:
    """Both sides of the task as people see them."""

    world: NotionWorld
    table: Path
    task: ServiceTask
    client: Client

    def run(self) -> Report:
        return run_here(self.task, self.client)

    def try_to_run(self) -> None:
        """A run in which something goes wrong; what it says is not looked at."""
        with suppress(SyncError):
            self.run()

    def sql(self, statement: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.table)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def add_row(self, title: str, body: str | None, price: float | None = None) -> None:
        self.sql("INSERT INTO notes (title, body, price) VALUES (?, ?, ?)", title, body, price)

    def rows(self) -> dict[str, str | None]:
        return dict(self.sql("SELECT title, body FROM notes"))

    def pages(self) -> dict[str, str]:
        rows = self.world.notion.pages(self.world.source)
        assert len({row.values["Name"] for row in rows}) == len(rows)  # R3: nothing is there twice
        return {row.values["Name"]: row.body for row in rows}

    def write(self, title: str, body: str) -> None:
        self.world.notion.bodies.write(self.page(title), body)

    def page(self, title: str) -> str:
        rows = self.world.notion.pages(self.world.source)
        return next(row.id for row in rows if row.values["Name"] == title)

    def is_quiet(self) -> bool:
        """R1: a run plans nothing, writes nothing, and leaves both sides as they are."""
        before = self.pages(), self.rows()
        self.world.notion.forget_requests()
        report = self.run()
        wrote = self.world.notion.writes()
        return not report.counts and not wrote and before == (self.pages(), self.rows())


@pytest.fixture
def desk(tmp_path: Path, redis_client: Client, task_name: str) -> Iterator[Desk]:
    with notion_world(tmp_path) as world:
        table = tmp_path / "notes.db"
        text = TASK.format(
            token=tmp_path / "token",
            url=world.server.url,
            table=table,
            source=world.source,
            name=task_name,
        )
        task = ServiceTask(read(text, tmp_path / "sync.toml").tasks[task_name])
        desk = Desk(world, table, task, redis_client)
        desk.sql("CREATE TABLE notes (id INTEGER PRIMARY KEY, title TEXT, body TEXT, price REAL)")
        yield desk


def test_bodies_cross_both_ways_each_in_its_own_form(desk: Desk) -> None:
    # given
    desk.add_row("from the table", TEXT)
    page = desk.world.add({"Name": "from Notion"})
    desk.world.notion.bodies.write(page, TEXT)
    # when
    desk.run()
    # then
    assert desk.pages() == {"from the table": NORMAL, "from Notion": NORMAL}
    assert desk.rows() == {"from the table": TEXT, "from Notion": NORMAL}
    assert desk.is_quiet()
    # and edits go the same ways
    desk.write("from the table", f"{NORMAL}\nand more")
    desk.sql("UPDATE notes SET body = ? WHERE title = ?", f"{TEXT}\n\n## New", "from Notion")
    desk.run()
    assert desk.rows()["from the table"] == f"{NORMAL}\nand more"
    assert desk.pages()["from Notion"] == f"{NORMAL}\n## New"
    assert desk.is_quiet()


def test_texts_that_mean_the_same_are_linked_without_a_write(desk: Desk) -> None:
    desk.add_row("Bread", TEXT)
    desk.world.notion.bodies.write(desk.world.add({"Name": "Bread"}), TEXT)
    desk.world.notion.forget_requests()
    desk.run()
    assert desk.world.notion.writes() == []
    assert desk.rows() == {"Bread": TEXT}
    assert desk.is_quiet()


def test_a_body_that_must_not_be_written_is_refused_and_both_texts_stay(desk: Desk) -> None:
    # given
    desk.add_row("Bread", "one")
    desk.add_row("Milk", "one")
    desk.run()
    desk.world.notion.bodies.add(desk.page("Bread"), "bookmark", {"url": "https://x.example", "caption": []})
    desk.run()
    read = desk.rows()["Bread"]
    assert read is not None
    assert read.startswith("one\n<unknown")
    before = desk.pages()["Bread"]
    # when
    desk.sql("UPDATE notes SET body = 'secret words'")
    report = desk.run()
    # then: the reason is told without the text, and the other record flows
    assert desk.pages() == {"Bread": before, "Milk": "secret words"}
    assert desk.rows() == {"Bread": "secret words", "Milk": "secret words"}
    said = " ".join(str(one) for one in (*report.failures, *report.held))
    assert "no form in Markdown" in said
    assert "secret" not in said


@pytest.mark.parametrize("fault", ["cut", "dropped", "saved", "not_saved", "cut_json"])
@pytest.mark.parametrize("path", ["/markdown$", "/pages/[^/]+$"])
def test_a_lost_reply_to_an_update_is_finished_by_the_next_run(desk: Desk, fault: str, path: str) -> None:
    # given
    desk.add_row("Bread", "one", 1)
    desk.run()
    desk.sql("UPDATE notes SET body = ?, price = 2", TEXT)
    # when
    desk.world.notion.faults.add(fault, "PATCH", path)
    desk.try_to_run()
    desk.run()
    # then: no conflict (the task's mode would say so), and both sides in step
    assert desk.pages() == {"Bread": NORMAL}
    assert desk.world.notion.page(desk.page("Bread")).values["Price"] == 2
    assert desk.rows() == {"Bread": TEXT}
    assert desk.is_quiet()


@pytest.mark.parametrize("fault", ["cut", "cut_json"])
def test_an_edit_after_a_lost_reply_is_no_conflict_with_our_own_write(desk: Desk, fault: str) -> None:
    desk.add_row("Bread", "one")
    desk.run()
    desk.sql("UPDATE notes SET body = ?", TEXT)
    desk.world.notion.faults.add(fault, "PATCH", "/markdown$")
    desk.try_to_run()
    desk.sql("UPDATE notes SET body = 'something else'")
    desk.run()
    assert desk.pages() == {"Bread": "something else"}
    assert desk.is_quiet()


@pytest.mark.parametrize("fault", ["cut", "dropped", "saved", "not_saved", "cut_json"])
@pytest.mark.parametrize("path", ["POST /v1/pages$", "GET /markdown$"])
def test_a_lost_create_with_a_body_makes_no_second_page(desk: Desk, fault: str, path: str) -> None:
    method, _, pattern = path.partition(" ")
    desk.add_row("Bread", TEXT)
    desk.world.notion.faults.add(fault, method, pattern)
    desk.try_to_run()
    desk.run()
    assert desk.pages() == {"Bread": NORMAL}
    assert desk.rows() == {"Bread": TEXT}
    desk.run()  # of what may have been made before, the bases are known only from what it shows later
    assert desk.is_quiet()


def test_what_was_overwritten_stands_in_the_history(desk: Desk, redis_client: Client) -> None:
    desk.add_row("Bread", "one")
    desk.run()
    desk.write("Bread", "two")
    desk.run()
    told = entries(redis_client, desk.task.name)
    before = [entry.before.other["body"] for entry in told if entry.before.other]
    assert "one" in before
