"""Both sides of a task as people see them: two plain files, two tables, or a Notion database and a table."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

from sync_workers.model import Side
from sync_workers.sandbox.notion import Notion
from tests.system.phased_task import PhasedTask

T = TypeVar("T")

WRITE = 0.08
"""Seconds that a write to a file takes: half of it before it is done, half of it after."""
WRITING = ("create", "update", "made", "wrote")
"""What is said in the middle of a write."""

Row: TypeAlias = tuple[str, str, int]
"""Name, note, points."""

NOTE_OR_POINTS = {Side.NOTION: "note", Side.OTHER: "points"}
"""What the people of each side edit, so that no two edits are a conflict."""


class Sheet(Protocol):
    """One side of one task; names are unique."""

    def add(self, row: Row) -> None: ...

    def edit(self, name: str, value: Any) -> None:
        """A new note or new points, as `NOTE_OR_POINTS` says."""

    def delete(self, name: str) -> None: ...

    def rows(self) -> list[Row]:
        """All that is there, in order."""

    def everything(self) -> object:
        """What any write would change."""


class CrowdTask(PhasedTask):
    """Many of these share a folder and a log; their services take a moment, in which they can be killed."""

    def did(self, word: str) -> None:
        with (self.folder.parent / "log").open("a") as log:
            log.write(f"{os.getpid()} {word}\n")
        if word.startswith(WRITING):
            time.sleep(WRITE / 2)  # this plays a slow service

    @property
    def _has_keys(self) -> bool:
        """Every other task has none: what a killed create made is then known by its content alone."""
        return self.name.endswith(tuple("02468"))

    def notion_hash(self, obj: Any) -> Any:
        return obj["Name"] if self._has_keys else None

    def other_hash(self, obj: Any) -> Any:
        return obj["summary"] if self._has_keys else None

    @classmethod
    def named(cls, name: str, folder: Path) -> CrowdTask:
        """The task of that name; its files are in a folder of the same name."""
        (folder / name).mkdir(exist_ok=True)
        return cls(name, folder / name, attrs={"Name": "summary", "Note": "note", "Points": "points"})


@dataclass(frozen=True)
class FileSheet:
    """One of the two files of a `CrowdTask`."""

    task: CrowdTask
    side: Side

    @property
    def _title(self) -> str:
        return "Name" if self.side is Side.NOTION else "summary"

    def _column(self, name: str) -> str:
        return name.title() if self.side is Side.NOTION else name

    def add(self, row: Row) -> None:
        name, note, points = row
        values: dict[str, Any] = {
            self._title: name, self._column("note"): note, self._column("points"): points
        }  # fmt: skip
        self.task.put(self.side.value, **values)

    def edit(self, name: str, value: Any) -> None:
        with self.task.changing(self.side.value) as objects:
            edited = {
                self._column(NOTE_OR_POINTS[self.side]): value,
                "modified": datetime.now(UTC).isoformat(),
            }
            self._find(objects, name).update(edited)

    def delete(self, name: str) -> None:
        with self.task.changing(self.side.value) as objects:
            gone = self._find(objects, name)
            for record_id in [one for one, obj in objects.items() if obj is gone]:
                del objects[record_id]

    def rows(self) -> list[Row]:
        name, note, points = self._title, self._column("note"), self._column("points")
        found = self.task.read(self.side.value).values()
        return sorted((obj[name], obj[note], obj[points]) for obj in found)

    def everything(self) -> object:
        return self.task.read(self.side.value)

    def _find(self, objects: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
        return _only(name, [obj for obj in objects.values() if obj[self._title] == name])


TABLE = """\
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY, name TEXT, note TEXT, points INTEGER,
    version INTEGER NOT NULL DEFAULT 0, modified TEXT, mark VARCHAR(36) UNIQUE
)
"""


@dataclass(frozen=True)
class TableSheet:
    """The table `tasks` of a SQLite file, with a version and an idempotency column."""

    path: Path
    side: Side

    def make(self) -> None:
        self._do(TABLE)

    def add(self, row: Row) -> None:
        self._do("INSERT INTO tasks (name, note, points) VALUES (?, ?, ?)", *row)

    def edit(self, name: str, value: Any) -> None:
        self._do(_EDIT[self.side], value, name)

    def delete(self, name: str) -> None:
        self._do("DELETE FROM tasks WHERE name = ?", name)

    def rows(self) -> list[Row]:
        found = self._do("SELECT name, note, points FROM tasks ORDER BY name, note, points")
        return [(name, note, points) for name, note, points in found]

    def everything(self) -> object:
        return self._do("SELECT * FROM tasks ORDER BY id")

    def _do(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path, timeout=30)) as database, database:
            return database.execute(statement, values).fetchall()


_EDIT = {
    Side.NOTION: "UPDATE tasks SET note = ?, version = version + 1 WHERE name = ?",
    Side.OTHER: "UPDATE tasks SET points = ?, version = version + 1 WHERE name = ?",
}


@dataclass(frozen=True)
class NotionSheet:
    """A database of the sandbox Notion."""

    notion: Notion
    data_source: str
    side: Side = Side.NOTION

    def add(self, row: Row) -> None:
        self.notion.add_page(self.data_source, {"Name": row[0], "Note": row[1], "Points": row[2]})

    def edit(self, name: str, value: Any) -> None:
        self.notion.edit_page(self._find(name), {NOTE_OR_POINTS[self.side].title(): value})

    def delete(self, name: str) -> None:
        self.notion.trash_page(self._find(name))

    def rows(self) -> list[Row]:
        found = [page.values for page in self.notion.pages(self.data_source)]
        return sorted((row["Name"], row["Note"], row["Points"]) for row in found)

    def everything(self) -> object:
        return [(page.id, page.edited) for page in self.notion.pages(self.data_source, trashed=True)]

    def _find(self, name: str) -> str:
        pages = self.notion.pages(self.data_source)
        return _only(name, [page.id for page in pages if page.values["Name"] == name])


def _only(name: str, found: list[T]) -> T:
    assert len(found) == 1, f"{name} is there {len(found)} times"
    return found[0]
