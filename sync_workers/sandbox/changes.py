"""What changed in the workspace since the last look, as the events that Notion tells its subscribers.

It compares what is kept, object by object, so that every write is seen, whoever makes it and by whatever
endpoint. Payloads as in developers.notion.com/reference/webhooks-events-delivery, API 2026-03-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sync_workers.sandbox.nouns import Block, Change, Comment, Database, DataSource, Json, Page
from sync_workers.sandbox.store import Store

Noun = TypeVar("Noun")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        type: such as `page.created`.
        entity: id and type of the object that it happened to.
        data: where that object is, and what of it changed; ids only, but for the names of columns.
    """

    type: str
    entity: Json
    change: Change
    data: Json = field(default_factory=dict)


class Changes:
    """Remembers the workspace as it was; used under the store's lock."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pages: Mapping[str, Page] = {}
        self._blocks: Mapping[str, Block] = {}
        self._comments: Mapping[str, Comment] = {}
        self._databases: Mapping[str, Database] = {}
        self._sources: Mapping[str, DataSource] = {}
        self.forget()

    def forget(self) -> None:
        """Take the workspace as it is for known."""
        store = self._store
        self._pages, self._blocks = dict(store.pages), dict(store.blocks)
        self._databases, self._sources = dict(store.databases), dict(store.data_sources)
        self._comments = dict(store.comments)

    def take(self) -> list[Event]:
        """What happened since the last time."""
        events = [*self._of_tables(), *self._of_pages(), *self._of_comments()]
        self.forget()
        return events

    def _of_tables(self) -> Iterator[Event]:
        store = self._store
        for old, new in _changed(self._databases, store.databases):
            entity = {"id": new.id, "type": "database"}
            data = {"parent": _parent(store, new.parent)}
            change = new.edited or new.created
            if old is None:
                yield Event("database.created", entity, change, data)
            elif old.in_trash is not new.in_trash:
                kind = "database.deleted" if new.in_trash else "database.undeleted"
                yield Event(kind, entity, change, data)
            elif old.parent != new.parent:
                yield Event("database.moved", entity, change, data)
        for before, source in _changed(self._sources, store.data_sources):
            if before is None and source.database_id in self._databases:
                yield _of_source(store, source, "data_source.created", source.created)
            elif before is not None and (columns := _columns(before, source)):
                kind = "data_source.schema_updated"
                yield _of_source(store, source, kind, source.edited, updated_properties=columns)

    def _of_pages(self) -> Iterator[Event]:
        blocks = self._touched_blocks()
        for old, new in _changed(self._pages, self._store.pages):
            yield from self._of_page(old, new, blocks.pop(new.id, []))
        for page_id, touched in blocks.items():
            if (page := self._store.pages.get(page_id)) is not None:
                last = max((block.edited for block in touched), key=lambda change: change.at)
                yield self._content(page, last, touched)

    def _of_page(self, old: Page | None, new: Page, blocks: list[Block]) -> Iterator[Event]:
        if old is None:
            yield from self._came_or_went(new, "page.created")
        elif old.in_trash is not new.in_trash:
            yield from self._came_or_went(new, "page.deleted" if new.in_trash else "page.undeleted")
        elif old.edited is not new.edited:  # else something was computed anew
            values = _values(old, new)
            if old.parent != new.parent:  # the properties of another table are others
                yield self._page_event("page.moved", new)
                return
            if values:
                yield self._page_event("page.properties_updated", new, updated_properties=values)
            if blocks or not values:
                yield self._content(new, new.edited, blocks)

    def _came_or_went(self, page: Page, kind: str) -> Iterator[Event]:
        yield self._page_event(kind, page)
        source = self._store.data_sources.get(page.data_source_id or "")
        if source is not None:
            rows = [{"id": page.id, "type": "block"}]
            kind = "data_source.content_updated"
            yield _of_source(self._store, source, kind, page.edited, updated_blocks=rows)

    def _content(self, page: Page, change: Change, blocks: list[Block]) -> Event:
        shown = [{"id": block.id, "type": "block"} for block in blocks]
        return self._page_event("page.content_updated", page, change, updated_blocks=shown)

    def _page_event(self, kind: str, page: Page, change: Change | None = None, **data: object) -> Event:
        entity = {"id": page.id, "type": "page"}
        return Event(
            kind, entity, change or page.edited, {"parent": _parent(self._store, page.parent), **data}
        )

    def _of_comments(self) -> Iterator[Event]:
        there = self._store.comments
        for old, new in _changed(self._comments, there):
            yield self._comment(new, "comment.created" if old is None else "comment.updated")
        for comment in self._comments.values():
            if comment.id not in there:
                yield self._comment(comment, "comment.deleted")

    def _comment(self, comment: Comment, kind: str) -> Event:
        parent = _parent(self._store, comment.parent)
        block = self._store.blocks.get(parent["id"])
        data = {"page_id": parent["id"] if block is None else block.page_id, "parent": parent}
        return Event(kind, {"id": comment.id, "type": "comment"}, comment.edited, data)

    def _touched_blocks(self) -> dict[str, list[Block]]:
        """The blocks that were made, changed or trashed, by page."""
        touched: dict[str, list[Block]] = {}
        for _, block in _changed(self._blocks, self._store.blocks):
            touched.setdefault(block.page_id, []).append(block)
        return touched


def _changed(before: Mapping[str, Noun], now: Mapping[str, Noun]) -> list[tuple[Noun | None, Noun]]:
    """Objects that are new or were replaced; they are frozen, so what was not replaced is as it was."""
    return [(before.get(key), noun) for key, noun in now.items() if before.get(key) is not noun]


def _values(old: Page, new: Page) -> list[str]:
    """The ids of the properties that hold something else."""
    return [key for key in new.values if new.values[key] != old.values.get(key)]


def _columns(before: DataSource, source: DataSource) -> list[Json]:
    """What became of the columns; none for options that a write to a row made, which is no edit of it."""
    if before.edited is source.edited:
        return []
    old, new = ({column.id: column for column in each.properties} for each in (before, source))
    return [
        {
            "id": key,
            "name": new[key].name if key in new else old[key].name,
            "action": "created" if key not in old else "deleted" if key not in new else "updated",
        }
        for key in {**old, **new}
        if old.get(key) != new.get(key)
    ]


def _of_source(store: Store, source: DataSource, kind: str, change: Change, **data: object) -> Event:
    parent = _parent(store, {"data_source_id": source.id})
    return Event(kind, {"id": source.id, "type": "data_source"}, change, {"parent": parent, **data})


def _parent(store: Store, parent: Json) -> Json:
    """A parent as events show it, which is another form than that of the API."""
    if "data_source_id" in parent:
        source = store.data_sources[parent["data_source_id"]]
        return {"id": source.database_id, "type": "database", "data_source_id": source.id}
    for key, kind in (("page_id", "page"), ("block_id", "block"), ("database_id", "database")):
        if key in parent:
            return {"id": parent[key], "type": kind}
    return {"id": store.workspace_id, "type": "space"}
