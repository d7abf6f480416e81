"""The shape of what a client sends: each check gives the value back, or refuses it in Notion's words."""

from __future__ import annotations

from typing import Any

from sync_workers.sandbox.errors import failed
from sync_workers.sandbox.nouns import Json

LIST_LIMIT = 100


def check_object(value: Any, path: str) -> Json:
    if not isinstance(value, dict):
        raise failed(path, "an object", value)
    return value


def check_list(value: Any, path: str, limit: int = LIST_LIMIT) -> list[Any]:
    if not isinstance(value, list):
        raise failed(path, "an array", value)
    if len(value) > limit:
        raise failed(f"{path}.length", f"≤ `{limit}`", len(value))
    return value


def check_text(value: Any, path: str, limit: int | None = None) -> str:
    if not isinstance(value, str):
        raise failed(path, "a string", value)
    if limit is not None and len(value) > limit:
        raise failed(f"{path}.length", f"≤ `{limit}`", len(value))
    return value


def part_of(body: Json, key: str, path: str = "") -> Json:
    """An object that may be left out."""
    return {} if body.get(key) is None else check_object(body[key], f"{path}{key}")
