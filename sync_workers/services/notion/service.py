"""The Notion service: the contract of `services.base` over one data source.

Notion has no compare-and-set, no idempotency key and times of one minute, so each update and delete
first reads the page and compares its fields. Between that read and the write a person can still
edit; nothing that Notion offers closes this gap of some milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from sync_workers.errors import MovedError, RejectedError, SyncError, UnknownOutcomeError
from sync_workers.model import ID, NOTHING, Fields, Record
from sync_workers.services.base import (
    Capabilities,
    Fetched,
    Field,
    Gone,
    Mapped,
    OutOfScope,
    ReadResult,
    mark_of,
)
from sync_workers.services.budget import Budget
from sync_workers.services.local_budget import LocalBudget
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.errors import NotShownError, SavedError, moved, points_nowhere
from sync_workers.services.notion.hidden import is_revealed
from sync_workers.services.notion.inputs import cut_to_minute
from sync_workers.services.notion.listing import Listing
from sync_workers.services.notion.pages import Pages
from sync_workers.services.notion.people import People
from sync_workers.services.notion.schema import Schema
from sync_workers.services.notion.settings import NotionConnection, NotionContainer
from sync_workers.services.notion.source import Source
from sync_workers.values import same

NOT_SHOWN = "not found, or not shared with the connection any more"


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
        self._schema = Schema(self._source, container, mapped, People(self._api.users))

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(
            archives=True,
            restores=True,
            marks=self._container.marker is not None,
            notes=self._container.conflicts is not None,
            clock_step=timedelta(minutes=1),
        )

    def schema(self) -> Mapping[str, Field]:
        return {name: found.field for name, found in self._schema.properties.items()}

    def setup(self) -> Mapping[str, str]:
        """`fields` has the property ids: a property that was made anew under its name is another.

        The sync's own properties are not among them: they say nothing about what a record holds.
        """
        return {
            "container": self._source.id,
            "credential": self._token.fingerprint(),
            "fields": ", ".join(
                sorted(f"{name}={property_id}" for name, property_id in self._schema.ids().items())
            ),
        }

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:  # noqa: ARG002 - there is no change feed
        pages = Listing(self._api, self._source.id, self._property_ids).pages()
        return self._pages.listed(pages)

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        return {record_id: self._find(record_id) for record_id in ids}

    def create(self, fields: Fields, idempotency: str) -> Record:
        properties = self._pages.encode(fields)
        marker = self._pages.chosen.marker
        if marker is not None:
            properties[marker.id] = marker.write(mark_of(idempotency))
        parent = {"type": "data_source_id", "data_source_id": self._source.id}
        what = f"a new page in {self._source.name}"
        self._schema.make_options(fields)
        try:
            body = {"parent": parent, "properties": properties}
            page = self._api.create_page(what, body, self._names(properties))
        except SavedError as saved:
            return self._confirm(saved, lambda _: True)
        except NotShownError as error:
            self._source.look()
            raise points_nowhere(what) from error
        except RejectedError:
            self._schema.expect_unchanged()
            raise
        return self._settle(page)

    def update(self, record: Record, fields: Fields) -> Record:
        self._pages.encode(fields)  # what will never work is refused before anything is asked
        page = self._get_page(record.id)
        now = self._expect(record, page if isinstance(page, OutOfScope) else self._pages.show(page))
        # Writing an equal text would lose its formatting and mentions; writing any equal value is noise.
        changed = {name: value for name, value in fields.items() if not _keeps(now, name, value)}
        if not changed or isinstance(page, OutOfScope):
            return now
        properties = self._pages.encode(changed, page)
        self._schema.make_options(changed)
        try:
            page = self._api.change_page(record.id, {"properties": properties}, self._names(properties))
        except SavedError as saved:
            return self._confirm(saved, lambda found: all(_keeps(found, *part) for part in changed.items()))
        except NotShownError as error:
            self._expect(record, self._find(record.id))
            raise points_nowhere(f"page {record.id}") from error
        except RejectedError:
            # A page that went to the trash since the look is refused just as a bad value is.
            self._expect(record, self._find(record.id))
            self._schema.expect_unchanged()
            raise
        return self._settle(page)

    def delete(self, record: Record) -> None:
        self._put_away(record, "in_trash")

    def archive(self, record: Record) -> None:
        self._put_away(record, "is_archived")

    def restore(self, record_id: ID) -> Record:
        """Out of the trash and out of the archive, from wherever in this data source it is."""
        page = self._get_page(record_id)
        if isinstance(page, OutOfScope) or not self._pages.is_here(page):
            reason = page.reason if isinstance(page, OutOfScope) else "moved to another data source"
            raise moved(record_id, reason)
        flags = {flag: False for flag in ("in_trash", "is_archived") if page.get(flag)}
        if not flags:
            return self._in_place(record_id, self._pages.show(page))
        try:
            page = self._api.change_page(record_id, flags)
        except SavedError as saved:
            return self._confirm(saved, lambda _: True)
        except NotShownError as error:
            # It was deleted for good since the look.
            raise moved(record_id, NOT_SHOWN) from error
        if any(page.get(flag) for flag in flags):
            raise moved(record_id, "Notion leaves it where it was put away")
        return self._settle(page)

    def annotate(self, record_id: ID, text: str) -> None:
        place = self._pages.chosen.note
        if place is None:
            msg = f"page {record_id}: name a property as `conflicts`, so that there is a place for the text"
            raise RejectedError(msg)
        properties = {place.id: place.write(text)}
        now = self._in_place(record_id, self._find(record_id))
        if (now.about.note or "") == text:
            return
        try:
            self._api.change_page(record_id, {"properties": properties}, self._names(properties))
        except SavedError as saved:
            self._confirm(saved, lambda found: (found.about.note or "") == text)
        except (NotShownError, RejectedError):
            # It went away since the look.
            self._in_place(record_id, self._find(record_id))
            raise

    def revealed(self, ids: Sequence[ID]) -> frozenset[ID]:
        return frozenset(page_id for page_id in ids if is_revealed(self._api, page_id))

    def close(self) -> None:
        self._api.close()

    @cached_property
    def _pages(self) -> Pages:
        return Pages(self._source.id, self._schema.chosen, self._api.items)

    @property
    def _property_ids(self) -> list[str]:
        chosen = list(self._pages.chosen)
        follows = [wanted.rolls_up for wanted in chosen if wanted.rolls_up is not None]
        return list(dict.fromkeys([*(wanted.id for wanted in chosen), *map(quote, follows)]))

    def _names(self, property_ids: Container[str]) -> dict[str, str]:
        """For an error, which names the properties that were sent."""
        return {wanted.id: wanted.name for wanted in self._pages.chosen if wanted.id in property_ids}

    # Pages.

    def _find(self, record_id: ID) -> ReadResult:
        """What a page is now."""
        page = self._get_page(record_id)
        return page if isinstance(page, OutOfScope) else self._pages.show(page)

    def _get_page(self, record_id: ID) -> dict[str, Any] | OutOfScope:
        """A page as Notion shows it. A 404 is no proof that it is gone: it may not be shared any more."""
        try:
            return self._api.get_page(record_id, self._property_ids)
        except NotShownError:
            return OutOfScope(record_id, NOT_SHOWN)
        except RejectedError:
            return OutOfScope(record_id, "not the id of a page")

    def _in_place(self, record_id: ID, found: ReadResult) -> Record:
        """The record, if the page is one of this task now.

        Raises:
            MovedError: it is not.
        """
        if not isinstance(found, Record):
            raise moved(record_id, found.reason if isinstance(found, OutOfScope) else "in the trash")
        return found

    def _expect(self, record: Record, found: ReadResult) -> Record:
        """The page as it is now, if that is what the plan was made from.

        Only what can be written is compared: a computed value may change with the time of day, and
        no write of ours can overwrite it.
        """
        now = self._in_place(record.id, found)
        compared = (w.name for w in self._pages.chosen.mapped if w.writable and w.name in record.fields)
        if not all(same(now.fields[name], record.fields[name]) for name in compared):
            msg = f"page {record.id} changed in Notion since it was read"
            raise MovedError(msg)
        return now

    def _put_away(self, record: Record, flag: str) -> None:
        found = self._find(record.id)
        if _is_away(found, flag):
            return
        self._expect(record, found)
        try:
            self._api.change_page(record.id, {flag: True})
        except SavedError as saved:
            if not _is_away(self._find_again(saved), flag):
                raise
        except (NotShownError, RejectedError):
            # Someone else put it away between the look and the write, or changed it.
            found = self._find(record.id)
            if _is_away(found, flag):
                return
            self._expect(record, found)
            raise

    def _settle(self, page: Mapping[str, Any]) -> Record:
        """The answer to a write. Whatever fails from here on, the write was made."""
        try:
            with self._api.patiently():
                return self._pages.record(page)
        except SyncError as error:
            msg = f"page {page['id']} was written, but reading it back failed: {error}"
            raise UnknownOutcomeError(msg) from error

    def _confirm(self, saved: SavedError, shows: Callable[[Record], bool]) -> Record:
        """The record after a write that Notion says it saved, if it shows what was written.

        Otherwise the word and the page speak against each other, or someone came in between: what
        became of the write is unknown.
        """
        found = self._find_again(saved)
        if not isinstance(found, Record) or not shows(found):
            raise saved
        return found

    def _find_again(self, saved: SavedError) -> ReadResult:
        try:
            with self._api.patiently():
                return self._find(saved.saved_id)
        except SyncError as error:
            raise saved from error


def _keeps(record: Record, name: str, value: Any) -> bool:
    """Whether a record shows a value as Notion would keep it."""
    return same(record.fields[name], cut_to_minute(value))


def _is_away(found: ReadResult, flag: str) -> bool:
    """Whether it already is where it should go: in the trash, or for an archive in either place."""
    return isinstance(found, Gone) or (
        flag == "is_archived" and isinstance(found, OutOfScope) and found.reason == "archived"
    )
