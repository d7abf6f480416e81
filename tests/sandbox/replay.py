"""Replay a recording against a sandbox: its requests with our ids, its answers compared with ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sync_workers.sandbox.notion import TOKEN
from tests.sandbox.comparison import Comparison
from tests.sandbox.evidence import Exchange, misshapen

TIMES = ("created_time", "last_edited_time")
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Notion-Version": "2026-03-11"}
# Notion's search index lags: what was made or edited just now may be missing in its answer [recorded].
LAG = timedelta(minutes=5)


class Clock:
    """A clock that stands until it is set; it never goes back."""

    def __init__(self) -> None:
        self.now = datetime(2026, 6, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance_to(self, moment: datetime) -> None:
        self.now = max(self.now, moment.astimezone(UTC))


class Replay:
    """The clock is set from the recorded answers, before each request."""

    def __init__(self, clock: Clock, client: httpx.Client) -> None:
        self.clock, self.client = clock, client
        self.comparison = Comparison()

    def play(self, exchange: Exchange) -> list[str]:
        """Send the request; come back with every difference between the answers."""
        for moment in _moments(exchange.response):
            self.clock.advance_to(moment)
        answer = self._send(exchange)
        if answer.status_code != exchange.status:
            return [f"status {answer.status_code}: {answer.text[:300]}"]
        body = answer.json()
        recorded = _without_archived(exchange.response)
        shapes = misshapen(body)
        if exchange.path.endswith("/search"):
            body = self._without_late(body, recorded)
        return self.comparison.differences(recorded, body) + shapes

    def _send(self, exchange: Exchange) -> httpx.Response:
        body = json.loads(self.comparison.translate(json.dumps(exchange.request)))
        return self.client.request(
            exchange.method,
            self.comparison.translate(exchange.path),
            params=[(key, value) for key, value in exchange.query],
            json=body,
            headers=HEADERS,
        )

    def _without_late(self, body: dict[str, Any], recorded: dict[str, Any]) -> dict[str, Any]:
        there = {self.comparison.ours.get(item["id"], item["id"]) for item in recorded["results"]}
        kept = [item for item in body["results"] if item["id"] in there or not self._is_late(item)]
        return {**body, "results": kept}

    def _is_late(self, item: dict[str, Any]) -> bool:
        return self.clock.now - datetime.fromisoformat(item["last_edited_time"]) < LAG


def _moments(answer: dict[str, Any]) -> Iterator[datetime]:
    for item in (answer, *answer.get("results", ())):
        yield from (datetime.fromisoformat(item[key]) for key in TIMES if isinstance(item.get(key), str))


def _without_archived(part: Any) -> Any:
    """One recording still has the `archived` of before 2026-03-11 beside `in_trash`."""
    if isinstance(part, list):
        return [_without_archived(item) for item in part]
    if isinstance(part, dict):
        return {key: _without_archived(item) for key, item in part.items() if key != "archived"}
    return part
