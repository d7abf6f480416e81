"""A deployment of real processes for tests: Redis, a sandbox Notion, a table in SQLite, workers, beat."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync_workers.redis.connect import Client, connect
from sync_workers.redis.runs_store import RunsStore
from sync_workers.sandbox.child import Child
from sync_workers.sandbox.embedded import EmbeddedRedis
from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.serve import SandboxServer

TASK_FILE = """\
[connections.notion]
kind = "notion"
url = "{notion}"
token = {{ env = "NOTION_TOKEN" }}
calls_per_minute = 100000

[connections.table]
kind = "sql"
url = "sqlite:///{table}"

[tasks.whole]
every = "1s"
match = ["Name"]
notion = {{ connection = "notion", data_source = "{data_source}", late = "0s" }}
other = {{ connection = "table", table = "tasks", modified = "modified" }}

[tasks.whole.fields]
Name = "name"
Done = "done"
Points = "points"
"""


@dataclass
class Deployment:
    """Everything that runs, and both sides as a person sees them."""

    folder: Path
    redis: EmbeddedRedis
    client: Client
    notion: Notion
    data_source: str
    stack: ExitStack
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def runs(self) -> RunsStore:
        return RunsStore(self.client, "whole")

    @property
    def environment(self) -> dict[str, str]:
        """Of everything that belongs to it."""
        return {
            **os.environ,
            "SYNC_WORKERS_REDIS_URL": self.redis.url,
            "SYNC_WORKERS_CONFIG": str(self.folder / "sync.toml"),
            "NOTION_TOKEN": TOKEN,
        }

    def start(self, name: str, *command: str) -> Child:
        env = self.environment
        whole = [sys.executable, "-m", "sync_workers", *command]
        child = Child(name, whole, self.folder / f"{name}.log", env)
        self.children[name] = self.stack.enter_context(child)
        return child

    def table(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "table.db", timeout=30)) as database, database:
            return database.execute(statement, values).fetchall()

    def other_side(self) -> list[tuple[Any, ...]]:
        return sorted(self.table("SELECT name, done, points FROM tasks"))

    def notion_side(self) -> list[tuple[Any, ...]]:
        rows = [row.values for row in self.notion.pages(self.data_source)]
        return sorted((row["Name"], int(row["Done"]), row["Points"]) for row in rows)

    def logs(self) -> str:
        told = [f"--- {name}\n{child.last_words(40)}" for name, child in self.children.items()]
        sides = [f"notion {self.notion_side()}", f"other {self.other_side()}"]
        return "\n".join([*told, *map(str, self.runs.recent(5)), *sides])


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    """Redis, both sides and a task that runs every second; the processes are for the test to start."""
    with ExitStack() as stack:
        redis = stack.enter_context(EmbeddedRedis())
        client = connect(redis.url)
        stack.callback(client.close)
        notion = Notion(requests_per_minute=None)
        server = stack.enter_context(SandboxServer(notion))
        columns = {"Name": "title", "Done": "checkbox", "Points": "number"}
        data_source = notion.add_database("Tasks", columns)
        found = Deployment(folder, redis, client, notion, data_source, stack)
        found.table(
            "CREATE TABLE tasks (id TEXT PRIMARY KEY, name TEXT, done BOOLEAN, points INTEGER, modified TEXT)"
        )
        text = TASK_FILE.format(notion=server.url, table=folder / "table.db", data_source=data_source)
        (folder / "sync.toml").write_text(text, encoding="utf-8")
        yield found
