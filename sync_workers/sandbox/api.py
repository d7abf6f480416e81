"""The API without HTTP: from method, path, headers and body to status and JSON, with Notion's checks."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from sync_workers.sandbox import faults, pages, sources, workspace
from sync_workers.sandbox.errors import Refusal, invalid
from sync_workers.sandbox.faults import Fault
from sync_workers.sandbox.notion import Notion, Seen
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.request import Request

VERSION = "2026-03-11"
BODY_LIMIT = 500_000  # bytes

Endpoint = Callable[..., Json]

_ID = r"([^/]+)"
_ROUTES: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "users/me", workspace.me),
    ("GET", "users", workspace.list_users),
    ("GET", f"users/{_ID}", workspace.retrieve_user),
    ("POST", "search", workspace.search),
    ("POST", "pages", pages.create),
    ("GET", f"pages/{_ID}", pages.retrieve),
    ("PATCH", f"pages/{_ID}", pages.update),
    ("GET", f"pages/{_ID}/properties/{_ID}", pages.property_item),
    ("POST", "data_sources", sources.create_source),
    ("GET", f"data_sources/{_ID}", sources.retrieve_source),
    ("PATCH", f"data_sources/{_ID}", sources.change_source),
    ("POST", f"data_sources/{_ID}/query", sources.query),
    ("POST", "databases", sources.create_database),
    ("GET", f"databases/{_ID}", sources.retrieve_database),
    ("PATCH", f"databases/{_ID}", sources.change_database),
    ("GET", f"blocks/{_ID}/children", workspace.children),
    ("PATCH", f"blocks/{_ID}/children", workspace.append_children),
    ("GET", f"blocks/{_ID}", workspace.retrieve_block),
    ("DELETE", f"blocks/{_ID}", workspace.delete_block),
)


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request as it came.

    Attributes:
        path: percent-encoded, from `/v1/` on.
        query: the part after the question mark.
        headers: with lower-case names.
        url: of the request, without the query.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    url: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back.

    Attributes:
        status: None when the connection closes without an answer.
        delay: seconds to wait before the answer goes out.
    """

    status: int | None
    body: Json = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0


def answer(notion: Notion, call: Call) -> Answer:
    """Carry out one call, or the fault that waits for it, and note it in the log."""
    request_id = str(uuid.uuid4())
    try:
        given = _answer(notion, call)
    except Refusal as refusal:
        given = Answer(refusal.status, refusal.envelope(request_id), refusal.headers)
    except _TooLargeError:
        # The one error with another envelope: it is refused before the API sees it.
        given = Answer(
            413, {"statusCode": 413, "error": "Payload Too Large", "message": "Request body is too large"}
        )
    notion.seen(Seen(call.method, unquote(call.path), given.status))
    return Answer(given.status, {**given.body, "request_id": request_id}, given.headers, given.delay)


class _TooLargeError(Exception):
    """More than 500 KB."""


def _answer(notion: Notion, call: Call) -> Answer:
    token = _token(notion, call.headers)
    notion.window.take(token, notion.store.clock())
    _check_version(call.headers)
    fault = notion.faults.take(call.method, unquote(call.path))
    if fault is not None and not fault.kind.executes:
        return _fail(fault)
    endpoint, ids = _route(call)
    with notion.store.lock:
        query = parse_qs(call.query)
        user_id = notion.tokens[token]
        request = Request(notion.store, user_id, _body(call), query, call.url, notion.row_limit)
        shown = endpoint(request, *ids)
    if fault is None:
        return Answer(200, shown)
    if fault.kind.closes or fault.kind is faults.Kind.SAVED:
        return _fail(fault, shown["id"] if call.method == "POST" and "id" in shown else None)
    return Answer(200, shown, delay=fault.seconds)


def _fail(fault: Fault, made: str | None = None) -> Answer:
    refusal = faults.refusal(fault, made)
    if refusal is not None:
        raise refusal
    return Answer(None)


def _token(notion: Notion, headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or token not in notion.tokens:
        raise Refusal(401, "unauthorized", "API token is invalid.")
    return token


def _check_version(headers: Mapping[str, str]) -> None:
    version = headers.get("notion-version")
    if version is None:
        message = (
            "Notion-Version header failed validation: Notion-Version header should be defined, "
            "instead was `undefined`."
        )
        raise Refusal(400, "missing_version", message)
    if version != VERSION:
        message = f'Notion-Version header should be `"{VERSION}"` in this sandbox, instead was `"{version}"`.'
        raise invalid(f"Notion-Version header failed validation: {message}")


def _route(call: Call) -> tuple[Endpoint, tuple[str, ...]]:
    for method, pattern, endpoint in _ROUTES:
        match = re.fullmatch(f"/v1/{pattern}", call.path)
        if match and method == call.method:
            return endpoint, tuple(unquote(part) for part in match.groups())
    raise Refusal(400, "invalid_request_url", "Invalid request URL.")


def _body(call: Call) -> Json:
    if len(call.body) > BODY_LIMIT:
        raise _TooLargeError
    if not call.body:
        return {}
    try:
        body: Any = json.loads(call.body)
    except ValueError:
        raise Refusal(400, "invalid_json", "Error parsing JSON body.") from None
    if not isinstance(body, dict):
        raise invalid("body failed validation: body should be an object.")
    return body
