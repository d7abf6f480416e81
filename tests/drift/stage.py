"""A task between a sandbox Notion, reached over HTTP, and a table of SQLite, with its state in Redis."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from sync_workers.config.read import read
from sync_workers.local import run_here
from sync_workers.redis.connect import Client
from sync_workers.redis.state_store import load
from sync_workers.report import Report
from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.serve import SandboxServer
from sync_workers.service_task import ServiceTask
from sync_workers.state import State

COLUMNS: dict[str, Any] = {
    "Name": "title",
    "Due": "date",
    "Notes": "rich_text",
    "Kind": ["Food", "Other"],
    "Tags": "multi_select",
    "State": {"status": {"options": [{"name": name} for name in ("To do", "Doing", "Done", "Cancelled")]}},
}
TABLE = (
    "CREATE TABLE things (id INTEGER PRIMARY KEY, title TEXT, due DATE, notes TEXT, kind TEXT, tags TEXT, "
    "state TEXT, done BOOLEAN)"
)
FIELDS = """
Name = "title"
Due = "due"
Notes = "notes"
"""
DONE = '[["To do", false], ["Doing", false], ["Done", true], ["Cancelled", true]]'


@dataclass
class Stage:
    """Both sides, and the task as its file says now.

    Attributes:
        fields: the field map of the task file; change it as a person would.
    """

    notion: Notion
    url: str
    source: str
    database: Path
    client: Client
    name: str
    fields: str = FIELDS
    match: str = "Name"
    table: str = "things"

    @property
    def text(self) -> str:
        return f"""
[connections.work]
kind = "notion"
token = {{ env = "NOTION_TOKEN_OF_THE_TEST" }}
url = "{self.url}"
[connections.shop]
kind = "sql"
url = "sqlite:///{self.database}"
[tasks.{self.name}]
match = ["{self.match}"]
notion = {{ connection = "work", data_source = "{self.source}" }}
other = {{ connection = "shop", table = "{self.table}" }}
[tasks.{self.name}.fields]
{self.fields}
"""

    def task(self) -> ServiceTask:
        return ServiceTask(read(self.text, self.database.with_name("sync.toml")).tasks[self.name])

    def run(self) -> Report:
        """One run in this process, with everything made anew; it compares all, and so looks at the schema."""
        return run_here(self.task(), self.client, full=True)

    def is_quiet(self) -> bool:
        self.notion.forget_requests()
        report = self.run()
        written = [call for call in self.notion.requests if call.method == "PATCH"]
        return not report.counts and not written

    @property
    def state(self) -> State:
        return load(self.client, self.name) or State()

    # Notion, as a person sees it.

    def add(self, **values: Any) -> str:
        return self.notion.add_page(self.source, values)

    def edit(self, page_id: str, **values: Any) -> None:
        self.notion.edit_page(page_id, values)

    def page(self, page_id: str) -> dict[str, Any]:
        """The values of a page by what its properties are called now."""
        shown = self.call("GET", f"pages/{page_id}")["properties"]
        return {name: _plain(value) for name, value in shown.items()}

    def pages(self) -> list[dict[str, Any]]:
        rows = self.call("POST", f"data_sources/{self.source}/query", {})["results"]
        return [self.page(row["id"]) for row in rows]

    def change(self, **properties: Any) -> None:
        """Change the schema: by name what becomes of the property."""
        self.call("PATCH", f"data_sources/{self.source}", {"properties": properties})

    def options(self, name: str) -> list[str]:
        shown = self.call("GET", f"data_sources/{self.source}")["properties"][name]
        return [option["name"] for option in shown[shown["type"]]["options"]]

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}", "Notion-Version": "2026-03-11"}
        answer = httpx.request(method, f"{self.url}/v1/{path}", json=body, headers=headers)
        answer.raise_for_status()
        shown: dict[str, Any] = answer.json()
        return shown

    # The table.

    def rows(self) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.database)) as database:
            database.row_factory = sqlite3.Row
            return [dict(row) for row in database.execute("SELECT * FROM things ORDER BY id")]

    def sql(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.database)) as database, database:
            database.execute(statement, values)

    @property
    def row(self) -> dict[str, Any]:
        (row,) = self.rows()
        return row


def _plain(value: Mapping[str, Any]) -> Any:
    shown = value[value["type"]]
    match value["type"]:
        case "title" | "rich_text":
            return "".join(item["plain_text"] for item in shown) or None
        case "select" | "status":
            return shown and shown["name"]
        case "multi_select":
            return [item["name"] for item in shown]
        case "date":
            return shown and shown["start"]
        case _:
            return shown


@contextmanager
def staged(directory: Path, client: Client, name: str) -> Iterator[Stage]:
    notion = Notion(requests_per_minute=None)
    source = notion.add_database("Things", COLUMNS)
    database = directory / "shop.db"
    with SandboxServer(notion) as server:
        stage = Stage(notion, server.url, source, database, client, name)
        stage.sql(TABLE)
        yield stage
