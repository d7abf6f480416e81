"""A page of Notion as a record of one data source."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sync_workers.errors import AccessError, RejectedError, SettingsError
from sync_workers.model import ID, Record
from sync_workers.services.base import Fetched, Gone, OutOfScope, ReadResult
from sync_workers.services.notion.errors import NotShownError
from sync_workers.services.notion.properties import Property

Items = Callable[[str, str], list[dict[str, Any]]]
"""Asks for all items of a property of a page, by the ids of both."""


class UnreadableError(RejectedError):
    """One page shows what cannot be a record; all others go on."""


def choose(properties: Mapping[str, Property], names: Iterable[str], what: str) -> tuple[Property, ...]:
    """The properties that a task maps.

    Raises:
        SettingsError: names that are not there, with the nearest, or types that cannot be mapped.
    """
    problems = []
    chosen = []
    for name in names:
        found = properties.get(name)
        if found is None:
            near = difflib.get_close_matches(name, properties, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(properties))}"
            problems.append(
                f"{what} has no property {name!r}; {hint} "
                "(a relation shows only when the data source it points to is shared, too)"
            )
        elif found.codec is None:
            problems.append(f"property {name!r} of {what} has the type {found.type}, which cannot be mapped")
        else:
            chosen.append(found)
    if problems:
        raise SettingsError(*problems)
    return tuple(chosen)


class Pages:
    """Reads pages of one data source.

    Attributes:
        data_source: its id; a page of another one is out of scope.
        properties: the mapped ones.
    """

    def __init__(self, data_source: str, properties: tuple[Property, ...], items: Items) -> None:
        self.data_source = data_source
        self.properties = properties
        self._items = items

    def listed(self, pages: Iterable[Mapping[str, Any]]) -> Fetched:
        """The rows of a listing. That Notion lists a page says enough about where it is."""
        records: list[Record] = []
        unreadable: dict[ID, str] = {}
        for page in pages:
            if page.get("in_trash") or page.get("is_archived"):
                continue
            try:
                records.append(self.record(page))
            except UnreadableError as error:
                unreadable[page["id"]] = str(error)
        return Fetched(tuple(records), unreadable=unreadable)

    def show(self, page: Mapping[str, Any]) -> ReadResult:
        """What a page is for this data source."""
        if page.get("in_trash"):
            return Gone(page["id"])
        if page.get("is_archived"):
            return OutOfScope(page["id"], "archived")
        if "parent" in page and not self._is_here(page):
            return OutOfScope(page["id"], "moved to another data source")
        try:
            return self.record(page)
        except UnreadableError as error:
            return OutOfScope(page["id"], str(error))

    def record(self, page: Mapping[str, Any]) -> Record:
        """The page's mapped fields, whatever its place.

        Raises:
            AccessError: the integration may not read content, so that a page is but an id.
            SettingsError: a mapped property is not there any more.
            UnreadableError: a value is none that this version knows.
        """
        if "properties" not in page:
            msg = (
                f"Notion shows page {page['id']} without its properties: give the integration the "
                "capability to read content under https://www.notion.so/profile/integrations"
            )
            raise AccessError(msg)
        modified = datetime.fromisoformat(page["last_edited_time"])
        return Record(page["id"], self._fields(page), modified=modified)

    def _is_here(self, page: Mapping[str, Any]) -> bool:
        parent = page["parent"].get("data_source_id")
        return parent is not None and UUID(parent) == UUID(self.data_source)

    def _fields(self, page: Mapping[str, Any]) -> dict[str, Any]:
        """Values by the names of the task file, found by property id: a rename changes nothing."""
        shown = {value["id"]: value for value in page["properties"].values()}
        return {wanted.name: self._value(page["id"], wanted, shown) for wanted in self.properties}

    def _value(self, page_id: str, wanted: Property, shown: Mapping[str, Mapping[str, Any]]) -> Any:
        value = shown.get(wanted.id)
        # Someone deleted the property, or made it another type, since the data source was read. Its
        # values are unknown now, not cleared.
        if value is None or value["type"] != wanted.type:
            msg = f"property {wanted.name!r} was removed or changed its type while the task ran: run it again"
            raise SettingsError(msg)
        try:
            if wanted.is_cut(value):
                value = wanted.join(self._items(page_id, wanted.id))
            return wanted.read(value)
        except (NotShownError, RejectedError) as error:
            # The page went away since it was listed; that ends no run.
            msg = f"property {wanted.name!r} could not be read whole: {error}"
            raise UnreadableError(msg) from error
        except (ValueError, KeyError, TypeError) as error:
            # Such as a year after 9999. From None: the cause would show the value.
            msg = (
                f"property {wanted.name!r} shows a value that cannot be read ({type(error).__name__}): "
                "change it in Notion, or take the property out of the task"
            )
            raise UnreadableError(msg) from None
