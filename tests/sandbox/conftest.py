"""A sandbox with a task list on a server, and a client whose every answer is judged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from sync_workers.sandbox.notion import Notion
from sync_workers.sandbox.serve import SandboxServer
from tests.sandbox.evidence import SHARED, misshapen
from tests.sandbox.replay import HEADERS, Clock

COLUMNS: dict[str, Any] = {
    "Task": "title",
    "Note": "rich_text",
    "Effort": "number",
    "Kind": ["Home", "Work"],
    "State": "status",
    "Tags": "multi_select",
    "Due": "date",
    "Done": "checkbox",
    "Link": "url",
    "Mail": "email",
    "Phone": "phone_number",
    "Who": "people",
    "Files": "files",
    "Number": {"unique_id": {"prefix": "T"}},
    "Made": "created_time",
    "Edited": "last_edited_time",
    "Maker": "created_by",
    "Editor": "last_edited_by",
}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def notion(clock: Clock) -> Notion:
    return Notion(clock, requests_per_minute=None)


@pytest.fixture
def tasks(notion: Notion) -> str:
    return notion.add_database("Tasks", COLUMNS)


@pytest.fixture
def server(notion: Notion) -> Iterator[SandboxServer]:
    with SandboxServer(notion) as running:
        yield running


@pytest.fixture
def http(server: SandboxServer) -> Iterator[httpx.Client]:
    hooks = {"response": [_judge]}
    with httpx.Client(base_url=server.url, headers=HEADERS, event_hooks=hooks, timeout=20) as client:
        yield client


def _judge(answer: httpx.Response) -> None:
    """Every good answer of the API has a shape that the official client's types know."""
    known = SHARED.exists() or os.environ.get("CI") == "true"
    if known and answer.status_code == 200 and answer.request.url.path.startswith("/v1/"):
        answer.read()
        assert misshapen(answer.json()) == []


@dataclass
class Api:
    """Short ways to ask the API about one table."""

    http: httpx.Client
    table: str

    def create(self, **properties: Any) -> httpx.Response:
        body = {"parent": {"type": "data_source_id", "data_source_id": self.table}, "properties": properties}
        return self.http.post("/v1/pages", json=body)

    def update(self, page_id: str, **properties: Any) -> httpx.Response:
        return self.http.patch(f"/v1/pages/{page_id}", json={"properties": properties})

    def patch(self, page_id: str, **body: Any) -> httpx.Response:
        return self.http.patch(f"/v1/pages/{page_id}", json=body)

    def get(self, page_id: str) -> dict[str, Any]:
        read: dict[str, Any] = self.http.get(f"/v1/pages/{page_id}").json()
        return read

    def query(self, **body: Any) -> httpx.Response:
        return self.http.post(f"/v1/data_sources/{self.table}/query", json=body)

    def found(self, **body: Any) -> list[str]:
        """The titles of the rows that a query finds."""
        return [titled(row) for row in self.query(**body).json()["results"]]


@pytest.fixture
def api(http: httpx.Client, tasks: str) -> Api:
    return Api(http, tasks)


def titled(page: dict[str, Any]) -> str:
    return "".join(item["plain_text"] for item in page["properties"]["Task"]["title"])


def title(text: str) -> dict[str, Any]:
    return {"title": [{"text": {"content": text}}]}


@dataclass
class Plain:
    """Short ways to endpoints that the JSON Schema does not know; the answer's body comes back."""

    http: httpx.Client

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._ask("GET", path, params=query)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self._ask("POST", path, json=body)

    def patch(self, path: str, **body: Any) -> dict[str, Any]:
        return self._ask("PATCH", path, json=body)

    def delete(self, path: str) -> dict[str, Any]:
        return self._ask("DELETE", path)

    def _ask(self, method: str, path: str, **what: Any) -> dict[str, Any]:
        read: dict[str, Any] = self.http.request(method, f"/v1/{path}", **what).json()
        return read


@pytest.fixture
def plain(server: SandboxServer) -> Iterator[Plain]:
    with httpx.Client(base_url=server.url, headers=HEADERS, timeout=20) as client:
        yield Plain(client)
