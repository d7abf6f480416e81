"""The rows of a data source: through every page, and past the 10,000 rows that one query gives.

In the order of creation a row that is made meanwhile comes last, and an edit moves none. So a listing can
stop anywhere and go on later: with the cursor of its next page, or where Notion does not know that any more,
from the creation of the last row on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any

from sync_workers.errors import LaterError, RejectedError, SettingsError
from sync_workers.services.notion.bookmark import Progress
from sync_workers.services.notion.client import Api, next_cursor, only
from sync_workers.services.notion.errors import TooSlowError
from sync_workers.services.notion.filters import combined

MOST_ROWS = 100
FEWEST_ROWS = 10

EASY = 5
"""After so many pages in time the size is doubled again."""

MOST_PAGES = 50
"""A part of a listing: some 5,000 rows, which take about half a minute."""

_BY_CREATION = [{"timestamp": "created_time", "direction": "ascending"}]
_NEWEST_FIRST = [{"timestamp": "last_edited_time", "direction": "descending"}]

Page = dict[str, Any]


class Listing:
    """Lists one data source. A row that Notion shows twice within one query stands in it twice."""

    def __init__(
        self,
        api: Api,
        data_source: str,
        property_ids: Sequence[str],
        condition: Mapping[str, Any] | None = None,
    ) -> None:
        self._api = api
        self._path = f"data_sources/{data_source}/query"
        self._what = f"data source {data_source}"
        self._properties = only(property_ids)
        self._condition = condition

    def part(self, begun: Progress, most: int = MOST_PAGES) -> tuple[list[Page], Progress, bool]:
        """The next rows, of at most so many pages, oldest first; how far that is; and whether it is the end.

        Raises:
            SettingsError: more rows were made within one minute than a query gives.
            LaterError: there is nothing new to give now; `begun` stands.
        """
        at, pages = deepcopy(begun), list[Page]()
        for number in range(most):
            try:
                rows, is_end = self._next(at, is_first=number == 0)
            except LaterError:
                if number == 0:
                    raise
                return pages, at, False
            pages += rows
            if is_end:
                return pages, at, True
        return pages, at, False

    def archived(self, most: int, wanted: Collection[str]) -> list[Page]:
        """Rows that are archived, by at most so many queries or until all that are wanted were seen."""
        pages: list[Page] = []
        body: dict[str, Any] = {"sorts": _NEWEST_FIRST, "is_archived": True, "page_size": MOST_ROWS}
        for _ in range(most):
            answer = self._api.query(self._path, self._what, only(["title"]), body)
            pages += answer["results"]
            if not answer["has_more"] or {page["id"] for page in pages}.issuperset(wanted):
                break
            body["start_cursor"] = next_cursor(answer, body.get("start_cursor"), self._what)
        return pages

    def _next(self, at: Progress, *, is_first: bool) -> tuple[list[Page], bool]:
        """One page of the query that `at` is in, and moves on."""
        answer = self._page(at, is_first=is_first)
        # A wiki lists its data sources among its rows.
        shown = [row for row in answer["results"] if row["object"] == "page"]
        if not at.begun:
            newest = self._newest() if answer["has_more"] else _greatest(shown)
            at.mark, at.begun = max(filter(None, (at.mark, newest)), default=None), True
        rows = [row for row in shown if row["id"] not in at.skip]
        for row in rows:
            if (created := row.get("created_time", "")) > at.edge:
                at.edge, at.at_edge = created, []
            at.at_edge.append(row["id"])
        at.rows += len(rows)
        at.fresh = at.fresh or bool(rows)
        if answer["has_more"]:
            at.start = next_cursor(answer, at.start, self._what)
            return rows, False
        if (answer.get("request_status") or {}).get("type") != "incomplete":
            return rows, True
        if not at.fresh:
            msg = (
                f"{self._what} has more rows made within one minute than Notion shows in one query: "
                "move some of them to another data source"
            )
            raise SettingsError(msg)
        # Times are cut to the minute, so the next query starts with rows that are here already.
        at.begin_anew()
        return rows, False

    def _page(self, at: Progress, *, is_first: bool) -> dict[str, Any]:
        """One page of a query, with fewer rows for as long as Notion runs out of time on it."""
        while True:
            try:
                answer = self._query(at)
            except TooSlowError:
                if at.size // 2 < FEWEST_ROWS:
                    raise
                at.size, at.easy = at.size // 2, 0
            except RejectedError:
                if not (is_first and at.start):
                    raise
                at.begin_anew()  # the cursor has expired since the last part
            else:
                at.easy += 1
                if at.easy >= EASY and at.size < MOST_ROWS:
                    at.size, at.easy = min(2 * at.size, MOST_ROWS), 0
                return answer

    def _query(self, at: Progress) -> dict[str, Any]:
        body: dict[str, Any] = {"sorts": _BY_CREATION, "page_size": at.size}
        windows = [
            {"timestamp": kind, kind: {"on_or_after": moment}}
            for kind, moment in (("created_time", at.created), ("last_edited_time", at.since))
            if moment is not None
        ]
        if (asked := combined(self._condition, windows)) is not None:
            body["filter"] = asked
        if at.start is not None:
            body["start_cursor"] = at.start
        return self._api.query(self._path, self._what, self._properties, body)

    def _newest(self) -> str | None:
        """The greatest last_edited_time now: what is edited while a long listing goes on comes after it."""
        body: dict[str, Any] = {"sorts": _NEWEST_FIRST, "page_size": 1}
        if self._condition is not None:
            body["filter"] = combined(self._condition, ())
        answer = self._api.query(self._path, self._what, only(["title"]), body)
        return _greatest(answer["results"])


def _greatest(pages: Sequence[Mapping[str, Any]]) -> str | None:
    """Notion writes all times alike, in UTC, so that their texts have their order."""
    return max((page["last_edited_time"] for page in pages if "last_edited_time" in page), default=None)
