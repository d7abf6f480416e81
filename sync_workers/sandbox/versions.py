"""Older versions of the API, as far as they differ: `archived` beside or instead of `in_trash`.

The product uses the current version only, and the sandbox refuses every other one unless it is told to
know it (`Notion.versions`); the official client's own tests still speak 2025-09-03.
"""

from __future__ import annotations

from typing import Any

from sync_workers.sandbox.nouns import Json

VERSION = "2026-03-11"
OLDER = "2025-09-03"


def read(version: str, body: Json) -> Json:
    """A request in the words of the current version."""
    if version == VERSION or "archived" not in body:
        return body
    rest = {key: value for key, value in body.items() if key != "archived"}
    return {"in_trash": body["archived"], **rest}


def show(version: str, shown: Any) -> Any:
    """An answer in the words of the version that was asked for."""
    if version == VERSION:
        return shown
    if isinstance(shown, list):
        return [show(version, item) for item in shown]
    if not isinstance(shown, dict):
        return shown
    kept = {key: show(version, item) for key, item in shown.items()}
    return {**kept, "archived": kept["in_trash"]} if "in_trash" in kept else kept
