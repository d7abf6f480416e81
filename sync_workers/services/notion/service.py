"""The Notion service: the contract of `services.base` over one data source.

Notion has no compare-and-set, no idempotency key and times of one minute, so each update and delete
first reads the page and compares its fields. Between that read and the write a person can still
edit; nothing that Notion offers closes this gap of some milliseconds.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from sync_workers.errors import RejectedError, SyncError, UnknownOutcomeError
from sync_workers.model import ID, NOTHING, Fields, Record
from sync_workers.services.base import (
    Capabilities,
    Fetched,
    Field,
    Mapped,
    OutOfScope,
    ReadResult,
    mark_of,
)
from sync_workers.services.budget import Budget
from sync_workers.services.local_budget import LocalBudget
from sync_workers.services.notion import bodies
from sync_workers.services.notion.bodies import Body
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.errors import NotShownError, SavedError, moved, points_nowhere
from sync_workers.services.notion.feed import Feed
from sync_workers.services.notion.hidden import TITLE, is_revealed
from sync_workers.services.notion.page_reader import PageReader
from sync_workers.services.notion.page_writes import looks, new_page, write_body
from sync_workers.services.notion.pages import Pages
from sync_workers.services.notion.people import People
from sync_workers.services.notion.rows import NOT_SHOWN, Rows, is_away, keeps
from sync_workers.services.notion.schema import Schema
from sync_workers.services.notion.settings import NotionConnection, NotionContainer, plain_id
from sync_workers.services.notion.source import Source


class NotionService:
    """One side of a task over a data source; see `sync_workers.services.base.Service`."""

    def __init__(
        self,
        connection: NotionConnection,
        container: NotionContainer,
        mapped: Mapped,
        budget: Budget | None = None,
    ) -> None:
        self._token = connection.token
        self._container = container
        self._mapped = mapped
        self._api = Api(connection, budget or LocalBudget())
        self._source = Source(self._api, container)
        self._feed = Feed(self._api, self._source, container)
        self._schema = self._look()

    def _look(self) -> Schema:
        """The properties, which are looked at when they are first needed."""
        return Schema(self._source, self._container, self._mapped, People(self._api.users))

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            archives=True,
            restores=True,
            marks=self._container.marker is not None,
            notes=self._container.conflicts is not None,
            clock_step=timedelta(minutes=1),
            change_feed=True,
            filtered=self._container.filter is not None,
            late=self._container.late,
        )

    def schema(self) -> Mapping[str, Field]:
        with self._feed.doubting():
            return self._schema.fields

    def setup(self) -> Mapping[str, str]:
        """`fields` has the property ids: a property that was made anew under its name is another.

        The sync's own properties are not among them: they say nothing about what a record holds.
        """
        with self._feed.doubting():
            ids = self._schema.ids()
        return {
            "container": self._source.id,
            "credential": self._token.fingerprint(),
            "fields": ", ".join(sorted(f"{name}={property_id}" for name, property_id in ids.items())),
            **self._feed.setup(),
        }

    def recall(self, cursor: str | None) -> None:
        """See `services.feeds.Recalls`."""
        self._feed.recall(cursor)
        self._schema = self._look()
        for name in ("_pages", "_rows"):
            self.__dict__.pop(name, None)

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:
        return self._feed.fetch(cursor, known, self._pages, self._property_ids)

    def put_away(self, wanted: Collection[ID]) -> Mapping[ID, str]:
        """See `services.feeds.Partitioned`."""
        return self._feed.put_away(wanted)

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        return {record_id: self._feed.judged(self._rows.find(plain_id(record_id))) for record_id in ids}

    def create(self, fields: Fields, idempotency: str) -> Record:
        properties = self._pages.encode(fields)
        marker = self._pages.chosen.marker
        if marker is not None:
            properties[marker.id] = marker.write(mark_of(idempotency))
        parent = {"type": "data_source_id", "data_source_id": self._source.id}
        what = f"a new page in {self._source.name}"
        self._schema.make_options(fields)
        try:
            body = {"parent": parent, "properties": properties, **new_page(self._pages.chosen, fields)}
            if "markdown" in body:
                # Without a title, Notion would take the first heading for it, and out of the body.
                properties.setdefault(TITLE, {"title": []})
            page = self._api.create_page(what, body, self._names(properties))
        except SavedError as saved:
            return self._rows.confirm(saved, lambda _: True)
        except NotShownError as error:
            self._source.look()
            raise points_nowhere(what) from error
        except RejectedError:
            self._schema.expect_unchanged()
            raise
        return self._rows.settle(page)

    def update(self, record: Record, fields: Fields) -> Record:
        """The body first, by a request of its own; then the rest, whose answer shows the page as it is."""
        self._pages.refuse(fields)
        looks(self._pages.chosen, {n: v for n, v in fields.items() if record.fields.get(n) != v})
        content, page = self._pages.reader.content, self._rows.get_page(record.id)
        body = self._rows.body(page, record, is_written=content in fields)
        now = self._rows.expect(record, self._rows.shown(page, record, body))
        # Writing an equal text would lose its formatting and mentions; writing any equal value is noise.
        changed = {name: value for name, value in fields.items() if not keeps(now, name, value)}
        if content in changed and body is not None and not isinstance(page, OutOfScope):
            text = changed.pop(content)
            # What only the page says is refused before the body is written, too.
            self._pages.encode(changed, page)
            if not bodies.says(body, text):
                body = write_body(self._api, record.id, body, text, lambda: self._rows.look(record))
                return self._after_body(record, changed, page, body)
        return self._change(record, changed, page, body) if changed else now

    def _after_body(self, record: Record, changed: Fields, page: Any, body: Body) -> Record:
        """All that is left of an update. Whatever fails from here on, something was written."""
        try:
            with self._api.patiently():
                if changed:
                    return self._change(record, changed, page, body)
                return self._rows.settle(self._api.get_page(record.id, self._property_ids), record, body)
        except UnknownOutcomeError:
            raise
        except SyncError as error:
            msg = f"the body of page {record.id} was written, the rest of the update perhaps not: {error}"
            raise UnknownOutcomeError(msg) from error

    def _change(self, record: Record, changed: Fields, page: Any, body: Body | None) -> Record:
        properties = self._pages.encode(changed, page)
        self._schema.make_options(changed)
        request = {"properties": properties, **looks(self._pages.chosen, changed, page)}
        try:
            page = self._api.change_page(record.id, request, self._names(properties))
        except SavedError as saved:
            parts = changed.items()
            return self._rows.confirm(saved, lambda found: all(keeps(found, *part) for part in parts))
        except NotShownError as error:
            self._rows.look(record)
            raise points_nowhere(f"page {record.id}") from error
        except RejectedError:
            # A page that went to the trash since the look is refused just as a bad value is.
            self._rows.look(record)
            self._schema.expect_unchanged()
            raise
        return self._rows.settle(page, record, body)

    def delete(self, record: Record) -> None:
        self._put_away(record, "in_trash")

    def archive(self, record: Record) -> None:
        self._put_away(record, "is_archived")

    def restore(self, record_id: ID) -> Record:
        """Out of the trash and out of the archive, from wherever in this data source it is."""
        page = self._rows.get_page(record_id)
        if isinstance(page, OutOfScope) or not self._pages.is_here(page):
            reason = page.reason if isinstance(page, OutOfScope) else "moved to another data source"
            raise moved(record_id, reason)
        flags = {flag: False for flag in ("in_trash", "is_archived") if page.get(flag)}
        if not flags:
            return self._rows.in_place(record_id, self._pages.show(page))
        try:
            page = self._api.change_page(record_id, flags)
        except SavedError as saved:
            return self._rows.confirm(saved, lambda _: True)
        except NotShownError as error:
            # It was deleted for good since the look.
            raise moved(record_id, NOT_SHOWN) from error
        if any(page.get(flag) for flag in flags):
            raise moved(record_id, "Notion leaves it where it was put away")
        return self._rows.settle(page)

    def annotate(self, record_id: ID, text: str) -> None:
        place = self._pages.chosen.note
        if place is None:
            msg = f"page {record_id}: name a property as `conflicts`, so that there is a place for the text"
            raise RejectedError(msg)
        properties = {place.id: place.write(text)}
        now = self._rows.in_place(record_id, self._rows.shown(self._rows.get_page(record_id), body=Body("")))
        if (now.about.note or "") == text:
            return
        try:
            self._api.change_page(record_id, {"properties": properties}, self._names(properties))
        except SavedError as saved:
            self._rows.confirm(saved, lambda found: (found.about.note or "") == text)
        except (NotShownError, RejectedError):
            # It went away since the look.
            self._rows.in_place(record_id, self._rows.find(record_id))
            raise

    def revealed(self, ids: Sequence[ID]) -> frozenset[ID]:
        return frozenset(page_id for page_id in ids if is_revealed(self._api, page_id))

    def close(self) -> None:
        self._api.close()

    @cached_property
    def _pages(self) -> Pages:
        chosen = self._schema.chosen
        return Pages(self._source.id, chosen, self._api.items, PageReader(self._api, chosen.page))

    @cached_property
    def _rows(self) -> Rows:
        return Rows(self._api, self._pages, self._property_ids)

    @property
    def _property_ids(self) -> list[str]:
        chosen = list(self._pages.chosen)
        follows = [wanted.rolls_up for wanted in chosen if wanted.rolls_up is not None]
        return list(dict.fromkeys([*(wanted.id for wanted in chosen), *map(quote, follows)]))

    def _names(self, property_ids: Container[str]) -> dict[str, str]:
        """For an error, which names the properties that were sent."""
        return {wanted.id: wanted.name for wanted in self._pages.chosen if wanted.id in property_ids}

    def _put_away(self, record: Record, flag: str) -> None:
        found = self._rows.find(record.id, record)
        if is_away(found, flag):
            return
        self._rows.expect(record, found)
        try:
            self._api.change_page(record.id, {flag: True})
        except SavedError as saved:
            if not is_away(self._rows.find_again(saved), flag):
                raise
        except (NotShownError, RejectedError):
            # Someone else put it away between the look and the write, or changed it.
            found = self._rows.find(record.id)
            if is_away(found, flag):
                return
            self._rows.expect(record, found)
            raise
