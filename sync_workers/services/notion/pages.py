"""A page of Notion as a record of one data source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from sync_workers.errors import AccessError, LaterError, MovedError, RejectedError
from sync_workers.model import ID, NOTHING, NOTHING_ELSE, About, Fields, Record
from sync_workers.services.base import Fetched, Gone, OutOfScope, ReadResult
from sync_workers.services.notion.bodies import Body
from sync_workers.services.notion.choice import Choice
from sync_workers.services.notion.errors import NotShownError
from sync_workers.services.notion.page_reader import Beside, PageReader
from sync_workers.services.notion.people import UnknownPersonError
from sync_workers.services.notion.properties import Property

Items = Callable[[str, str], dict[str, Any]]
"""Asks for all items of a property of a page, by the ids of both, with what is said of them together."""


NOTHING_BESIDE = Beside()


class UnreadableError(RejectedError):
    """One page shows what cannot be a record; all others go on."""


class UnreadError(UnreadableError):
    """One property of a page shows what cannot be read; its others go on.

    Attributes:
        why: the end of a sentence that begins with the property.
    """

    def __init__(self, name: str, why: str) -> None:
        self.why = why
        super().__init__(f"property {name!r} {why}")


class Pages:
    """Reads pages of one data source.

    Attributes:
        data_source: its id; a page of another one is out of scope.
        chosen: the properties that are read.
        reader: reads what else is mapped.
    """

    def __init__(self, data_source: str, chosen: Choice, items: Items, reader: PageReader) -> None:
        self.data_source = data_source
        self.chosen = chosen
        self.reader = reader
        self._items = items
        # Most rows show nothing but their author, and a few people edit a hundred thousand rows.
        self._authors: dict[str | None, About] = {None: NOTHING_ELSE}

    def listed(self, pages: Iterable[Mapping[str, Any]], known: Mapping[ID, Record] = NOTHING) -> Fetched:
        """The rows of a listing. That Notion lists a page says enough about where it is."""
        records: list[Record] = []
        unreadable: dict[ID, str] = {}
        for page in pages:
            if page.get("in_trash") or page.get("is_archived"):
                continue
            try:
                records.append(self.record(page, known.get(page["id"])))
            except UnreadableError as error:
                unreadable[page["id"]] = str(error)
        return Fetched(tuple(records), unreadable=unreadable)

    def show(
        self, page: Mapping[str, Any], known: Record | None = None, body: Body | None = None
    ) -> ReadResult:
        """What a page is for this data source; see `PageReader.read` for what is given."""
        if page.get("in_trash"):
            return Gone(page["id"])
        if page.get("is_archived"):
            return OutOfScope(page["id"], "archived")
        if not self.is_here(page):
            return OutOfScope(page["id"], "moved to another data source")
        try:
            return self.record(page, known, body)
        except UnreadableError as error:
            return OutOfScope(page["id"], str(error), is_sure=False)

    def record(
        self, page: Mapping[str, Any], known: Record | None = None, body: Body | None = None
    ) -> Record:
        """The page's mapped fields, whatever its place.

        Raises:
            AccessError: the integration may not read content, so that a page is but an id.
            LaterError: a mapped property is not there any more; the next run knows that from the start.
            UnreadableError: its title, or what the page is marked with, is none that this version knows.
        """
        if "properties" not in page:
            msg = (
                f"Notion shows page {page['id']} without its properties: give the integration the "
                "capability to read content under https://www.notion.so/profile/integrations"
            )
            raise AccessError(msg)
        modified = datetime.fromisoformat(page["last_edited_time"])
        # By the names of the task file, found by property id: a rename changes nothing.
        shown = _by_id(page)
        fields, unread = self._values(page["id"], shown)
        beside = self._beside(page, known, body)
        about = self._about(page, shown)
        if beside.fixed or unread:
            about = replace(about, fixed=beside.fixed, unread=unread)
        fields |= beside.fields
        return Record(page["id"], fields, modified=modified, version=beside.version, about=about)

    def _beside(self, page: Mapping[str, Any], known: Record | None, body: Body | None) -> Beside:
        if not self.chosen.page:
            return NOTHING_BESIDE
        try:
            return self.reader.read(page, known, body)
        except (NotShownError, RejectedError) as error:
            # The page went away since it was listed, or is one that only shows another: it ends no run.
            msg = f"what stands on the page could not be read: {error}"
            raise UnreadableError(msg) from error

    def is_shown(self, page: Mapping[str, Any]) -> bool:
        """Whether it is a row that is neither in the trash nor archived."""
        return not page.get("in_trash") and not page.get("is_archived") and self.is_here(page)

    def refuse(self, fields: Fields) -> None:
        """Refuse what will never work, before anything is asked.

        Raises: as `encode`.
        """
        waits = {one.name for one in self.chosen.mapped if one.codec is not None and one.codec.needs_page}
        self.encode({name: value for name, value in fields.items() if name not in waits})

    def encode(self, fields: Fields, page: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The properties among the fields as a request names them: by property id.

        Args:
            page: what is written to, as Notion shows it; what a value cannot say stays there. None for a
                new page.

        Raises:
            MovedError: a field was deleted since the plan was made.
            RejectedError: a field is not mapped, or Notion would not take its value.
        """
        mapped = {wanted.name: wanted for wanted in self.chosen.mapped}
        if gone := sorted(self.chosen.gone.intersection(fields)):
            msg = f"data source {self.data_source} has lost property {', '.join(gone)} since it was read"
            raise MovedError(msg)
        beside = {one.name for one in self.chosen.page}
        if unknown := sorted(set(fields) - set(mapped) - beside):
            msg = f"data source {self.data_source} has no mapped property {', '.join(unknown)}"
            raise RejectedError(msg)
        shown = _by_id(page) if page is not None else None
        encoded: dict[str, Any] = {}
        refused: dict[str, RejectedError] = {}
        for name, value in fields.items():
            if name in beside:
                continue
            wanted = mapped[name]
            present = self._whole(page["id"], wanted, shown) if page is not None and shown else None
            try:
                encoded[wanted.id] = wanted.write(value, present)
            except RejectedError as error:
                refused[name] = error
        if refused:
            raise _together(refused, is_whole=any(mapped[name].type == "title" for name in refused))
        return encoded

    def is_here(self, page: Mapping[str, Any]) -> bool:
        """Whether it is a row of the data source; in the trash it still is one."""
        if "parent" not in page:  # an integration that may not read content does not see it
            return True
        parent = page["parent"].get("data_source_id")
        return parent is not None and UUID(parent) == UUID(self.data_source)

    def _about(self, page: Mapping[str, Any], shown: Mapping[str, Mapping[str, Any]]) -> About:
        author = (page.get("last_edited_by") or {}).get("id")
        mark, note = (
            None if own is None else self._value(page["id"], own, shown)
            for own in (self.chosen.marker, self.chosen.note)
        )
        above = self._above(page["id"], shown)
        if (mark, note, above) != (None, None, None):
            return About(mark, note, author, above)
        if author not in self._authors:
            self._authors[author] = About(author=author)
        return self._authors[author]

    def _above(self, page_id: ID, shown: Mapping[str, Mapping[str, Any]]) -> ID | None:
        """The row that a row belongs under."""
        if self.chosen.parent is None:
            return None
        named = self._value(page_id, self.chosen.parent, shown)
        return next((str(one) for one in named if one != page_id), None)

    def _values(
        self, page_id: ID, shown: Mapping[str, Mapping[str, Any]]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The values of the mapped properties, and why others cannot be read; without its title no row is."""
        fields: dict[str, Any] = {}
        unread: dict[str, str] = {}
        for wanted in self.chosen.mapped:
            try:
                fields[wanted.name] = self._value(page_id, wanted, shown)
            except UnreadError as error:
                if wanted.type == "title":
                    raise
                unread[wanted.name] = error.why
        return fields, unread

    def _value(self, page_id: str, wanted: Property, shown: Mapping[str, Mapping[str, Any]]) -> Any:
        value = self._whole(page_id, wanted, shown)
        try:
            return wanted.read(value)
        except UnknownPersonError as error:
            raise UnreadError(wanted.name, str(error)) from None
        except (ValueError, KeyError, TypeError) as error:
            # Such as a year after 9999. From None: the cause would show the value.
            why = (
                f"cannot be read in Notion ({type(error).__name__}): change it there, or take the "
                "property out of the task"
            )
            raise UnreadError(wanted.name, why) from None

    def _whole(
        self, page_id: str, wanted: Property, shown: Mapping[str, Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        """What a page shows of a property, with the items that it shows only when it is asked for them."""
        value = shown.get(wanted.id)
        # Someone deleted the property, or made it another type, since the data source was read. Its
        # values are unknown now, not cleared.
        if value is None or value["type"] != wanted.type:
            msg = f"property {wanted.name!r} was removed or changed its type while the task ran: run it again"
            raise LaterError(msg)
        try:
            if not wanted.is_cut(value) and not _follows_more(wanted, shown):
                return value
            whole = self._items(page_id, wanted.id)
            return wanted.join(whole["results"], whole.get("property_item"))
        except (NotShownError, RejectedError) as error:
            # The page went away since it was listed; that ends no run.
            msg = f"property {wanted.name!r} could not be read whole: {error}"
            raise UnreadableError(msg) from error


def _together(refused: Mapping[str, RejectedError], *, is_whole: bool) -> RejectedError:
    """One refusal for several fields; without its title no row is written."""
    return RejectedError("; ".join(map(str, refused.values())), fields=() if is_whole else tuple(refused))


def _follows_more(wanted: Property, shown: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a rollup follows a relation to more rows than a page's values are computed from."""
    if wanted.rolls_up is None:
        return False
    # The schema names the relation without the encoding that ids have elsewhere.
    follows = unquote(wanted.rolls_up)
    return any(value.get("has_more") for name, value in shown.items() if unquote(name) == follows)


def _by_id(page: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What a page shows; by property id, so that a rename changes nothing."""
    return {value["id"]: value for value in page["properties"].values()}
