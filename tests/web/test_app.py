"""The routes of the receiver, asked without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
from starlette.applications import Starlette

from sync_workers.redis.connect import connect
from sync_workers.redis.waiting import Wanted
from sync_workers.sandbox.subscriptions import sign
from sync_workers.web.app import BODY_LIMIT, make_app
from tests.conftest import wait_until
from tests.web.stage import TOKEN, Stage, event


def asked(app: Starlette, method: str, path: str, content: bytes | AsyncIterator[bytes] = b"") -> int:
    async def ask() -> int:
        headers = {"X-Notion-Signature": sign(TOKEN, content)} if isinstance(content, bytes) else {}
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            return (await client.request(method, path, content=content, headers=headers)).status_code

    return asyncio.run(ask())


def app_of(stage: Stage, body_within: float = 10) -> Starlette:
    return make_app(stage.client, stage.receiver, stage.firing, body_within=body_within)


def test_an_event_reaches_its_connection_by_the_path(stage: Stage) -> None:
    assert asked(app_of(stage), "POST", f"/notion/{stage.name}", event()) == 200
    assert stage.waiting.claim().wanted.records == 1


def test_only_posts_to_a_connection_are_taken(stage: Stage) -> None:
    app = app_of(stage)
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD"):
        assert asked(app, method, f"/notion/{stage.name}", event()) == 405
    for path in ("/", "/notion", "/notion/", "/notion/another", f"/{stage.name}"):
        assert asked(app, "POST", path, event()) == 404


def test_a_body_may_have_so_much_and_no_more(stage: Stage) -> None:
    app, path = app_of(stage), f"/notion/{stage.name}"
    fits = event(filler="x" * (BODY_LIMIT - len(event(filler=""))))
    assert len(fits) == BODY_LIMIT
    assert asked(app, "POST", path, fits) == 200
    assert asked(app, "POST", path, fits + b" ") == 413


def test_a_body_that_never_ends_is_not_waited_for(stage: Stage) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    app = app_of(stage, body_within=0.01)

    assert asked(app, "POST", f"/notion/{stage.name}", endless()) == 408
    assert stage.waiting.claim().wanted == Wanted()


def test_health_is_that_it_fires_and_readiness_that_redis_answers(stage: Stage) -> None:
    app = app_of(stage)
    assert asked(app, "GET", "/healthz") == 503
    stage.firing.start()
    try:
        assert asked(app, "GET", "/healthz") == 200
    finally:
        stage.firing.stop()
    assert asked(app, "GET", "/readyz") == 200
    away = connect("redis://127.0.0.1:1/0")
    assert asked(make_app(away, stage.receiver, stage.firing), "GET", "/readyz") == 503
    away.close()


def test_the_firing_thread_lives_as_long_as_the_app(stage: Stage) -> None:
    app = app_of(stage)

    async def live() -> None:
        async with app.router.lifespan_context(app):
            assert stage.firing.is_alive()
            stage.tell()
            stage.firing.wake(stage.name, timedelta(0))
            await asyncio.to_thread(wait_until, lambda: stage.asked, "it fires")

    asyncio.run(live())
    assert not stage.firing.is_alive()
