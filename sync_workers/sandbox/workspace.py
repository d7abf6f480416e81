"""The endpoints beside pages and tables: users, search."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from sync_workers.sandbox import show, users
from sync_workers.sandbox.checks import part_of
from sync_workers.sandbox.errors import failed
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.paging import cut_page, page_size
from sync_workers.sandbox.request import Request, only_keys
from sync_workers.sandbox.texts import plain_text

_SEARCH = frozenset({"query", "filter", "sort", "start_cursor", "page_size"})


def me(request: Request) -> Json:
    return users.me(request.store, request.store.user(request.user_id))


def retrieve_user(request: Request, user_id: str) -> Json:
    store = request.store
    user = store.user(user_id)
    return (
        users.me(store, user)
        if user.id == request.user_id
        else users.show(user, with_email=store.shows_emails)
    )


def list_users(request: Request) -> Json:
    store = request.store
    everyone = [
        users.show(user, with_email=store.shows_emails)
        for user in store.users.values()
        if user.id not in store.guests
    ]
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
        if store.hides(source.id):
            continue
        yield plain_text(source.title), source.edited.at, show.data_source(store, source)
    for page in reversed(store.pages.values()):
        if not page.in_trash and not store.hides(page.id):
            row_of = store.data_sources.get(page.data_source_id or "")
            title = page.values.get(row_of.title_property.id if row_of else "title", [])
            yield plain_text(title), page.edited.at, show.page(store, page)


def _words(text: str) -> set[str]:
    return {word.removesuffix("s") for word in re.findall(r"\w+", text.casefold())}
