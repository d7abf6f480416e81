"""The endpoints beside pages and tables: users, search, blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sync_workers.sandbox import show, users
from sync_workers.sandbox.checks import check_list, check_object, part_of
from sync_workers.sandbox.errors import failed, not_found
from sync_workers.sandbox.nouns import Block, Json
from sync_workers.sandbox.pages import change_page
from sync_workers.sandbox.paging import cut_page, page_size
from sync_workers.sandbox.request import Request, only_keys
from sync_workers.sandbox.store import as_id
from sync_workers.sandbox.texts import plain_text, show_rich_text

_SEARCH = frozenset({"query", "filter", "sort", "start_cursor", "page_size"})


def me(request: Request) -> Json:
    return users.me(request.store, request.store.user(request.user_id))


def retrieve_user(request: Request, user_id: str) -> Json:
    return users.show(request.store.user(user_id))


def list_users(request: Request) -> Json:
    everyone = [users.show(user) for user in request.store.users.values()]
    size = page_size(request.asked("page_size"))
    part, cursor = cut_page(everyone, size, request.asked("start_cursor"))
    return show.listing("user", part, cursor)


def search(request: Request) -> Json:
    """Pages and data sources whose title shares a word with the query, last edited first.

    As recorded: one common word is enough ("My synced task db" finds every "... DB"), plurals count, and
    data sources in the trash are shown. Notion's index also lags some seconds behind; this one does not.
    """
    body = only_keys(request.body, _SEARCH)
    wanted = part_of(body, "filter").get("value")
    if wanted not in (None, "page", "data_source"):
        raise failed("filter.value", '"page" or "data_source"', wanted)
    words = _words(str(body.get("query") or ""))
    direction = part_of(body, "sort").get("direction", "descending")
    found = [
        (edited, shown)
        for title, edited, shown in _everything(request)
        if (not words or words & _words(title)) and wanted in {None, shown["object"]}
    ]
    found.sort(key=lambda item: item[0], reverse=direction == "descending")
    size = page_size(body.get("page_size"))
    part, cursor = cut_page([shown for _, shown in found], size, body.get("start_cursor"))
    return show.listing("page_or_data_source", part, cursor)


def _everything(request: Request) -> Iterator[tuple[str, datetime, Json]]:
    store = request.store
    for source in reversed(store.data_sources.values()):
        yield plain_text(source.title), source.edited.at, show.data_source(store, source)
    for page in reversed(store.pages.values()):
        if not page.in_trash:
            row_of = store.data_sources.get(page.data_source_id or "")
            title = page.values.get(row_of.title_property.id if row_of else "title", [])
            yield plain_text(title), page.edited.at, show.page(store, page)


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall(r"\w+", text.casefold())}


def children(request: Request, page_id: str) -> Json:
    page = request.store.page(page_id)
    inside = [b for b in request.store.blocks.values() if b.page_id == page.id and not b.in_trash]
    size = page_size(request.asked("page_size"))
    part, cursor = cut_page([show.block(b) for b in inside], size, request.asked("start_cursor"))
    return show.listing("block", part, cursor)


def append_children(request: Request, page_id: str) -> Json:
    store = request.store
    page = store.page(page_id)
    body = only_keys(request.body, {"children", "position"})
    change = store.change(request.user_id)
    made = []
    for place, child in enumerate(check_list(body.get("children"), "children")):
        path = f"children[{place}]"
        kinds = [key for key in check_object(child, path) if key not in {"object", "type"}]
        kind = str(child.get("type") or next(iter(kinds), None))
        content = _content(check_object(child.get(kind), f"{path}.{kind}"), path)
        made.append(Block(store.new_id(), page.id, kind, content, change, change))
    store.blocks.update({block.id: block for block in made})
    return show.listing("block", map(show.block, made))


def _content(written: Json, path: str) -> Json:
    shown = {key: value for key, value in written.items() if key != "children"}
    if "rich_text" in shown:
        shown["rich_text"] = show_rich_text(shown["rich_text"], f"{path}.rich_text")
    return {"color": "default", "icon": None, **shown} if "rich_text" in shown else shown


def retrieve_block(request: Request, block_id: str) -> Json:
    store, plain = request.store, as_id(block_id) or ""
    if plain in store.databases:
        database = store.databases[plain]
        return show.database_block(database, database.edited or database.created)
    if plain in store.pages:
        return show.page_block(store.pages[plain])
    if plain in store.blocks:
        return show.block(store.blocks[plain])
    raise not_found("block", block_id)


def delete_block(request: Request, block_id: str) -> Json:
    """Into the trash: a page, a database or a block."""
    store, plain = request.store, as_id(block_id) or ""
    change = store.change(request.user_id)
    if plain in store.databases:
        store.databases[plain] = replace(store.databases[plain], in_trash=True, edited=change)
        for source in store.sources_of(plain):
            store.put_source(source, request.user_id)
    elif plain in store.pages:
        change_page(store, plain, {"in_trash": True}, request.user_id)
    elif plain in store.blocks:
        store.blocks[plain] = replace(store.blocks[plain], in_trash=True, edited=change)
    return retrieve_block(request, block_id)
