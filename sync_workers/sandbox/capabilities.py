"""What a token may do, as a person ticks it for a connection; without it the answer is 403, or shorter.

Source: developers.notion.com/reference/capabilities. A connection that may not read content gets of what
it wrote the id only; one without user information sees ids of people, and one without emails no emails.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from enum import StrEnum
from typing import Any

from sync_workers.sandbox.errors import Refusal
from sync_workers.sandbox.nouns import Json


class Capability(StrEnum):
    READ_CONTENT = "read_content"
    INSERT_CONTENT = "insert_content"
    UPDATE_CONTENT = "update_content"
    READ_COMMENTS = "read_comments"
    INSERT_COMMENTS = "insert_comments"
    READ_USERS = "read_users"
    READ_EMAILS = "read_emails"


ALL = frozenset(Capability)

_READ_BY_POST = ("/query", "/search", "/queries")
_INSERTS = frozenset({"pages", "databases", "data_sources", "views", "file_uploads"})
_CONTENT = frozenset({"page", "database", "data_source", "block", "view", "page_markdown"})


def reads(method: str, path: str) -> bool:
    """Whether a call asks only; a query and a search are posted, and still read."""
    return method == "GET" or path.endswith(_READ_BY_POST)


def check(allowed: AbstractSet[Capability], method: str, path: str) -> None:
    """Refuse what a token may not do.

    Raises:
        Refusal: 403.
    """
    needed = _needed(method, path)
    if needed is not None and needed not in allowed:
        raise Refusal(403, "restricted_resource", "Insufficient permissions for this endpoint.")


def _needed(method: str, path: str) -> Capability | None:
    kind, _, rest = path.removeprefix("/v1/").partition("/")
    if kind == "users":
        return None if rest == "me" else Capability.READ_USERS
    if kind == "comments":
        return Capability.READ_COMMENTS if method == "GET" else Capability.INSERT_COMMENTS
    if reads(method, path):
        return Capability.READ_CONTENT
    if method == "POST" and kind in _INSERTS and not rest.endswith("/move"):
        return Capability.INSERT_CONTENT
    if kind == "blocks" and rest.endswith("/children"):
        return Capability.INSERT_CONTENT
    return Capability.UPDATE_CONTENT


def limit(allowed: AbstractSet[Capability], shown: Json) -> Json:
    """Of an answer what the token may see; of itself a bot sees everything."""
    if allowed >= ALL:
        return shown
    if shown.get("object") in _CONTENT and Capability.READ_CONTENT not in allowed:
        return {"object": shown["object"], "id": shown["id"]}
    if shown.get("object") == "list" and Capability.READ_CONTENT not in allowed:
        return {**shown, "results": [limit(allowed, item) for item in shown["results"]]}
    limited: Json = _without_people(allowed, shown)
    return limited


def _without_people(allowed: AbstractSet[Capability], part: Any) -> Any:
    if isinstance(part, list):
        return [_without_people(allowed, item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("object") == "user" and part.get("type") == "person":
        if Capability.READ_USERS not in allowed:
            return {"object": "user", "id": part["id"]}
        if Capability.READ_EMAILS not in allowed:
            return {**part, "person": {}}
    return {key: _without_people(allowed, item) for key, item in part.items()}
