"""Plain Python values for rows: what a person types in, and what they read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sync_workers.sandbox.nouns import Json, Property
from sync_workers.sandbox.texts import plain_text, rich_text

_NAMED = frozenset({"select", "status"})


def to_payload(column: Property, value: Any) -> Any:
    """What a client would write for a plain value.

    Texts, numbers and bools are themselves; options are names; dates are dates, datetimes, ISO texts or a
    pair of them; people and relations are ids. None clears.
    """
    match column.type:
        case "title" | "rich_text":
            return rich_text(value or "")
        case "checkbox":
            return bool(value)
        case "select" | "status":
            return {"name": value} if value else None
        case "multi_select":
            return [{"name": name} for name in value or ()]
        case "people" | "relation":
            return [{"id": object_id} for object_id in value or ()]
        case "files":
            return [{"name": url, "external": {"url": url}} for url in value or ()]
        case "date":
            return _date(value)
        case "url" | "email" | "phone_number":
            return value or None
        case _:
            return value


def _date(value: Any) -> Json | None:
    if not value:
        return None
    start, end = value if isinstance(value, tuple | list) else (value, None)
    return {"start": _iso(start), "end": _iso(end)}


def _iso(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, date | datetime) else value


def from_shown(kind: str, shown: Any) -> Any:
    """The plain value of what Notion shows under the type's name."""
    match kind:
        case "title" | "rich_text":
            return plain_text(shown)
        case "select" | "status":
            return shown["name"] if shown else None
        case "multi_select":
            return [option["name"] for option in shown]
        case "people" | "relation":
            return _ids(shown)
        case "files":
            return [item["name"] for item in shown]
        case "created_by" | "last_edited_by":
            return shown["id"]
        case "date":
            return _from_date(shown)
        case "unique_id":
            return "-".join(str(part) for part in (shown["prefix"], shown["number"]) if part is not None)
        case "formula" | "rollup":
            return shown[shown["type"]]
        case _:
            return shown


def _ids(items: Iterable[Json]) -> list[str]:
    return [item["id"] for item in items]


def _from_date(shown: Json | None) -> Any:
    """The start as ISO text, or the pair of start and end."""
    if shown is None:
        return None
    return (shown["start"], shown["end"]) if shown["end"] else shown["start"]
