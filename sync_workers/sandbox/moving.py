"""Moving a page: under another page, or into a data source, where it becomes a row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sync_workers.sandbox import show
from sync_workers.sandbox.checks import check_object
from sync_workers.sandbox.errors import failed, invalid
from sync_workers.sandbox.nouns import DataSource, Json, Page, Property
from sync_workers.sandbox.properties import unset, write_values
from sync_workers.sandbox.request import Request, only_keys
from sync_workers.sandbox.store import Store

_BY_NAME = frozenset({"select", "multi_select", "status"})


def move(request: Request, page_id: str) -> Json:
    store, body = request.store, only_keys(request.body, {"parent"})
    parent = check_object(body.get("parent"), "parent")
    return show.page(store, move_page(store, store.page(page_id), parent, request.user_id))


def move_page(store: Store, page: Page, parent: Json, by: str) -> Page:
    """The page under its new parent.

    Values cross to properties with the same name and type, options by their names; all others are lost, as
    in Notion they are no more seen. What no page and no data source is cannot be a parent.
    """
    if page.in_trash:
        raise invalid("Can't edit block that is archived. You must unarchive the block before editing.")
    if "data_source_id" in parent:
        return _into_table(store, page, store.data_source(str(parent["data_source_id"])), by)
    if "page_id" not in parent:
        raise failed("parent.page_id", "defined", "undefined")
    above = store.page(str(parent["page_id"]))
    if page.id in _line(store, above):
        raise invalid("A page cannot be moved under itself.")
    title = page.values.get("title") or []
    under = {"type": "page_id", "page_id": above.id}
    # Last on its new page; coming back it does not stand there twice.
    stands = [i for i in store.children.get(above.id, ()) if i != page.id]
    store.children[above.id] = [*stands, page.id]
    return store.put_page(replace(page, parent=under, values={"title": title}), by)


def _line(store: Store, page: Page) -> list[str]:
    """The page and all pages above it."""
    line = [page.id]
    while (above := store.pages.get(page.parent.get("page_id", ""))) is not None:
        line.append(above.id)
        page = above
    return line


def _into_table(store: Store, page: Page, target: DataSource, by: str) -> Page:
    origin = store.data_sources.get(page.data_source_id or "")
    if origin is not None and origin.id == target.id:
        return page
    values: dict[str, Any] = {column.id: unset(column.type) for column in target.properties}
    values["title"] = page.values.get("title") or []
    for column in target.properties:
        there = _same(origin, column)
        if there is not None and column.type != "title":
            kept = page.values.get(there.id)
            if column.type in _BY_NAME:
                target, values[column.id] = _options(store, target, column, there, kept)
            else:
                values[column.id] = kept
    store.data_sources[target.id] = target
    parent = {"type": "data_source_id", "data_source_id": target.id}
    number = store.next_number(target.id)
    return store.put_page(replace(page, parent=parent, values=values, number=number), by)


def _same(origin: DataSource | None, column: Property) -> Property | None:
    found = next((p for p in origin.properties if p.name == column.name), None) if origin else None
    if found is None or found.type != column.type:
        return None
    if column.type == "relation" and found.config["data_source_id"] != column.config["data_source_id"]:
        return None
    return found


def _options(
    store: Store, target: DataSource, column: Property, there: Property, kept: Any
) -> tuple[DataSource, Any]:
    """The options of the same names; a status that the new table does not know is lost."""
    if not kept:
        return target, unset(column.type)
    names = [
        option["name"] for i in (kept if isinstance(kept, list) else [kept]) if (option := there.option(i))
    ]
    if column.type == "status":
        names = [name for name in names if name in {option["name"] for option in column.options}]
        if not names:
            return target, None
    payload = [{"name": name} for name in names]
    written = {column.type: payload if column.type == "multi_select" else payload[0]}
    done = write_values(store, target, {column.id: written})
    return done.source, done.values[column.id]


ROUTES = (("POST", "pages/([^/]+)/move", move),)
