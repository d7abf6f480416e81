"""Blocks under pages and under blocks: add, order, delete. Child pages and databases stand among them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from sync_workers.sandbox import show
from sync_workers.sandbox.body import kinds
from sync_workers.sandbox.checks import check_list, check_object
from sync_workers.sandbox.errors import invalid
from sync_workers.sandbox.nouns import Block, Database, Json, Page
from sync_workers.sandbox.store import Store

Item: TypeAlias = Block | Page | Database


def inside(store: Store, parent_id: str) -> list[Item]:
    """What stands directly under a page or block, in its order and without the trash."""
    found = (find(store, item_id) for item_id in store.children.get(parent_id, ()))
    return [item for item in found if item is not None and not item.in_trash and _is_under(item, parent_id)]


def _is_under(item: Item, parent_id: str) -> bool:
    # A page that was moved away still has its old place.
    return (item.parent_id if isinstance(item, Block) else item.parent.get("page_id")) == parent_id


def find(store: Store, item_id: str) -> Item | None:
    return store.blocks.get(item_id) or store.pages.get(item_id) or store.databases.get(item_id)


def everything(store: Store, parent_id: str) -> Iterator[Item]:
    """All that stands under it, at any depth; not what stands on child pages."""
    for item in inside(store, parent_id):
        yield item
        if isinstance(item, Block):
            yield from everything(store, item.id)


def shown(store: Store, item: Item) -> Json:
    if isinstance(item, Page):
        return show.page_block(item)
    if isinstance(item, Database):
        return show.database_block(item, item.edited or item.created)
    return show.block(item, has_children=bool(inside(store, item.id)))


def editable(store: Store, page_id: str) -> Page:
    """The page, unless it is in the trash."""
    page = store.page(page_id)
    if page.in_trash:
        raise invalid("Can't edit block that is archived. You must unarchive the block before editing.")
    return page


def add(
    store: Store, page_id: str, parent_id: str, written: Any, by: str, place: int | None = None
) -> list[Block]:
    """New blocks with all that is written under them, at a place or at the end.

    Raises:
        Refusal: one of them is wrong; then none is made.
    """
    drafts = read(written, "children")
    return put(store, page_id, parent_id, drafts, by, place)


def read(written: Any, path: str) -> list[Json]:
    """What a client writes as drafts, `{type, content, children}`, checked."""
    drafts = []
    for place, child in enumerate(check_list(written, path)):
        here = f"{path}[{place}]"
        kind = kinds.kind_of(check_object(child, here), here)
        part = check_object(child.get(kind), f"{here}.{kind}")
        under = read(part.get("children") or child.get("children") or [], f"{here}.{kind}.children")
        drafts.append(
            {"type": kind, "content": kinds.content(kind, part, f"{here}.{kind}"), "children": under}
        )
    return drafts


def put(
    store: Store, page_id: str, parent_id: str, drafts: Sequence[Json], by: str, place: int | None = None
) -> list[Block]:
    """The same from drafts that are checked already."""
    change = store.change(by)
    made = []
    for draft in drafts:
        block = Block(
            store.new_id(), page_id, draft["type"], draft["content"], change, change, parent_id=parent_id
        )
        store.blocks[block.id] = block
        put(store, page_id, block.id, draft["children"], by)
        made.append(block)
    order = store.children.setdefault(parent_id, [])
    at = len(order) if place is None else place
    order[at:at] = [block.id for block in made]
    return made


def change(store: Store, block: Block, content: Json, by: str) -> Block:
    store.blocks[block.id] = kept = replace(block, content=content, edited=store.change(by))
    return kept


def trash(store: Store, block: Block, by: str, *, in_trash: bool = True) -> None:
    store.blocks[block.id] = replace(block, in_trash=in_trash, edited=store.change(by))
