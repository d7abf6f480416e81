"""The API without HTTP: from method, path, headers and body to status and JSON, with Notion's checks."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, unquote

from sync_workers.sandbox import (
    capabilities,
    faults,
    moving,
    oauth,
    pages,
    shelves,
    sources,
    uploads,
    versions,
    views,
    workspace,
)
from sync_workers.sandbox.body import comments, endpoints, markdown
from sync_workers.sandbox.errors import Refusal, invalid, not_found
from sync_workers.sandbox.faults import Asked, Fault
from sync_workers.sandbox.forms import is_form, read_form
from sync_workers.sandbox.notion import Notion, Seen
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.paging import LIMIT
from sync_workers.sandbox.request import Request
from sync_workers.sandbox.store import as_id
from sync_workers.sandbox.writes import target_of

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
    ("GET", f"pages/{_ID}/markdown", markdown.retrieve),
    ("PATCH", f"pages/{_ID}/markdown", markdown.update),
    ("GET", f"blocks/{_ID}/children", endpoints.children),
    ("PATCH", f"blocks/{_ID}/children", endpoints.append_children),
    ("GET", f"blocks/{_ID}", endpoints.retrieve_block),
    ("PATCH", f"blocks/{_ID}", endpoints.change_block),
    ("DELETE", f"blocks/{_ID}", endpoints.delete_block),
    ("POST", "comments", comments.create),
    ("GET", "comments", comments.list_comments),
    ("GET", f"comments/{_ID}", comments.retrieve),
    ("PATCH", f"comments/{_ID}", comments.update),
    ("DELETE", f"comments/{_ID}", comments.delete),
    *moving.ROUTES,
    *shelves.ROUTES,
    *uploads.ROUTES,
    *views.ROUTES,
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

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back.

    Attributes:
        status: None when the connection closes without an answer.
        delay: seconds to wait before the answer goes out.
        cut: the JSON ends in the middle.
        html: goes out instead of the JSON.
    """

    status: int | None
    body: Json = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0
    cut: bool = False
    html: str = ""


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
    return replace(given, body={**given.body, "request_id": request_id})


class _TooLargeError(Exception):
    """More than 500 KB."""


def _answer(notion: Notion, call: Call) -> Answer:
    path = unquote(call.path)
    if path.startswith(oauth.PREFIX):
        authorization = call.headers.get("authorization", "")
        return Answer(200, oauth.answer(notion, call.method, path, authorization, _body(call)))
    token = _token(notion, call.headers)
    now = notion.store.clock()
    notion.window.take(token, now)
    notion.space_window.take("", now)
    version = _version(notion, call.headers)
    allowed = notion.capabilities.get(token, capabilities.ALL)
    capabilities.check(allowed, call.method, path)
    form = read_form(call.content_type, call.body) if is_form(call.content_type) else {}
    body, query = {} if form else versions.read(version, _body(call)), parse_qs(call.query)
    fault = notion.faults.take(_asked(call, token, query, body))
    if fault is not None and not fault.kind.executes:
        return _fail(fault)
    endpoint, ids = _route(call)
    request = Request(notion.store, notion.tokens[token], body, query, call.url, notion.row_limit, form)
    shown, taken = _carry_out(notion, call, request, endpoint, ids)
    shown = versions.show(version, capabilities.limit(allowed, shown))
    if fault is None:
        return Answer(200, shown, delay=taken)
    if fault.kind is faults.Kind.CUT_JSON:
        return Answer(200, shown, delay=taken, cut=True)
    if fault.kind.closes or fault.kind is faults.Kind.SAVED:
        return _fail(fault, shown["id"] if call.method == "POST" and "id" in shown else None)
    return Answer(200, shown, delay=fault.seconds + taken)


def _asked(call: Call, token: str, query: dict[str, list[str]], body: Json) -> Asked:
    size = str(query.get("page_size", [body.get("page_size")])[-1])
    rows = min(int(size), LIMIT) if size.isdecimal() else LIMIT
    return Asked(call.method, unquote(call.path), token, rows)


def _carry_out(
    notion: Notion, call: Call, request: Request, endpoint: Endpoint, ids: tuple[str, ...]
) -> tuple[Json, float]:
    """The answer, and how long it takes."""
    store, asks = notion.store, capabilities.reads(call.method, call.path)
    with store.lock, store.sharing.seen_by(request.user_id):
        for named in ids:
            if store.hides(as_id(named) or ""):
                raise not_found("object", named)
        target = None if asks else target_of(store, unquote(call.path), request.body)
        notion.write_times.check(target)
        return endpoint(request, *ids), notion.write_times.begin(target)


def _fail(fault: Fault, made: str | None = None) -> Answer:
    if fault.kind is faults.Kind.HTML:
        return Answer(502, html=faults.BAD_GATEWAY)
    refusal = faults.refusal(fault, made)
    if refusal is not None:
        raise refusal
    return Answer(None)


def _token(notion: Notion, headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or token not in notion.tokens:
        raise Refusal(401, "unauthorized", "API token is invalid.")
    return token


def _version(notion: Notion, headers: Mapping[str, str]) -> str:
    version = headers.get("notion-version")
    if version is None:
        message = (
            "Notion-Version header failed validation: Notion-Version header should be defined, "
            "instead was `undefined`."
        )
        raise Refusal(400, "missing_version", message)
    if version not in notion.versions:
        known = " or ".join(f'`"{known}"`' for known in sorted(notion.versions))
        message = f'Notion-Version header should be {known} in this sandbox, instead was `"{version}"`.'
        raise invalid(f"Notion-Version header failed validation: {message}")
    return version


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
