"""Lists that a client can only read: custom emojis, templates of a data source, meeting notes."""

from __future__ import annotations

from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.paging import page_from, page_size
from sync_workers.sandbox.request import Request, only_keys


def list_emojis(request: Request) -> Json:
    """All, or the one of that name."""
    name, emojis = request.asked("name"), request.store.furniture.emojis
    found = [emoji.id for emoji in emojis.values() if name in {None, emoji.name}]
    part, cursor = page_from(found, page_size(request.asked("page_size")), request.asked("start_cursor"))
    shown = [{"id": emojis[i].id, "name": emojis[i].name, "url": emojis[i].url} for i in part]
    return {
        "object": "list",
        "type": "custom_emoji",
        "results": shown,
        "has_more": cursor is not None,
        "next_cursor": cursor,
    }


def list_templates(request: Request, data_source_id: str) -> Json:
    """Those whose name contains the asked one, without case."""
    source = request.store.data_source(data_source_id)
    name = (request.asked("name") or "").casefold()
    found = {
        t.id: t for t in request.store.furniture.templates.get(source.id, ()) if name in t.name.casefold()
    }
    size = page_size(request.asked("page_size"))
    part, cursor = page_from(list(found), size, request.asked("start_cursor"))
    shown = [{"id": i, "name": found[i].name, "is_default": found[i].is_default} for i in part]
    return {"templates": shown, "has_more": cursor is not None, "next_cursor": cursor}


def query_meeting_notes(request: Request) -> Json:
    """There are none in here."""
    only_keys(request.body, {"filter", "sort", "limit"})
    return {"object": "list", "results": [], "has_more": False}


ROUTES = (
    ("GET", "custom_emojis", list_emojis),
    ("GET", "data_sources/([^/]+)/templates", list_templates),
    ("POST", "blocks/meeting_notes/query", query_meeting_notes),
)
