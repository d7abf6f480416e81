"""The routes of the receiver.

POST /notion/{connection}   Notion's webhook events
GET  /healthz               whether the process answers, and fires what waits
GET  /readyz                whether Redis does
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sync_workers.errors import StateError
from sync_workers.redis.connect import Client, check
from sync_workers.services.notion.events import SIGNATURE
from sync_workers.web.firing import Firing
from sync_workers.web.receiving import UNAVAILABLE, Receiver

BODY_LIMIT = 256 * 1024
"""Bytes; an event has some kilobytes."""

BODY_WITHIN = 10
"""Seconds that a request may take to arrive."""

TOO_LARGE, TOO_SLOW = 413, 408


def make_app(
    client: Client, receiver: Receiver, firing: Firing, *, body_within: float = BODY_WITHIN
) -> Starlette:
    """The app; `firing` runs as long as it does."""

    async def health(_request: Request) -> Response:
        return _plain(200 if firing.is_alive() else UNAVAILABLE)

    async def ready(_request: Request) -> Response:
        try:
            await run_in_threadpool(check, client)
        except StateError:
            return _plain(UNAVAILABLE)
        return _plain(200)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        firing.start()
        try:
            yield
        finally:
            await run_in_threadpool(firing.stop)

    routes = [
        Route("/notion/{connection:path}", _endpoint(receiver, body_within), methods=["POST"]),
        Route("/healthz", health),
        Route("/readyz", ready),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.router.redirect_slashes = False  # Notion follows no redirect
    return app


def _endpoint(receiver: Receiver, body_within: float) -> Callable[[Request], Awaitable[Response]]:
    async def notion(request: Request) -> Response:
        try:
            async with asyncio.timeout(body_within):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect):
            return _plain(TOO_SLOW)
        if body is None:
            return _plain(TOO_LARGE)
        name, signature = request.path_params["connection"], request.headers.get(SIGNATURE)
        return _plain(await run_in_threadpool(receiver.receive, name, body, signature))

    return notion


async def _body(request: Request) -> bytes | None:
    """The body as it came, byte for byte; None as soon as it is too large."""
    parts, length = [], 0
    async for part in request.stream():
        length += len(part)
        if length > BODY_LIMIT:
            return None
        parts.append(part)
    return b"".join(parts)


def _plain(status: int) -> Response:
    """Says no more than the status: what is wrong is for our log, not for whoever asks."""
    return PlainTextResponse("ok" if status == 200 else "", status)  # noqa: PLR2004 - success
