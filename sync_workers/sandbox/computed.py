"""Values that Notion computes: formulas and rollups, as far as the sandbox goes.

A formula is one property, or one number property times a constant. Everything else reads as an empty value of
its type, which is what a client has to cope with anyway; for rollups see `rollups`.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

from sync_workers.sandbox.nouns import DataSource, Json, Page, Property
from sync_workers.sandbox.texts import plain_text

_CALL = re.compile(r'prop\("([^"]+)"\)')
_REFERENCE = re.compile(r"^\{\{notion:block_property:([^:]+):[^}]*\}\}(?:\s*\*\s*(\d+(?:\.\d+)?))?$")


def keep_expression(expression: str, source: DataSource, workspace_id: str) -> str:
    """Notion answers with ids in place of the names in `prop("Name")`."""

    def reference(match: re.Match[str]) -> str:
        column = source.find(match[1])
        return f"{{{{notion:block_property:{column.id}:{source.id}:{workspace_id}}}}}" if column else match[0]

    return _CALL.sub(reference, expression)


def formula(source: DataSource, column: Property, page: Page) -> Json:
    match = _REFERENCE.match(column.config["expression"])
    used = source.find(match[1]) if match else None
    if match is None or used is None:
        return {"type": "string", "string": None}
    value = page.values.get(used.id)
    if used.type == "number":
        return {"type": "number", "number": (value or 0) * _number(match[2])}
    if used.type == "checkbox":
        return {"type": "boolean", "boolean": bool(value)}
    if used.type == "date":
        return {"type": "date", "date": value}
    return {"type": "string", "string": _text(used, value)}


def rollup_config(source: DataSource, related: DataSource | None, config: Json) -> Json:
    """Notion shows names beside the ids, and these ids without percent-encoding [recorded]."""
    relation = source.find(config["relation_property_id"])
    rolled = related.find(config["rollup_property_id"]) if related else None
    return {
        "rollup_property_name": rolled.name if rolled else None,
        "relation_property_name": relation.name if relation else None,
        "rollup_property_id": unquote(config["rollup_property_id"]),
        "relation_property_id": unquote(config["relation_property_id"]),
        "function": config["function"],
    }


def _number(factor: str | None) -> float:
    if factor is None:
        return 1
    return float(factor) if "." in factor else int(factor)


def _text(column: Property, value: Any) -> str | None:
    if column.type in {"title", "rich_text"}:
        return plain_text(value or [])
    if column.type in {"select", "status"}:
        option = column.option(value)
        return option["name"] if option else None
    return value if isinstance(value, str) else None
