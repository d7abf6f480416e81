"""The endpoints of databases and data sources: create, retrieve, change, query."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from sync_workers.sandbox import show
from sync_workers.sandbox.checks import check_object, part_of
from sync_workers.sandbox.errors import not_found
from sync_workers.sandbox.filters import Question, row_filter
from sync_workers.sandbox.furniture import View
from sync_workers.sandbox.icons import looks
from sync_workers.sandbox.nouns import Database, DataSource, Json, Page
from sync_workers.sandbox.paging import page_size, unknown_cursor
from sync_workers.sandbox.request import Request, only_keys
from sync_workers.sandbox.schema import change_columns, make_columns
from sync_workers.sandbox.sorts import sort_rows
from sync_workers.sandbox.store import Store
from sync_workers.sandbox.texts import show_rich_text

_QUERY = frozenset({"filter", "sorts", "start_cursor", "page_size", "is_archived", "result_type"})
_CREATE_DATABASE = frozenset(
    {"parent", "title", "description", "is_inline", "initial_data_source", "icon", "cover"}
)
_CHANGE_DATABASE = frozenset(
    {"parent", "title", "description", "is_inline", "in_trash", "is_locked", "icon", "cover"}
)
_CREATE_SOURCE = frozenset({"parent", "title", "properties", "icon"})
_CHANGE_SOURCE = frozenset({"title", "description", "properties", "in_trash", "icon", "cover", "parent"})
_DEFAULT_COLUMNS: Json = {"Name": {"title": {}}}


def retrieve_database(request: Request, database_id: str) -> Json:
    return show.database(request.store, request.store.database(database_id))


def create_database(request: Request) -> Json:
    body = only_keys(request.body, _CREATE_DATABASE)
    database, _ = add_database(request.store, body, request.user_id)
    return show.database(request.store, database)


def add_database(store: Store, body: Json, by: str) -> tuple[Database, DataSource]:
    parent = check_object(body.get("parent"), "parent")
    if "page_id" in parent:
        parent = {"type": "page_id", "page_id": store.page(str(parent["page_id"])).id}
    else:
        parent = {"type": "workspace", "workspace": True}
    title = show_rich_text(body.get("title") or [], "title")
    description = show_rich_text(body.get("description") or [], "description")
    more: Json = {"is_inline": bool(body.get("is_inline")), **looks(body)}
    database = Database(store.new_id(), parent, title, store.change(by), description, **more)
    columns = part_of(body, "initial_data_source").get("properties") or _DEFAULT_COLUMNS
    source = _add_source(store, database, title, columns, by)
    store.place(parent, database.id, by)
    return database, source


def _add_source(store: Store, database: Database, title: list[Json], columns: Any, by: str) -> DataSource:
    change = store.change(by)
    known, existed = dict(store.data_sources), database.id in store.databases
    store.databases[database.id] = database
    try:
        empty = DataSource(store.new_id(), database.id, title, (), change, change, database.description)
        store.data_sources[empty.id] = empty
        source = make_columns(store, empty, columns)
    except BaseException:
        # A wrong schema leaves nothing behind, not even the other ends of its relations.
        store.data_sources = known
        if not existed:
            del store.databases[database.id]
        raise
    store.data_sources[source.id] = source
    # Notion makes a table view along with each data source.
    view = View(store.new_id(), database.id, source.id, "Default view", "table", change, change)
    store.furniture.views[view.id] = view
    return source


def change_database(request: Request, database_id: str) -> Json:
    store = request.store
    body = only_keys(request.body, _CHANGE_DATABASE)
    database = store.database(database_id)
    texts: Json = {key: show_rich_text(body[key], key) for key in ("title", "description") if key in body}
    flags: Json = {key: bool(body[key]) for key in ("is_inline", "in_trash", "is_locked") if key in body}
    # An edit does not move a database's last_edited_time [recorded]; its data source's moves.
    database = replace(database, **texts, **flags, **looks(body))
    store.databases[database.id] = database
    for source in store.sources_of(database.id):
        store.put_source(replace(source, **texts), request.user_id)
    return show.database(store, database)


def retrieve_source(request: Request, data_source_id: str) -> Json:
    return show.data_source(request.store, request.store.data_source(data_source_id))


def create_source(request: Request) -> Json:
    """One more data source in a database."""
    store = request.store
    body = only_keys(request.body, _CREATE_SOURCE)
    database = store.database(str(part_of(body, "parent").get("database_id")))
    title = show_rich_text(body.get("title") or [], "title")
    columns = body.get("properties") or _DEFAULT_COLUMNS
    return show.data_source(store, _add_source(store, database, title, columns, request.user_id))


def change_source(request: Request, data_source_id: str) -> Json:
    body = only_keys(request.body, _CHANGE_SOURCE)
    source = request.store.data_source(data_source_id)
    return show.data_source(request.store, change_table(request.store, source, body, request.user_id))


def change_table(store: Store, source: DataSource, body: Json, by: str) -> DataSource:
    """Its columns, texts and looks; when one of them is wrong nothing was changed."""
    texts: Json = {key: show_rich_text(body[key], key) for key in ("title", "description") if key in body}
    more: Json = looks(body)
    if "in_trash" in body:
        more["in_trash"] = bool(body["in_trash"])
    known = dict(store.data_sources)
    try:
        changed = change_columns(store, source, body.get("properties") or {}, by)
    except BaseException:
        store.data_sources = known
        raise
    source = store.put_source(replace(changed, **texts, **more), by)
    _name_database(store, source, texts)
    return source


def _name_database(store: Store, source: DataSource, texts: Json) -> None:
    """A database with one data source has its name."""
    if len(store.sources_of(source.database_id)) == 1:
        store.databases[source.database_id] = replace(store.databases[source.database_id], **texts)


def query(request: Request, data_source_id: str) -> Json:
    """Rows that pass the filter, in order, from the cursor on."""
    store, body = request.store, only_keys(request.body, _QUERY)
    source = store.data_source(data_source_id)
    if store.in_trash(source):
        raise not_found("data source", source.id)
    size = page_size(body.get("page_size"))
    rows = rows_of(Question(store, source, store.clock()), body)
    cut = rows[: request.row_limit]
    start = _start(cut, body.get("start_cursor"))
    part, rest = cut[start : start + size], cut[start + size :]
    # As recorded: the cursor names the first row of the next page, and where it stood.
    cursor = f"s:{uuid.UUID(int=start + size)}:{rest[0].id}" if rest else None
    only = request.query.get("filter_properties", [])
    answer = show.listing("page_or_data_source", [show.page(store, row, only) for row in part], cursor)
    if not rest and len(rows) > len(cut):
        reason = "query_result_limit_reached"
        answer["request_status"] = {"type": "incomplete", "incomplete_reason": reason}
    return answer


def rows_of(question: Question, body: Json) -> list[Page]:
    """All rows that a query finds, in order."""
    archived = bool(body.get("is_archived"))
    belongs = row_filter(question, body["filter"]) if body.get("filter") else lambda _row: True
    there = question.store.rows(question.source.id)
    rows = [row for row in there if not row.in_trash and row.is_archived is archived and belongs(row)]
    return sort_rows(question, rows, body.get("sorts") or [])


def _start(rows: list[Page], cursor: Any) -> int:
    """Where the cursor's row stands now; where it stood, when it has gone since."""
    if cursor is None:
        return 0
    try:
        _, place, row_id = str(cursor).split(":")
        stood = uuid.UUID(place).int
    except ValueError:
        raise unknown_cursor(cursor) from None
    found = next((i for i, row in enumerate(rows) if row.id == row_id), None)
    return stood if found is None else found
