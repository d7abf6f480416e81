"""The page for people, and the controls: what stands outside Notion's own API.

    GET    /                                    the page
    GET    /_sandbox/tables                     all tables in plain values, and how many requests came
    POST   /_sandbox/data_sources/{id}/pages    add a row: plain values by property name
    PATCH  /_sandbox/pages/{id}                 edit cells, likewise
    PUT    /_sandbox/pages/{id}/body            {"markdown": "..."}, in the place of all that stands on it
    PUT    /_sandbox/pages/{id}/icon            {"icon": "..."}: an emoji, a link, or nothing
    DELETE /_sandbox/pages/{id}                 move a row to the trash
    POST   /_sandbox/pages/{id}/move            {"data_source_id": "..."}: a row to another table
    POST   /_sandbox/pages/{id}/archive         {"archived": true}: out of what queries show, or back
    PATCH  /_sandbox/data_sources/{id}/columns  columns as the API takes them in `properties`
    POST   /_sandbox/sharing                    {"token": "...", "object_id": "...", "shared": false}
    POST   /_sandbox/capabilities               {"token": "...", "allowed": ["read_content"]}
    GET, POST, DELETE /_sandbox/faults          the waiting faults; ask for one (`faults.Fault`); forget all
    GET, DELETE /_sandbox/requests              the log of API requests; empty it
    POST   /_sandbox/limit                      {"requests_per_minute": 180}, 0 for none; also of the whole
                                                workspace (`workspace_requests_per_minute`), and how long a
                                                write takes (`write_seconds`)

It has no passwords: it listens on this machine only. Whoever writes must send JSON, which pages of other
sites cannot without being asked first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sync_workers.sandbox.capabilities import Capability
from sync_workers.sandbox.errors import Refusal
from sync_workers.sandbox.notion import Notion, Row

Handler = Callable[[dict[str, str], Any], Any]


def page_routes(notion: Notion) -> list[Route]:
    html = files("sync_workers.sandbox").joinpath("page.html").read_text(encoding="utf-8")
    handlers: list[tuple[str, str, Handler]] = [
        ("GET", "tables", lambda _ids, _body: _tables(notion)),
        ("POST", "data_sources/{id}/pages", lambda ids, body: {"id": notion.add_page(ids["id"], body)}),
        ("PATCH", "pages/{id}", lambda ids, body: _edit(notion, ids["id"], body)),
        ("PUT", "pages/{id}/body", lambda ids, body: notion.bodies.write(ids["id"], body["markdown"])),
        ("PUT", "pages/{id}/icon", lambda ids, body: notion.bodies.icon(ids["id"], _icon(body["icon"]))),
        ("DELETE", "pages/{id}", lambda ids, _body: notion.trash_page(ids["id"])),
        ("POST", "pages/{id}/move", lambda ids, body: notion.move_page(ids["id"], body["data_source_id"])),
        ("POST", "pages/{id}/archive", lambda ids, body: _archive(notion, ids["id"], body)),
        ("PATCH", "data_sources/{id}/columns", lambda ids, body: notion.table(ids["id"]).change(body)),
        ("POST", "sharing", lambda _ids, body: _share(notion, body)),
        ("POST", "capabilities", lambda _ids, body: _allow(notion, body)),
        ("GET", "faults", lambda _ids, _body: [asdict(fault) for fault in notion.faults.waiting()]),
        ("POST", "faults", lambda _ids, body: notion.faults.add(**body)),
        ("DELETE", "faults", lambda _ids, _body: notion.faults.clear()),
        ("GET", "requests", lambda _ids, _body: [asdict(seen) for seen in notion.seen_requests()]),
        ("DELETE", "requests", lambda _ids, _body: notion.forget_requests()),
        ("POST", "limit", lambda _ids, body: _limit(notion, body)),
    ]

    async def page(_request: Request) -> Response:
        return HTMLResponse(html)

    return [
        Route("/", page),
        *(Route(f"/_sandbox/{path}", _endpoint(h), methods=[m]) for m, path, h in handlers),
    ]


def _endpoint(handler: Handler) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        raw = await request.body()
        if request.method != "GET" and request.headers.get("content-type") != "application/json":
            return _wrong(415, "send JSON: Content-Type must be application/json")
        try:
            body = json.loads(raw) if raw else {}
            done = await run_in_threadpool(handler, request.path_params, body)
        except Refusal as refusal:
            return _wrong(refusal.status, str(refusal))
        except (ValueError, TypeError, KeyError) as error:
            return _wrong(400, f"not understood: {error}")
        return JSONResponse({} if done is None else done)

    return endpoint


def _wrong(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status)


def _edit(notion: Notion, page_id: str, values: dict[str, Any]) -> dict[str, Any]:
    notion.edit_page(page_id, values)
    return _row(notion.page(page_id))


def _icon(text: str) -> dict[str, Any] | None:
    if not text:
        return None
    return {"external": {"url": text}} if text.startswith("http") else {"emoji": text}


def _limit(notion: Notion, body: dict[str, Any]) -> None:
    limits = {"requests_per_minute": notion.window, "workspace_requests_per_minute": notion.space_window}
    if unknown := set(body) - {*limits, "write_seconds"}:
        raise ValueError(f"no such limit: {', '.join(sorted(unknown))}")
    for name in limits.keys() & body.keys():
        limits[name].limit = int(body[name] or 0)
    notion.write_times.seconds = float(body.get("write_seconds", notion.write_times.seconds))


def _archive(notion: Notion, page_id: str, body: dict[str, Any]) -> None:
    notion.archive_page(page_id, archived=bool(body["archived"]))


def _share(notion: Notion, body: dict[str, Any]) -> None:
    act = notion.share if body["shared"] else notion.unshare
    act(body["object_id"], body["token"])


def _allow(notion: Notion, body: dict[str, Any]) -> None:
    if body["token"] not in notion.tokens:
        raise KeyError(body["token"])
    notion.allow(body["token"], {Capability(name) for name in body["allowed"]})


def _tables(notion: Notion) -> dict[str, Any]:
    tables = [
        {
            "id": table.id,
            "title": table.title,
            "columns": [asdict(column) for column in table.columns],
            "rows": [_row(row) for row in notion.pages(table.id)],
        }
        for table in notion.tables()
    ]
    return {"tables": tables, "requests": len(notion.requests)}


def _row(row: Row) -> dict[str, Any]:
    return {**asdict(row), "edited": row.edited.isoformat()}
