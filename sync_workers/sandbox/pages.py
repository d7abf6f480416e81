"""The endpoints of pages: create, retrieve, update, trash and restore, property items."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sync_workers.sandbox import cells, show
from sync_workers.sandbox.body import tree
from sync_workers.sandbox.body.parse import parse
from sync_workers.sandbox.checks import check_object, check_text, part_of
from sync_workers.sandbox.errors import failed, invalid, not_found
from sync_workers.sandbox.icons import check_cover, check_icon
from sync_workers.sandbox.nouns import DataSource, Json, Page, Property
from sync_workers.sandbox.paging import cut_page, page_size
from sync_workers.sandbox.properties import Written, unset, write_values
from sync_workers.sandbox.request import Request, only_keys
from sync_workers.sandbox.store import Store
from sync_workers.sandbox.texts import show_rich_text

_BODY = ("children", "content", "markdown")
_CREATE = frozenset({"parent", "properties", "icon", "cover", *_BODY, "template", "position"})
_UPDATE = frozenset(
    {"properties", "in_trash", "is_archived", "icon", "cover", "is_locked", "template", "erase_content"}
)
_LOOKS = {"icon": check_icon, "cover": check_cover}


def retrieve(request: Request, page_id: str) -> Json:
    return show.page(request.store, request.store.page(page_id), request.query.get("filter_properties", []))


def create(request: Request) -> Json:
    body = only_keys(request.body, _CREATE)
    parent = check_object(body.get("parent"), "parent")
    return show.page(request.store, add_page(request.store, parent, body, request.user_id))


def add_page(store: Store, parent: Json, body: Json, by: str) -> Page:
    """A new page, a row when the parent is a data source."""
    change = store.change(by)
    looks: Json = {key: check(body.get(key), key) for key, check in _LOOKS.items()}
    page = Page(store.new_id(), {}, {}, change, change, **looks)
    properties = part_of(body, "properties")
    source = _source_of(store, parent)
    drafts = _drafts(body)
    named = {"title", source.title_property.name} if source else {"title"}
    if body.get("markdown") is not None and not named & set(properties):
        properties = {**properties, **_titled(drafts)}
    if source is None:
        page = _under_page(store, page, parent, properties)
        store.place(page.parent, page.id, by)
    else:
        values = {column.id: unset(column.type) for column in source.properties}
        written = write_values(store, source, properties)
        number = store.next_number(source.id)
        row_parent = {"type": "data_source_id", "data_source_id": source.id}
        page = replace(page, parent=row_parent, values={**values, **written.values}, number=number)
        _keep(store, written)
    store.pages[page.id] = page
    tree.put(store, page.id, page.id, drafts, by)
    relate(store, source, page, {}, by)
    return page


def _drafts(body: Json) -> list[Json]:
    """What a new page begins with, said in one of three ways."""
    said = [key for key in _BODY if body.get(key) is not None]
    if len(said) > 1:
        raise invalid(f"{said[0]} and {said[1]} are mutually exclusive.")
    if said == ["markdown"]:
        drafts = parse(check_text(body["markdown"], "markdown"))
        return [draft for draft in drafts if draft["type"] != "kept"]
    return tree.read(body[said[0]], said[0]) if said else []


def _titled(drafts: list[Json]) -> Json:
    """The first heading is the title where none is given [documented]; it leaves the body."""
    first = next((draft for draft in drafts if draft["type"] == "heading_1"), None)
    if first is None:
        return {}
    drafts.remove(first)
    return {"title": {"title": first["content"]["rich_text"]}}


def update(request: Request, page_id: str) -> Json:
    body = only_keys(request.body, _UPDATE)
    return show.page(request.store, change_page(request.store, page_id, body, request.user_id))


def change_page(store: Store, page_id: str, body: Json, by: str) -> Page:
    """An edited page; one in the trash can only be brought back.

    Raises:
        Refusal: when it is in the trash, or a value is wrong; then nothing was changed.
    """
    page = store.page(page_id)
    if page.in_trash and body.get("in_trash") is not False:
        raise invalid("Can't edit block that is archived. You must unarchive the block before editing.")
    before = page
    source = store.data_sources.get(page.data_source_id or "")
    if source is None:
        page = replace(page, values={**page.values, **_title(part_of(body, "properties"))})
    else:
        written = write_values(store, source, part_of(body, "properties"))
        page = replace(page, values={**page.values, **written.values})
        _keep(store, written)
    flags: Json = {key: bool(body[key]) for key in ("in_trash", "is_archived") if body.get(key) is not None}
    looks: Json = {key: check(body[key], key) for key, check in _LOOKS.items() if key in body}
    if body.get("erase_content") is True:
        store.children.pop(page.id, None)
    page = store.put_page(replace(page, **flags, **looks), by)
    relate(store, source, page, before.values, by)
    return page


def property_item(request: Request, page_id: str, property_id: str) -> Json:
    """One value in full: lists in pages of up to 100."""
    store = request.store
    page = store.page(page_id)
    source = store.data_sources.get(page.data_source_id or "") or _title_only(store)
    column = source.find(property_id)
    if column is None:
        raise not_found("property", property_id)
    item = cells.property_item(store, source, column, page)
    if not isinstance(item, list):
        return item
    size = page_size(request.asked("page_size"))
    part, cursor = cut_page(item, size, request.asked("start_cursor"))
    next_url = f"{request.url}?start_cursor={cursor}" if cursor else None
    of_all = cells.together(store, source, column, page)
    extra: Json = {"id": column.id, "next_url": next_url, "type": column.type, column.type: of_all}
    return show.listing("property_item", part, cursor, extra)


def _title_only(store: Store) -> DataSource:
    """What a page that is no row has for a schema."""
    change = store.change("")
    return DataSource("", "", [], (Property("title", "title", "title"),), change, change)


def relate(store: Store, source: DataSource | None, page: Page, before: Any, by: str) -> None:
    """Keep the other ends of two-way relations in step with what was written."""
    for column in source.properties if source else ():
        partner = column.config.get("synced_property_id") if column.type == "relation" else None
        if partner is None:
            continue
        was, now = before.get(column.id) or [], page.values.get(column.id) or []
        for other_id in set(was) ^ set(now):
            other = store.pages[other_id]
            linked = [i for i in other.values.get(partner) or [] if i != page.id]
            if other_id in now:
                linked.append(page.id)
            store.put_page(replace(other, values={**other.values, partner: linked}), by)


def _source_of(store: Store, parent: Json) -> DataSource | None:
    """The data source of a new row; a database will do when it has only one."""
    if "data_source_id" in parent:
        source = store.data_source(str(parent["data_source_id"]))
    elif "database_id" in parent:
        sources = store.sources_of(store.database(str(parent["database_id"])).id)
        if len(sources) != 1:
            raise invalid("Databases with multiple data sources are not supported: name the data source.")
        (source,) = sources
    else:
        return None
    if store.in_trash(source):
        raise not_found("data source", source.id)
    return source


def _under_page(store: Store, page: Page, parent: Json, properties: Json) -> Page:
    if "page_id" in parent:
        above = store.page(str(parent["page_id"])).id
        under: Json = {"type": "page_id", "page_id": above}
    elif parent.get("workspace"):
        under = {"type": "workspace", "workspace": True}
    else:
        raise failed("parent.page_id", "defined", "undefined")
    return replace(page, parent=under, values={"title": [], **_title(properties)})


def _title(properties: Json) -> Json:
    if unknown := sorted(set(properties) - {"title"}):
        raise invalid(f"{unknown[0]} is not a property that exists.")
    if "title" not in properties:
        return {}
    written = properties["title"]
    payload = written.get("title") if isinstance(written, dict) else written
    return {"title": show_rich_text(payload, "properties.title.title")}


def _keep(store: Store, written: Written) -> None:
    # Options that a write made belong to the schema, without counting as an edit of it.
    store.data_sources[written.source.id] = written.source
