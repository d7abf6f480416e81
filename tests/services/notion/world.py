"""A table in a sandbox Notion, reached by the service over HTTP and by a person directly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx

from sync_workers.model import ID
from sync_workers.sandbox.notion import TOKEN, Notion
from sync_workers.sandbox.serve import SandboxServer
from sync_workers.sandbox.store import now
from sync_workers.secret import Secret
from sync_workers.services.base import Mapped
from sync_workers.services.budget import Budget
from sync_workers.services.notion.service import NotionService
from sync_workers.services.notion.settings import NotionConnection, NotionContainer
from sync_workers.values import DateRange

COLUMNS: dict[str, Any] = {
    "Name": "title",
    "Notes": "rich_text",
    "Price": "number",
    "Kind": ["Food", "Other"],
    "State": {"status": {"options": [{"name": "Open"}, {"name": "Done"}]}},
    "Tags": "multi_select",
    "Day": "date",
    "Due": "date",
    "Trip": "date",
    "Paid": "checkbox",
    "Link": "url",
    "Mail": "email",
    "Phone": "phone_number",
    "Owner": "people",
    "Shop": "relation",  # made with its target below
    "Sync id": "rich_text",
    "Sync conflict": "rich_text",
}
OWN = {"marker": "Sync id", "conflicts": "Sync conflict"}
"""The columns that no task maps: those of the sync itself."""


@dataclass
class NotionWorld:
    """One empty table with a column of each writable type.

    Attributes:
        own: which columns are the sync's own; settings by name, as in the task file.
        budget: by which services call; None for one of their own each.
    """

    server: SandboxServer
    token: Secret
    source: str
    samples: dict[str, tuple[Any, Any]]
    mapped: Mapped
    own: dict[str, str] = field(default_factory=dict)
    opened: list[NotionService] = field(default_factory=list)
    keeps_deleted: bool = True
    budget: Budget | None = None

    @property
    def notion(self) -> Notion:
        return self.server.notion

    def open(self, mapped: Mapped | None = None, **place: str) -> NotionService:
        connection = NotionConnection.model_validate({"token": self.token, "url": self.server.url})
        container = NotionContainer(**{"late": "0s", **self.own, **(place or {"data_source": self.source})})
        service = NotionService(connection, container, mapped or self.mapped, self.budget)
        self.opened.append(service)
        return service

    def add(self, fields: dict[str, Any]) -> ID:
        return self.notion.add_page(self.source, _typed_in(fields))

    def edit(self, record_id: ID, fields: dict[str, Any]) -> None:
        self.notion.edit_page(record_id, _typed_in(fields))

    def remove(self, record_id: ID) -> None:
        self.notion.trash_page(record_id)

    def destroy(self, record_id: ID) -> None:
        """As Notion does with what was in the trash for 30 days."""
        del self.notion.store.pages[record_id]

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Any request of the API, past the service and past its log."""
        headers = {"Authorization": f"Bearer {TOKEN}", "Notion-Version": "2026-03-11"}
        answer = httpx.request(method, f"{self.server.url}/v1/{path}", json=body, headers=headers)
        answer.raise_for_status()
        self.notion.forget_requests()
        shown: dict[str, Any] = answer.json()
        return shown

    def calls(self) -> list[tuple[str, str]]:
        """What was asked since the last look: the method and the first part of the path."""
        seen = [(call.method, call.path.split("/")[2]) for call in self.notion.requests]
        self.notion.forget_requests()
        return seen


@contextmanager
def notion_world(directory: Path, clock: Callable[[], datetime] = now) -> Iterator[NotionWorld]:
    (directory / "token").write_text(TOKEN, encoding="utf-8")
    notion = Notion(clock, requests_per_minute=None)
    owners = [notion.add_user(name, f"{name}@example.com") for name in ("grace", "alan")]
    shops = notion.add_database("Shops", {"Name": "title"})
    targets = [notion.add_page(shops, {"Name": name}) for name in ("Market", "Bakery")]
    columns = {
        **COLUMNS,
        "Shop": {"relation": {"data_source_id": shops, "type": "single_property", "single_property": {}}},
    }
    source = notion.add_database("Things", columns)
    samples = {
        "Name": ("Bread", "Milk"),
        "Notes": ("fresh " * 700, "none"),
        "Price": (2, 3.5),
        "Kind": ("Food", "Other"),
        "State": ("Open", "Done"),
        "Tags": (["a", "b"], ["b"]),
        "Day": (date(2026, 1, 2), date(2026, 2, 3)),
        "Due": (datetime(2026, 1, 2, 10, 30, tzinfo=UTC), datetime(2026, 1, 2, 11, 0, tzinfo=UTC)),
        "Trip": (
            DateRange(date(2026, 1, 2), date(2026, 1, 4)),
            DateRange(date(2026, 1, 2), date(2026, 1, 5)),
        ),
        "Paid": (True, False),
        "Link": ("https://example.com/a", "https://example.com/b"),
        "Mail": ("a@example.com", "b@example.com"),
        "Phone": ("+49 1", "+49 2"),
        "Owner": ([owners[0]], owners),
        "Shop": ([targets[0]], [targets[1], targets[0]]),
    }
    with SandboxServer(notion) as server:
        mapped = Mapped(tuple(samples), key="Name")
        world = NotionWorld(server, Secret(file=directory / "token"), source, samples, mapped)
        try:
            yield world
        finally:
            for service in world.opened:
                service.close()


def _typed_in(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: (value.start, value.end) if isinstance(value, DateRange) else value
        for name, value in fields.items()
    }
