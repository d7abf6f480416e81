"""The endpoints of blocks: children, append, retrieve, update, delete."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sync_workers.sandbox import show
from sync_workers.sandbox.body import kinds, tree
from sync_workers.sandbox.checks import check_object, part_of
from sync_workers.sandbox.errors import failed, invalid, not_found
from sync_workers.sandbox.nouns import Block, Database, Json, Page
from sync_workers.sandbox.pages import change_page
from sync_workers.sandbox.paging import cut_page, page_size
from sync_workers.sandbox.request import Request, only_keys
from sync_workers.sandbox.store import Store, as_id


def children(request: Request, parent_id: str) -> Json:
    parent = _item(request.store, parent_id)
    shown = [tree.shown(request.store, item) for item in tree.inside(request.store, parent.id)]
    size = page_size(request.asked("page_size"))
    part, cursor = cut_page(shown, size, request.asked("start_cursor"))
    return show.listing("block", part, cursor)


def append_children(request: Request, parent_id: str) -> Json:
    """New blocks at the end, at the start, or after another block; they are the answer."""
    store, body = request.store, only_keys(request.body, {"children", "position"})
    parent = _item(store, parent_id)
    if isinstance(parent, Database):
        raise invalid("A database has no blocks.")
    page = tree.editable(store, parent.id if isinstance(parent, Page) else parent.page_id)
    place = _place(store, parent.id, part_of(body, "position"))
    made = tree.add(store, page.id, parent.id, body.get("children"), request.user_id, place)
    store.put_page(page, request.user_id)
    return show.listing("block", [tree.shown(store, block) for block in made])


def _place(store: Store, parent_id: str, position: Json) -> int | None:
    kind, order = position.get("type"), store.children.get(parent_id, [])
    if kind == "start":
        return 0
    if kind == "after_block":
        after = as_id(str(part_of(position, "after_block", "position.").get("id")))
        if after not in order:
            raise failed("position.after_block.id", "a child of the block", after)
        return order.index(after) + 1
    if kind is not None and kind != "end":  # it can be anything, also what has no hash
        raise failed("position.type", '"start", "end" or "after_block"', kind)
    return None


def retrieve_block(request: Request, block_id: str) -> Json:
    return tree.shown(request.store, _item(request.store, block_id))


def change_block(request: Request, block_id: str) -> Json:
    """Only what is named changes; the type cannot."""
    store, body = request.store, request.body
    item = _item(store, block_id)
    flag = body.get("in_trash")
    if not isinstance(item, Block):
        return _change_other(request, item, flag)
    if item.in_trash and flag is not False:
        raise invalid("Can't edit block that is archived. You must unarchive the block before editing.")
    only_keys(body, {"in_trash", "type", item.type})
    page = tree.editable(store, item.page_id)
    if item.type in body:
        item = tree.change(store, item, _changed(item, body[item.type]), request.user_id)
    if flag is not None:
        tree.trash(store, item, request.user_id, in_trash=bool(flag))
    store.put_page(page, request.user_id)
    return retrieve_block(request, item.id)


def _changed(block: Block, written: Any) -> Json:
    given = check_object(written, block.type)
    if block.type in kinds.MEDIA:
        inherited = {"caption": block.content["caption"]}
        return kinds.content(block.type, {**inherited, **given}, block.type)
    if block.type not in kinds.DEFAULTS:
        raise invalid(f"A block of the type {block.type} cannot be edited.")
    fresh = kinds.content(block.type, given, block.type)
    return {**block.content, **{key: fresh[key] for key in given if key in fresh}}


def _change_other(request: Request, item: Page | Database, flag: Any) -> Json:
    """A child page or database as a block: only its place in the trash."""
    if flag is None:
        return retrieve_block(request, item.id)
    if isinstance(item, Page):
        change_page(request.store, item.id, {"in_trash": flag}, request.user_id)
    else:
        _put_database(request, item, in_trash=bool(flag))
    return retrieve_block(request, item.id)


def delete_block(request: Request, block_id: str) -> Json:
    """Into the trash: a page, a database or a block."""
    store = request.store
    item = _item(store, block_id)
    if isinstance(item, Database):
        _put_database(request, item, in_trash=True)
    elif isinstance(item, Page):
        change_page(store, item.id, {"in_trash": True}, request.user_id)
    elif not item.in_trash:
        page = tree.editable(store, item.page_id)
        tree.trash(store, item, request.user_id)
        store.put_page(page, request.user_id)
    return retrieve_block(request, item.id)


def _put_database(request: Request, database: Database, *, in_trash: bool) -> None:
    store = request.store
    edited = store.change(request.user_id)
    store.databases[database.id] = replace(database, in_trash=in_trash, edited=edited)
    for source in store.sources_of(database.id):
        store.put_source(source, request.user_id)


def _item(store: Store, item_id: str) -> tree.Item:
    found = tree.find(store, as_id(item_id) or "")
    if found is None:
        raise not_found("block", item_id)
    return found
