"""How Notion shows what it keeps: the JSON of pages, schemas, databases, users and lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import unquote

from sync_workers.sandbox import cells, computed, users
from sync_workers.sandbox.nouns import Block, Change, Database, DataSource, Json, Page, Property
from sync_workers.sandbox.store import Store
from sync_workers.sandbox.texts import plain_text, rich_text, show_rich_text, show_time

UNTITLED = "New database"  # only a database says so; its data source has an empty title [recorded]


def page(store: Store, one: Page, only: Sequence[str] = ()) -> Json:
    """A page with all its properties, or with those of the given ids only."""
    source = store.data_sources.get(one.data_source_id or "")
    if source is None:
        title = one.values.get("title", [])
        properties: Json = {"title": {"id": "title", "type": "title", "title": title}}
        parent = one.parent
    else:
        title = one.values.get("title", [])
        wanted = [p for p in _ordered(source) if not only or unquote(p.id) in {unquote(key) for key in only}]
        properties = {column.name: cells.value(store, source, column, one) for column in wanted}
        parent = {**one.parent, "database_id": source.database_id}
    return {
        "object": "page",
        "id": one.id,
        **_times(one.created, one.edited),
        "created_by": users.partial(one.created.by),
        "last_edited_by": users.partial(one.edited.by),
        "cover": one.cover,
        "icon": one.icon,
        "parent": parent,
        "in_trash": one.in_trash,
        "is_archived": one.is_archived,
        "is_locked": False,
        "properties": properties,
        "url": _url(one.id, plain_text(title)),
        "public_url": None,
    }


def data_source(store: Store, one: DataSource) -> Json:
    database_ = store.databases[one.database_id]
    return {
        "object": "data_source",
        "id": one.id,
        "cover": one.cover,
        "icon": one.icon,
        **_times(one.created, one.edited),
        "created_by": users.partial(one.created.by),
        "last_edited_by": users.partial(one.edited.by),
        "title": one.title,
        "description": one.description,
        "is_inline": database_.is_inline,
        "properties": {
            column.name: schema(store, one, column) for column in _ordered(one) if _knows(store, column)
        },
        "parent": {"type": "database_id", "database_id": one.database_id},
        "database_parent": database_.parent,
        "url": _url(one.database_id),
        "public_url": None,
        "in_trash": store.in_trash(one),
    }


def _knows(store: Store, column: Property) -> bool:
    """A relation to a table that is not shared is missing in what Notion shows."""
    return column.type != "relation" or not store.hides(column.config["data_source_id"])


def schema(store: Store, source: DataSource, column: Property) -> Json:
    """One column of a data source."""
    config = dict(column.config)
    if column.type == "relation":
        config = _relation(store, column)
    elif column.type == "rollup":
        relation = source.find(config["relation_property_id"])
        related = store.data_sources.get(relation.config["data_source_id"]) if relation else None
        config = computed.rollup_config(source, related, config)
    shown = {"id": column.id, "name": column.name, "description": column.description, "type": column.type}
    return {**shown, column.type: config}


def _relation(store: Store, column: Property) -> Json:
    related = store.data_sources[column.config["data_source_id"]]
    shown: Json = {"database_id": related.database_id, "data_source_id": related.id}
    partner = column.config.get("synced_property_id")
    if partner is None:
        return {**shown, "type": "single_property", "single_property": {}}
    back = related.find(partner)
    synced = {"synced_property_name": back.name if back else None, "synced_property_id": partner}
    return {**shown, "type": "dual_property", "dual_property": synced}


def database(store: Store, one: Database) -> Json:
    edited = one.edited or one.created
    return {
        "object": "database",
        "id": one.id,
        "title": one.title or show_rich_text(rich_text(UNTITLED), "title"),
        "description": one.description,
        "parent": one.parent,
        "is_inline": one.is_inline,
        "in_trash": one.in_trash,
        "is_locked": one.is_locked,
        # The one object whose times keep their milliseconds [recorded].
        "created_time": one.created.at.isoformat(timespec="milliseconds"),
        "last_edited_time": edited.at.isoformat(timespec="milliseconds"),
        "data_sources": [
            {"id": s.id, "name": plain_text(s.title) or UNTITLED} for s in store.sources_of(one.id)
        ],
        "icon": one.icon,
        "cover": one.cover,
        "url": _url(one.id),
        "public_url": None,
    }


def _named(source: DataSource) -> Json:
    return {"id": source.id, "name": plain_text(source.title) or UNTITLED}


def block(one: Block, *, has_children: bool) -> Json:
    key = "page_id" if one.parent_id == one.page_id else "block_id"
    parent = {"type": key, key: one.parent_id}
    inside = {one.type: one.content}
    shown = _block(one.id, parent, one.created, one.edited, inside, in_trash=one.in_trash)
    return {**shown, "has_children": has_children}


def database_block(one: Database, edited: Change) -> Json:
    """A database as the block that a page shows."""
    inside = {"child_database": {"title": plain_text(one.title)}}
    return _block(one.id, one.parent, one.created, edited, inside, in_trash=one.in_trash)


def page_block(one: Page) -> Json:
    inside = {"child_page": {"title": plain_text(one.values.get("title", []))}}
    return _block(one.id, one.parent, one.created, one.edited, inside, in_trash=one.in_trash)


def _block(
    block_id: str, parent: Json, created: Change, edited: Change, inside: Json, *, in_trash: bool
) -> Json:
    return {
        "object": "block",
        "id": block_id,
        "parent": parent,
        **_times(created, edited),
        "created_by": users.partial(created.by),
        "last_edited_by": users.partial(edited.by),
        "has_children": False,
        "in_trash": in_trash,
        "type": next(iter(inside)),
        **inside,
    }


def listing(kind: str, results: Iterable[Json], next_cursor: str | None = None, extra: Any = None) -> Json:
    """The envelope of every list."""
    return {
        "object": "list",
        "results": list(results),
        "next_cursor": next_cursor,
        "has_more": next_cursor is not None,
        "type": kind,
        kind: {} if extra is None else extra,
    }


def _ordered(source: DataSource) -> list[Property]:
    return sorted(source.properties, key=lambda column: column.order)


def _times(created: Change, edited: Change) -> Json:
    return {"created_time": show_time(created.at), "last_edited_time": show_time(edited.at)}


def _url(object_id: str, title: str = "") -> str:
    words = re.sub(r"[^A-Za-z0-9_]+", "-", title).strip("-")
    return f"https://www.notion.so/{words}{'-' if words else ''}{object_id.replace('-', '')}"
