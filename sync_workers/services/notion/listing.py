"""All rows of a data source: through every page, and past the 10,000 rows that one query gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sync_workers.errors import SettingsError
from sync_workers.services.notion.client import Api, next_cursor, only
from sync_workers.services.notion.errors import TooSlowError

MOST_ROWS = 100
FEWEST_ROWS = 10

# In the order of creation a row that is made meanwhile comes last, and an edit moves none.
_ORDER = [{"timestamp": "created_time", "direction": "ascending"}]


class Listing:
    """One full listing. A row that Notion shows twice within one query stands in it twice."""

    def __init__(self, api: Api, data_source: str, property_ids: Sequence[str]) -> None:
        self._api = api
        self._path = f"data_sources/{data_source}/query"
        self._what = f"data source {data_source}"
        self._properties = only(property_ids)
        self._rows = MOST_ROWS

    def pages(self) -> list[dict[str, Any]]:
        """Every row, oldest first, or an error; never a part.

        Raises:
            SettingsError: more rows were made within one minute than a query gives.
        """
        pages: list[dict[str, Any]] = []
        known: set[str] = set()
        since: str | None = None
        while True:
            found, complete = self._query(since)
            # Times are cut to the minute, so the next query starts with rows that are here already.
            fresh = [page for page in found if page["id"] not in known]
            pages += fresh
            if complete:
                return pages
            if not fresh:
                msg = (
                    f"{self._what} has more rows made within one minute than Notion shows in one query: "
                    "move some of them to another data source"
                )
                raise SettingsError(msg)
            known.update(page["id"] for page in fresh)
            since = found[-1]["created_time"]

    def _query(self, since: str | None) -> tuple[list[dict[str, Any]], bool]:
        """One query through all its pages; False when Notion stopped it at its limit."""
        found: list[dict[str, Any]] = []
        body: dict[str, Any] = {"sorts": _ORDER}
        if since is not None:
            body["filter"] = {"timestamp": "created_time", "created_time": {"on_or_after": since}}
        while True:
            answer = self._page(body)
            # A wiki lists its data sources among its rows.
            found += [row for row in answer["results"] if row["object"] == "page"]
            if not answer["has_more"]:
                return found, (answer.get("request_status") or {}).get("type") != "incomplete"
            cursor = next_cursor(answer, body.get("start_cursor"), self._what)
            body = {**body, "start_cursor": cursor}

    def _page(self, body: dict[str, Any]) -> dict[str, Any]:
        """One page of a query, with fewer rows for as long as Notion runs out of time on it."""
        while True:
            try:
                return self._api.query(
                    self._path, self._what, self._properties, {**body, "page_size": self._rows}
                )
            except TooSlowError:
                if self._rows // 2 < FEWEST_ROWS:
                    raise
                self._rows //= 2
