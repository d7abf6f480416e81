"""The change feed that the rows of a data source make by their `last_edited_time`.

Notion names neither what was deleted nor what left the filter, cuts times to the minute, and its index may
be a little behind. So the window reaches back over minutes that were listed before, and the caller compares
all from time to time. While there are no more rows than a page holds, all of them cost the same one query.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sync_workers.errors import LaterError, NotYetError, RejectedError, SettingsError
from sync_workers.model import ID, NOTHING, Record
from sync_workers.services.base import Fetched, OutOfScope, ReadResult
from sync_workers.services.feeds import OutdatedError, doubtful
from sync_workers.services.notion.bookmark import Bookmark, Progress, read, write
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.errors import NotShownError
from sync_workers.services.notion.listing import MOST_PAGES, MOST_ROWS, Listing
from sync_workers.services.notion.pages import Pages
from sync_workers.services.notion.settings import NotionContainer
from sync_workers.services.notion.source import Source

FILTERED_OUT = "it does not pass the task's filter"


class Feed:
    """The rows of one data source, for as long as a service lives.

    Attributes:
        recalled: whether the schema is not what Notion shows now, but what an earlier run was shown.
    """

    def __init__(self, api: Api, source: Source, container: NotionContainer) -> None:
        self._api = api
        self._source = source
        self._container = container
        self._place = container.data_source or f"database {container.database}"
        self._listed: set[ID] | None = None
        self._known: Mapping[ID, Record] = NOTHING
        self.recalled = False

    def recall(self, cursor: str | None) -> None:
        """Take over what an earlier run was shown, if it is of the same place; None forgets it."""
        bookmark = read(cursor, Bookmark)
        self.recalled = bookmark is not None and bookmark.place == self._place
        if bookmark is not None and self.recalled:
            self._source.recall(bookmark.source, bookmark.shown)
        else:
            self._source.forget()

    @contextmanager
    def doubting(self) -> Iterator[None]:
        """Around a look at the schema: a name that is not in what was recalled may be there by now.

        Raises:
            OutdatedError: instead of SettingsError, where the schema was recalled.
        """
        try:
            yield
        except SettingsError as error:
            if not self.recalled:
                raise
            raise OutdatedError(str(error)) from error

    def setup(self) -> Mapping[str, str]:
        """What decides which rows are listed."""
        condition = self._container.filter
        return {} if condition is None else {"filter": json.dumps(condition, sort_keys=True)}

    def fetch(
        self, cursor: str | None, known: Mapping[ID, Record], pages: Pages, property_ids: Sequence[str]
    ) -> Fetched:
        """The next part of the rows.

        Raises:
            OutdatedError: the schema that was recalled does not fit.
            SettingsError: Notion does not take the filter.
        """
        try:
            return self._fetched(cursor, known, pages, property_ids)
        except (RejectedError, NotShownError, SettingsError) as error:
            if self.recalled:
                raise OutdatedError(str(error)) from error
            if self._container.filter is not None and isinstance(error, RejectedError):
                msg = f"{error}: see whether the task's `filter` fits the properties of {self._source.name}"
                raise SettingsError(msg) from error
            raise

    def judged(self, found: ReadResult) -> ReadResult:
        """What a record is after the rows were listed: one that is there, but not listed, is filtered out.

        No query asks for one row by its id. A row that was known and did not change since still passes.
        """
        if self._container.filter is None or self._listed is None or not isinstance(found, Record):
            return found
        known = self._known.get(found.id)
        if found.id in self._listed or (known is not None and known.modified == found.modified):
            return found
        return OutOfScope(found.id, FILTERED_OUT)

    def put_away(self, wanted: Collection[ID]) -> Mapping[ID, str]:
        """Which of these are archived, by fewer queries than there are of them."""
        listing = Listing(self._api, self._source.id, ())
        try:
            shown = listing.archived(len(wanted) - 1, set(wanted))
        except (LaterError, RejectedError):  # then they are asked for one by one
            return {}
        return {page["id"]: "archived" for page in shown if page["id"] in wanted}

    def _fetched(
        self, cursor: str | None, known: Mapping[ID, Record], pages: Pages, property_ids: Sequence[str]
    ) -> Fetched:
        bookmark, at = read(cursor, Bookmark), read(cursor, Progress)
        is_refused = cursor is not None and bookmark is None and at is None
        at = at or Progress(since=self._since(bookmark), mark=bookmark.since if bookmark else None)
        listing = Listing(self._api, self._source.id, property_ids, self._container.filter)
        # Each body is a call of its own: what was read shall not be lost to a long wait.
        rows, following, is_end = listing.part(at, MOST_PAGES if pages.reader.content is None else 1)
        fetched = self._read(rows, pages, known)
        self._listed = (self._listed or set()).union(record.id for record in fetched.records)
        self._known = known
        unsure = tuple(doubtful(fetched.records, known, self._settled(at, known)))
        if not is_end:
            return Fetched(
                fetched.records, complete=False, unreadable=fetched.unreadable, doubtful=unsure,
                more=write(following),
            )  # fmt: skip
        return Fetched(
            fetched.records, cursor=self._next(following, known), complete=at.since is None,
            unreadable=fetched.unreadable, doubtful=unsure, reset=is_refused,
        )  # fmt: skip

    def _read(self, rows: list[dict[str, Any]], pages: Pages, known: Mapping[ID, Record]) -> Fetched:
        if self.recalled and any(self._is_renamed(row) for row in rows[:1]):
            msg = f"properties of {self._source.name} have other names than they had"
            raise OutdatedError(msg)
        try:
            return pages.listed(rows, known)
        except NotYetError:
            raise
        except LaterError as error:
            # A row does not show the properties that it should have.
            if self.recalled:
                raise OutdatedError(str(error)) from error
            raise

    def _is_renamed(self, row: Mapping[str, Any]) -> bool:
        """Whether a row shows a property by another name than the schema that was recalled."""
        names = {found.id: name for name, found in self._source.properties.items()}
        shown = row.get("properties", {})
        return any(names.get(value["id"], name) != name for name, value in shown.items())

    def _since(self, bookmark: Bookmark | None) -> str | None:
        """Where the window begins; None where all rows are listed."""
        if bookmark is None or bookmark.since is None or bookmark.rows <= MOST_ROWS:
            return None
        return (datetime.fromisoformat(bookmark.since) - self._container.overlap).isoformat()

    def _settled(self, at: Progress, known: Mapping[ID, Record]) -> datetime | None:
        """Before this, the index surely shows what there is; by the newest change that is known."""
        times = [record.modified for record in known.values() if record.modified is not None]
        return max(times) - self._container.overlap if at.since is None and times else None

    def _next(self, at: Progress, known: Mapping[ID, Record]) -> str:
        """The cursor after a listing that came to its end."""
        rows = at.rows if at.since is None else max(len(known), at.rows)
        shown = {name: value for name, value in self._source.shown.items() if name != "request_id"}
        return write(Bookmark(self._place, self._source.id, shown, at.mark, rows))
