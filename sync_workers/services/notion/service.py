"""The Notion service: the contract of `services.base` over one data source.

Notion has no compare-and-set, no idempotency key and times of one minute, so each update and delete
first reads the page and compares its fields. Between that read and the write a person can still
edit; nothing that Notion offers closes this gap of some milliseconds.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

from sync_workers.errors import (
    AccessError,
    MovedError,
    RejectedError,
    SettingsError,
    SyncError,
    UnknownOutcomeError,
)
from sync_workers.model import ID, Fields, Record
from sync_workers.services.base import (
    Capabilities,
    Fetched,
    Field,
    Gone,
    Mapped,
    OutOfScope,
    ReadResult,
    WithoutExtras,
)
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.errors import NotShownError, SavedError
from sync_workers.services.notion.inputs import cut_to_minute
from sync_workers.services.notion.listing import Listing
from sync_workers.services.notion.pages import Pages, choose
from sync_workers.services.notion.properties import Property, read_properties
from sync_workers.services.notion.settings import NotionConnection, NotionContainer
from sync_workers.values import same

NOT_SHOWN = "not found, or not shared with the connection any more"


class NotionService(WithoutExtras):
    """One side of a task over a data source; see `sync_workers.services.base.Service`."""

    capabilities = Capabilities(archives=True, clock_step=timedelta(minutes=1))

    def __init__(self, connection: NotionConnection, container: NotionContainer, mapped: Mapped) -> None:
        self._token = connection.token
        self._container = container
        self._mapped = mapped
        self._api = Api(connection)

    def schema(self) -> Mapping[str, Field]:
        return {name: found.field for name, found in self._properties.items()}

    def setup(self) -> Mapping[str, str]:
        """`fields` has the property ids: a property that was made anew under its name is another."""
        return {
            "container": self._data_source,
            "credential": self._token.fingerprint(),
            "fields": ", ".join(sorted(f"{found.name}={found.id}" for found in self._pages.properties)),
        }

    def fetch(self, cursor: str | None = None) -> Fetched:  # noqa: ARG002 - there is no change feed
        pages = Listing(self._api, self._data_source, self._property_ids).pages()
        return self._pages.listed(pages)

    def read(self, ids: Sequence[ID]) -> Mapping[ID, ReadResult]:
        return {record_id: self._find(record_id) for record_id in ids}

    def create(self, fields: Fields, idempotency: str) -> Record:  # noqa: ARG002 - no safe create
        properties = self._encode(fields)
        parent = {"type": "data_source_id", "data_source_id": self._data_source}
        what = f"a new page in data source {self._data_source}"
        try:
            body = {"parent": parent, "properties": properties}
            page = self._api.create_page(what, body, self._names(properties))
        except SavedError as saved:
            page = self._read_back(saved)
        except NotShownError as error:
            self._get_data_source()
            raise _points_nowhere(what) from error
        return self._settle(page)

    def update(self, record: Record, fields: Fields) -> Record:
        self._encode(fields)  # what will never work is refused before anything is asked
        now = self._expect(record, self._find(record.id))
        # Writing an equal text would lose its formatting and mentions; writing any equal value is noise.
        changed = {
            name: value for name, value in fields.items() if not same(now.fields[name], cut_to_minute(value))
        }
        if not changed:
            return now
        properties = self._encode(changed)
        try:
            page = self._api.change_page(record.id, {"properties": properties}, self._names(properties))
        except SavedError as saved:
            page = self._read_back(saved)
        except NotShownError as error:
            self._expect(record, self._find(record.id))
            raise _points_nowhere(f"page {record.id}") from error
        except RejectedError:
            # A page that went to the trash since the look is refused just as a bad value is.
            self._expect(record, self._find(record.id))
            raise
        return self._settle(page)

    def delete(self, record: Record) -> None:
        self._put_away(record, "in_trash")

    def archive(self, record: Record) -> None:
        self._put_away(record, "is_archived")

    def close(self) -> None:
        self._api.close()

    # What is looked up once: a service lives for one phase.

    @cached_property
    def _data_source(self) -> str:
        """The id of the data source; for a database, of the only one it has."""
        if self._container.data_source is not None:
            return self._container.data_source
        what = f"database {self._container.database}"
        try:
            database = self._api.get(f"databases/{self._container.database}", what, "database")
        except RejectedError as error:
            raise SettingsError(str(error)) from error
        sources = database.get("data_sources", [])
        if len(sources) != 1:
            listed = ", ".join(f"{source['id']} ({source['name']})" for source in sources) or "none"
            msg = (
                f"{what} has {len(sources)} data sources and must have exactly one: {listed}. "
                "Name one of them as `data_source`"
            )
            raise SettingsError(msg)
        return str(sources[0]["id"])

    @cached_property
    def _properties(self) -> dict[str, Property]:
        return read_properties(self._get_data_source())

    def _get_data_source(self) -> Mapping[str, Any]:
        what = f"data source {self._data_source}"
        try:
            data_source = self._api.get(f"data_sources/{self._data_source}", what, "data_source")
        except RejectedError as error:
            raise SettingsError(str(error)) from error
        except NotShownError as error:
            msg = f"{error}. If this is the id of a database, write `database` instead of `data_source`"
            raise AccessError(msg) from error
        # Its rows would read as gone, all of them; nobody meant that.
        if data_source.get("in_trash"):
            msg = f"{what} is in the trash: restore it in Notion, or remove the task"
            raise AccessError(msg)
        return data_source

    @cached_property
    def _pages(self) -> Pages:
        """Without mapped names, every property that can be mapped."""
        names = self._mapped.names or [name for name, found in self._properties.items() if found.codec]
        chosen = choose(self._properties, names, f"data source {self._data_source}")
        return Pages(self._data_source, chosen, self._api.items)

    @property
    def _property_ids(self) -> list[str]:
        return [wanted.id for wanted in self._pages.properties]

    def _names(self, property_ids: Container[str]) -> dict[str, str]:
        """For an error, which names the properties that were sent."""
        return {wanted.id: wanted.name for wanted in self._pages.properties if wanted.id in property_ids}

    # Pages.

    def _find(self, record_id: ID) -> ReadResult:
        """What a page is now. A 404 is no proof that it is gone: it may not be shared any more."""
        try:
            page = self._api.get_page(record_id, self._property_ids)
        except NotShownError:
            return OutOfScope(record_id, NOT_SHOWN)
        except RejectedError:
            return OutOfScope(record_id, "not the id of a page")
        return self._pages.show(page)

    def _expect(self, record: Record, found: ReadResult) -> Record:
        """The page as it is now, if that is what the plan was made from.

        Only what can be written is compared: a computed value may change with the time of day, and
        no write of ours can overwrite it.
        """
        if not isinstance(found, Record):
            reason = found.reason if isinstance(found, OutOfScope) else "in the trash"
            msg = f"page {record.id}: {reason}"
            raise MovedError(msg)
        compared = (w.name for w in self._pages.properties if w.writable and w.name in record.fields)
        if not all(same(found.fields[name], record.fields[name]) for name in compared):
            msg = f"page {record.id} changed in Notion since it was read"
            raise MovedError(msg)
        return found

    def _encode(self, fields: Fields) -> dict[str, Any]:
        """The fields as a request names them: by property id."""
        mapped = {wanted.name: wanted for wanted in self._pages.properties}
        unknown = sorted(set(fields) - set(mapped))
        if unknown:
            msg = f"data source {self._data_source} has no mapped property {', '.join(unknown)}"
            raise RejectedError(msg)
        return {mapped[name].id: mapped[name].write(value) for name, value in fields.items()}

    def _put_away(self, record: Record, flag: str) -> None:
        found = self._find(record.id)
        if _is_away(found, flag):
            return
        self._expect(record, found)
        try:
            self._api.change_page(record.id, {flag: True})
        except SavedError:
            return
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
            return self._pages.record(page)
        except SyncError as error:
            msg = f"page {page['id']} was written, but reading it back failed: {error}"
            raise UnknownOutcomeError(msg) from error

    def _read_back(self, saved: SavedError) -> dict[str, Any]:
        try:
            return self._api.get_page(saved.saved_id, self._property_ids)
        except SyncError as error:
            raise saved from error


def _is_away(found: ReadResult, flag: str) -> bool:
    """Whether it already is where it should go: in the trash, or for an archive in either place."""
    return isinstance(found, Gone) or (
        flag == "is_archived" and isinstance(found, OutOfScope) and found.reason == "archived"
    )


def _points_nowhere(what: str) -> RejectedError:
    """For a 404 on a write to something that Notion does show: it speaks of what the values name."""
    return RejectedError(f"{what} was to name a page or person that Notion does not show to the connection")
