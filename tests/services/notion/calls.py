"""The service against a server that answers as the test says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sync_workers.errors import SyncError
from sync_workers.model import NOTHING, Record
from sync_workers.secret import Secret
from sync_workers.services.base import Mapped
from sync_workers.services.budget import Budget, Clock
from sync_workers.services.local_budget import LocalBudget
from sync_workers.services.notion.service import NotionService
from sync_workers.services.notion.settings import NotionConnection, NotionContainer
from tests.services.notion.scripted_server import Answer, Asked, ScriptedServer, scripted

SOURCE = "9bf087ca-b1ef-4ba6-abe7-6e90707ae830"
PAGE = "38c9ce7b-60a4-81e4-85c7-e7a0b6bbc064"
PLANTED = "geheim"
MAPPED = Mapped(("Name", "Due Date"), key="Name")
OWN = {"marker": "Sync id", "conflicts": "Sync conflict"}
BREAD = Record(PAGE, {"Name": "Bread", "Due Date": None})
"""What `page()` shows."""


def schema() -> Answer:
    properties = {
        "Name": {"id": "title", "name": "Name", "type": "title", "title": {}},
        "Due Date": {"id": "Mn%3CA", "name": "Due Date", "type": "date", "date": {}},
        "Sync id": {"id": "mark", "name": "Sync id", "type": "rich_text", "rich_text": {}},
        "Sync conflict": {"id": "note", "name": "Sync conflict", "type": "rich_text", "rich_text": {}},
    }
    return Answer(body={"object": "data_source", "id": SOURCE, "properties": properties})


def page(name: str = "Bread", **more: Any) -> dict[str, Any]:
    text = {"type": "text", "text": {"content": name}, "plain_text": name}
    return {
        "object": "page",
        "id": PAGE,
        "created_time": "2026-06-27T07:10:00.000Z",
        "last_edited_time": "2026-06-27T07:10:00.000Z",
        "parent": {"type": "data_source_id", "data_source_id": SOURCE},
        "in_trash": False,
        "is_archived": False,
        "properties": {
            "Name": {"id": "title", "type": "title", "title": [text]},
            "Due Date": {"id": "Mn%3CA", "type": "date", "date": None},
            "Sync id": {"id": "mark", "type": "rich_text", "rich_text": []},
            "Sync conflict": {"id": "note", "type": "rich_text", "rich_text": []},
        },
        **more,
    }


def error(status: int, code: str, message: str = "", **more: Any) -> dict[str, Any]:
    return {"object": "error", "status": status, "code": code, "message": message, **more}


class Hurried(Clock):
    """A clock whose sleeps take no time.

    Attributes:
        slept: seconds, all together.
    """

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> float:
        return self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds


def open_service(
    url: str,
    directory: Path,
    mapped: Mapped = MAPPED,
    timeout: float = 5,
    own: Mapping[str, str] = NOTHING,
    budget: Budget | None = None,
) -> NotionService:
    (directory / "token").write_text("ntn_planted", encoding="utf-8")
    connection = NotionConnection.model_validate(
        {"token": Secret(file=directory / "token"), "url": url, "timeout": timeout}
    )
    return NotionService(connection, NotionContainer(data_source=SOURCE, **own), mapped, budget)


class Calls:
    """The service against a server that answers one kind of request as the test says.

    Attributes:
        clock: by which the service waits.
        shown: the page, as every read and every write that is let through shows it.
    """

    def __init__(self, script: ScriptedServer, service: NotionService, clock: Hurried) -> None:
        self.script = script
        self.service = service
        self.clock = clock
        self.faults: dict[str, Answer] = {}
        self.shown = page()
        script.reply = self.reply

    @staticmethod
    def kind(asked: Asked) -> str:
        if asked.method == "PATCH" or asked.path == "/v1/pages":
            return "write"
        return "schema" if re.fullmatch("/v1/data_sources/[^/]+", asked.path) else "read"

    def reply(self, asked: Asked) -> Answer:
        kind = self.kind(asked)
        if kind in self.faults:
            return self.faults[kind]
        if kind == "schema":
            return schema()
        if asked.path.endswith("/query"):
            return Answer(
                body={"object": "list", "results": [page()], "has_more": False, "next_cursor": None}
            )
        return Answer(body=self.shown)

    def restore(self) -> Record:
        """Bring the page back from the trash; afterwards it is where it was."""
        self.shown = page(in_trash=True)
        try:
            return self.service.restore(PAGE)
        finally:
            self.shown = page()

    def attempts(self, what: str) -> list[Any]:
        attempts: dict[str, list[Any]] = {
            "read": [self.service.fetch, lambda: self.service.read([PAGE])],
            "write": [
                lambda: self.service.create({"Name": PLANTED}, "one"),
                lambda: self.service.update(BREAD, {"Name": PLANTED}),
                lambda: self.service.delete(BREAD),
                lambda: self.service.archive(BREAD),
                self.restore,
                lambda: self.service.annotate(PAGE, PLANTED),
            ],
        }
        return attempts[what]

    def errors(self, what: str, answer: Answer) -> list[SyncError]:
        """What every reading or every writing call raises when it gets this answer."""
        self.faults = {what: answer}
        raised = []
        for attempt in self.attempts(what):
            with pytest.raises(SyncError) as caught:
                attempt()
            raised.append(caught.value)
        return raised


@contextmanager
def scripted_calls(directory: Path) -> Iterator[Calls]:
    with scripted(lambda _: schema()) as script:
        clock = Hurried()
        budget = LocalBudget(patience=timedelta(seconds=10), clock=clock)
        service = open_service(script.url, directory, own=OWN, budget=budget)
        yield Calls(script, service, clock)
        service.close()
