"""The sandbox over HTTP: the API under `/v1/`, its page at `/`, its controls under `/_sandbox/`."""

from __future__ import annotations

import asyncio
from datetime import UTC
from email.utils import format_datetime

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sync_workers.sandbox.api import Answer, Call, answer
from sync_workers.sandbox.connections import Connections
from sync_workers.sandbox.notion import Notion
from sync_workers.sandbox.page import page_routes


def make_app(notion: Notion, connections: Connections) -> Starlette:
    """The app; `connections` is how it closes one without an answer."""

    async def api(request: HttpRequest) -> Response:
        given = answer(notion, await _call(request))
        if given.delay:
            await asyncio.sleep(given.delay)
        if given.status is None:
            await _hang_up(request, connections)
        response = _response(given)
        response.headers["date"] = format_datetime(notion.clock().astimezone(UTC), usegmt=True)
        return response

    methods = ["GET", "POST", "PATCH", "PUT", "DELETE"]
    return Starlette(routes=[Route("/v1/{path:path}", api, methods=methods), *page_routes(notion)])


async def _call(request: HttpRequest) -> Call:
    # The raw path: a property id such as `Mn%3CA` must not lose its encoding before the route is found.
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return Call(
        request.method,
        raw.decode("ascii").partition("?")[0],
        request.url.query,
        {name.lower(): value for name, value in request.headers.items()},
        await request.body(),
        str(request.url.replace(query="")),
    )


def _response(given: Answer) -> Response:
    status = given.status or 500
    if given.html:
        return HTMLResponse(given.html, status)
    whole = JSONResponse(given.body, status, dict(given.headers))
    if not given.cut:
        return whole
    # The response itself is complete, so the client's HTTP library finds nothing wrong with it.
    half = bytes(whole.body)[: len(whole.body) // 2]
    return Response(half, status, dict(given.headers), media_type="application/json")


async def _hang_up(request: HttpRequest, connections: Connections) -> None:
    """Close the connection and wait until the server knows; whatever is sent after that goes nowhere."""
    connections.close(request.scope["client"])
    await request.receive()
