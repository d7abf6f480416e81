"""Single pages as rows of the data source: what they are now, before a write and after one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sync_workers.errors import MovedError, RejectedError, SyncError, UnknownOutcomeError
from sync_workers.model import ID, Record
from sync_workers.services.base import Gone, OutOfScope, ReadResult
from sync_workers.services.notion.bodies import Body
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.errors import NotShownError, SavedError, moved
from sync_workers.services.notion.inputs import cut_to_minute
from sync_workers.services.notion.pages import Pages
from sync_workers.values import same

NOT_SHOWN = "not found, or not shared with the connection any more"


class Rows:
    """The pages of one data source, asked for one by one."""

    def __init__(self, api: Api, pages: Pages, property_ids: Sequence[str]) -> None:
        self._api = api
        self._pages = pages
        self._property_ids = property_ids

    def find(self, record_id: ID, known: Record | None = None) -> ReadResult:
        """What a page is now; its body is asked for only where it may differ from that of `known`."""
        return self.shown(self.get_page(record_id), known)

    def shown(
        self, page: dict[str, Any] | OutOfScope, known: Record | None = None, body: Body | None = None
    ) -> ReadResult:
        return page if isinstance(page, OutOfScope) else self._pages.show(page, known, body)

    def body(self, page: dict[str, Any] | OutOfScope, record: Record, *, is_written: bool) -> Body | None:
        """What stands on a page before an update; where it is not to be written, no call is made for it."""
        name = self._pages.reader.content
        if name is None or isinstance(page, OutOfScope) or not is_written:
            return Body(record.fields.get(name or "") or "")
        return self._pages.reader.body(record.id) if self._pages.is_shown(page) else None

    def look(self, record: Record) -> Record:
        """The page once more. Raises as `_expect`."""
        return self.expect(record, self.find(record.id))

    def get_page(self, record_id: ID) -> dict[str, Any] | OutOfScope:
        """A page as Notion shows it. A 404 is no proof that it is gone: it may not be shared any more."""
        try:
            return self._api.get_page(record_id, self._property_ids)
        except NotShownError:
            return OutOfScope(record_id, NOT_SHOWN)
        except RejectedError:
            return OutOfScope(record_id, "not the id of a page")

    def in_place(self, record_id: ID, found: ReadResult) -> Record:
        """The record, if the page is one of this task now.

        Raises:
            MovedError: it is not.
        """
        if not isinstance(found, Record):
            raise moved(record_id, found.reason if isinstance(found, OutOfScope) else "in the trash")
        return found

    def expect(self, record: Record, found: ReadResult) -> Record:
        """The page as it is now, if that is what the plan was made from.

        Only what can be written is compared: a computed value may change with the time of day, and
        no write of ours can overwrite it.
        """
        now = self.in_place(record.id, found)
        wanted = (one for one in self._pages.chosen.fields if one.writable)
        compared = (one.name for one in wanted if one.name in record.fields)
        # One that was not read then is not written; one that is not shown now may have been edited.
        if not all(_shows(now, name, record.fields[name]) for name in compared):
            msg = f"page {record.id} changed in Notion since it was read"
            raise MovedError(msg)
        return now

    def settle(
        self, page: Mapping[str, Any], known: Record | None = None, body: Body | None = None
    ) -> Record:
        """The answer to a write. Whatever fails from here on, the write was made."""
        try:
            with self._api.patiently():
                return self._pages.record(page, known, body)
        except SyncError as error:
            msg = f"page {page['id']} was written, but reading it back failed: {error}"
            raise UnknownOutcomeError(msg) from error

    def confirm(self, saved: SavedError, shows: Callable[[Record], bool]) -> Record:
        """The record after a write that Notion says it saved, if it shows what was written.

        Otherwise the word and the page speak against each other, or someone came in between: what
        became of the write is unknown.
        """
        found = self.find_again(saved)
        if not isinstance(found, Record) or not shows(found):
            raise saved
        return found

    def find_again(self, saved: SavedError) -> ReadResult:
        try:
            with self._api.patiently():
                return self.find(saved.saved_id)
        except SyncError as error:
            raise saved from error


def keeps(record: Record, name: str, value: Any) -> bool:
    """Whether a record shows a value as Notion would keep it."""
    return _shows(record, name, cut_to_minute(value))


def _shows(record: Record, name: str, value: Any) -> bool:
    return name in record.fields and same(record.fields[name], value)


def is_away(found: ReadResult, flag: str) -> bool:
    """Whether it already is where it should go: in the trash, or for an archive in either place."""
    return isinstance(found, Gone) or (
        flag == "is_archived" and isinstance(found, OutOfScope) and found.reason == "archived"
    )
