"""The endpoints of views: list, create, retrieve, update, delete, and their queries.

The shapes are those of the official client's types; none of these answers was recorded.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sync_workers.sandbox import show, users
from sync_workers.sandbox.checks import check_list, check_text
from sync_workers.sandbox.errors import failed, invalid, not_found
from sync_workers.sandbox.filters import Question
from sync_workers.sandbox.furniture import View, ViewQuery
from sync_workers.sandbox.nouns import Change, DataSource, Json
from sync_workers.sandbox.paging import page_from, page_size
from sync_workers.sandbox.request import Request, only_keys
from sync_workers.sandbox.sources import rows_of
from sync_workers.sandbox.store import Store, as_id
from sync_workers.sandbox.texts import show_time

KINDS = ("table", "board", "list", "calendar", "timeline", "gallery", "form", "chart", "map", "dashboard")
KEPT = timedelta(minutes=15)
"""How long the rows of a view query can be read."""

_SETTINGS = ("filter", "sorts", "quick_filters", "configuration")
_CREATE = frozenset(
    {"data_source_id", "name", "type", "database_id", "view_id", "create_database", "position", "placement"}
).union(_SETTINGS)


def list_views(request: Request) -> Json:
    store = request.store
    wanted: dict[str, str] = {}
    if named := request.asked("database_id"):
        wanted["database_id"] = store.database(named).id
    if named := request.asked("data_source_id"):
        wanted["data_source_id"] = store.data_source(named).id
    if not wanted:
        raise invalid("query failed validation: query.database_id or query.data_source_id should be defined.")
    found = [
        v.id for v in store.furniture.views.values() if all(getattr(v, k) == i for k, i in wanted.items())
    ]
    part, cursor = page_from(found, page_size(request.asked("page_size")), request.asked("start_cursor"))
    return show.listing("view", ({"object": "view", "id": view_id} for view_id in part), cursor)


def create_view(request: Request) -> Json:
    store, body = request.store, only_keys(request.body, _CREATE)
    source = store.data_source(str(body.get("data_source_id")))
    kind = body.get("type")
    if kind not in KINDS:
        raise failed("type", " or ".join(f'"{known}"' for known in KINDS), kind)
    if "database_id" not in body:
        raise invalid("The sandbox makes views in a database only: name the database_id.")
    database = store.database(str(body["database_id"]))
    name = check_text(body.get("name"), "name")
    change = store.change(request.user_id)
    view = View(store.new_id(), database.id, source.id, name, kind, change, change)
    return _show(_keep(store, view, body, source))


def retrieve_view(request: Request, view_id: str) -> Json:
    return _show(_view(request.store, view_id))


def change_view(request: Request, view_id: str) -> Json:
    store, body = request.store, only_keys(request.body, {"name", *_SETTINGS})
    view = _view(store, view_id)
    if "name" in body:
        view = replace(view, name=check_text(body["name"], "name"))
    view = replace(view, edited=store.change(request.user_id))
    return _show(_keep(store, view, body, store.data_source(view.data_source_id)))


def delete_view(request: Request, view_id: str) -> Json:
    view = _view(request.store, view_id)
    del request.store.furniture.views[view.id]
    return _partial(view)


def _keep(store: Store, view: View, body: Json, source: DataSource) -> View:
    settings = {**view.settings, **{key: body[key] for key in _SETTINGS if key in body}}
    # What cannot be asked is refused when it is written, not when a person looks.
    rows_of(Question(store, source, store.clock()), _question(settings))
    store.furniture.views[view.id] = kept = replace(view, settings=settings)
    return kept


def _question(settings: Json) -> Json:
    sorts = settings.get("sorts")
    return {"filter": settings.get("filter"), "sorts": check_list(sorts, "sorts") if sorts else []}


def create_query(request: Request, view_id: str) -> Json:
    store, body = request.store, only_keys(request.body, {"page_size"})
    view = _view(store, view_id)
    size = page_size(body.get("page_size"))
    source = store.data_source(view.data_source_id)
    rows = [row.id for row in rows_of(Question(store, source, store.clock()), _question(view.settings))]
    kept, cut = tuple(rows[: request.row_limit]), len(rows) > request.row_limit
    query = ViewQuery(store.new_id(), view.id, store.clock() + KEPT, kept, cut)
    store.furniture.queries[query.id] = query
    part, cursor = page_from(list(query.rows), size, None)
    return {
        "object": "view_query",
        "id": query.id,
        "view_id": view.id,
        "expires_at": query.expires.isoformat(timespec="milliseconds"),
        "total_count": len(query.rows),
        "results": [_page(row_id) for row_id in part],
        "next_cursor": cursor,
        "has_more": cursor is not None,
        **_incomplete(query),
    }


def query_results(request: Request, view_id: str, query_id: str) -> Json:
    store = request.store
    view, query = _view(store, view_id), store.furniture.queries.get(as_id(query_id) or "")
    if query is None or query.view_id != view.id or store.clock() >= query.expires:
        raise not_found("view query", query_id)
    size = page_size(request.asked("page_size"))
    part, cursor = page_from(list(query.rows), size, request.asked("start_cursor"))
    return {**show.listing("page", map(_page, part), cursor), **_incomplete(query)}


def delete_query(request: Request, view_id: str, query_id: str) -> Json:
    """Fine for a query that is not there."""
    _view(request.store, view_id)
    request.store.furniture.queries.pop(as_id(query_id) or "", None)
    return {"object": "view_query", "id": query_id, "deleted": True}


def _incomplete(query: ViewQuery) -> Json:
    status = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
    return {"request_status": status} if query.cut else {}


def _page(row_id: str) -> Json:
    return {"object": "page", "id": row_id}


def _view(store: Store, view_id: str) -> View:
    view = store.furniture.views.get(as_id(view_id) or "")
    if view is None:
        raise not_found("view", view_id)
    store.database(view.database_id)  # one that is not shared hides its views
    return view


def _partial(view: View) -> Json:
    parent = {"type": "database_id", "database_id": view.database_id}
    return {"object": "view", "id": view.id, "parent": parent, "type": view.type}


def _show(view: View) -> Json:
    settings: dict[str, Any] = {key: view.settings.get(key) for key in _SETTINGS}
    return {
        **_partial(view),
        "name": view.name,
        **_changes(view.created, view.edited),
        "url": f"https://www.notion.so/{view.database_id.replace('-', '')}?v={view.id.replace('-', '')}",
        "data_source_id": view.data_source_id,
        **settings,
    }


def _changes(created: Change, edited: Change) -> Json:
    return {
        "created_time": show_time(created.at),
        "last_edited_time": show_time(edited.at),
        "created_by": users.partial(created.by),
        "last_edited_by": users.partial(edited.by),
    }


ROUTES = (
    ("GET", "views", list_views),
    ("POST", "views", create_view),
    ("GET", "views/([^/]+)", retrieve_view),
    ("PATCH", "views/([^/]+)", change_view),
    ("DELETE", "views/([^/]+)", delete_view),
    ("POST", "views/([^/]+)/queries", create_query),
    ("GET", "views/([^/]+)/queries/([^/]+)", query_results),
    ("DELETE", "views/([^/]+)/queries/([^/]+)", delete_query),
)
