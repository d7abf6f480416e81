"""What Notion's webhook events say, and which containers and pages they concern.

Events hold ids and no values; whoever hears one reads the page again. Shapes from
developers.notion.com/reference/webhooks-events-delivery, API versions 2025-09-03 and later.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from uuid import UUID

from sync_workers.model import ID
from sync_workers.services.notion.settings import NotionContainer

SIGNATURE = "x-notion-signature"


class Reach(Enum):
    """What an event asks for."""

    NOTHING = auto()
    PAGES = auto()
    RUN = auto()  # something about the container changed
    FULL = auto()  # values may read otherwise now, although no page was edited


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        id: the same for each attempt to deliver it.
        authors: who did it.
        places: ids of the data source and the database that it happened in.
        pages: ids of the pages to look at.
    """

    id: ID
    type: str
    attempt: int
    authors: frozenset[ID]
    places: frozenset[ID]
    pages: tuple[ID, ...]
    reach: Reach

    def is_in(self, container: NotionContainer) -> bool:
        """Whether it happened in this data source or database."""
        return bool({container.data_source, container.database} & self.places)


def is_genuine(token: str, body: bytes, signature: str) -> bool:
    """Whether the body is what the holder of the token signed; takes as long for each wrong signature."""
    expected = "sha256=" + hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode())


def handshake(body: bytes) -> str | None:
    """The token in the one request that comes without a signature; None for any other request."""
    try:
        token = _table(json.loads(body)).get("verification_token")
    except ValueError:
        return None
    return token if isinstance(token, str) and token else None


def read_event(body: bytes) -> Event:
    """The event in the body of a request.

    Raises:
        ValueError: it is none; the text has nothing of it.
    """
    try:
        told = json.loads(body)
    except ValueError:
        raise ValueError("it is no JSON") from None
    if not isinstance(told, dict) or not isinstance(told.get("type"), str):
        msg = "it has no type"
        raise ValueError(msg)  # noqa: TRY004 - what came is wrong, not a type of ours
    entity, data = _table(told.get("entity")), _table(told.get("data"))
    kind, _, happened = told["type"].partition(".")
    pages = _pages(kind, happened, entity, data)
    authors = [_id(_table(author).get("id")) for author in _list(told.get("authors"))]
    attempt = told.get("attempt_number")
    return Event(
        id=str(told.get("id") or hashlib.sha256(body).hexdigest()),
        type=told["type"],
        attempt=attempt if isinstance(attempt, int) else 1,
        authors=frozenset(author for author in authors if author),
        places=_places(entity, _table(data.get("parent"))),
        pages=pages,
        reach=_reach(kind, happened, pages),
    )


def _reach(kind: str, happened: str, pages: tuple[ID, ...]) -> Reach:
    if happened in {"locked", "unlocked"}:
        return Reach.NOTHING
    if pages:
        return Reach.PAGES
    if kind not in {"data_source", "database"}:
        return Reach.NOTHING
    # A renamed option changes what pages show, and moves no time of theirs.
    return Reach.FULL if happened == "schema_updated" else Reach.RUN


def _pages(kind: str, happened: str, entity: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[ID, ...]:
    if kind == "comment":
        found = [data.get("page_id")]
    elif entity.get("type") == "page":
        found = [entity.get("id")]
    elif happened == "content_updated":
        # Of a table these are the rows that came or went: a row is a block of it.
        found = [_table(block).get("id") for block in _list(data.get("updated_blocks"))]
    else:
        found = []
    return tuple(dict.fromkeys(plain for one in found if (plain := _id(one))))


def _places(entity: Mapping[str, Any], parent: Mapping[str, Any]) -> frozenset[ID]:
    found = [parent.get("data_source_id")]
    found += [one.get("id") for one in (entity, parent) if one.get("type") in {"database", "data_source"}]
    return frozenset(plain for one in found if (plain := _id(one)))


def _id(found: object) -> ID:
    """An id with dashes; empty for anything else."""
    try:
        return str(UUID(str(found)))
    except ValueError:
        return ""


def _table(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _list(found: object) -> list[Any]:
    return found if isinstance(found, list) else []
