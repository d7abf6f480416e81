"""What a block of each type holds: from what a client writes to what Notion shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sync_workers.sandbox.checks import check_list, check_object, check_text
from sync_workers.sandbox.errors import failed
from sync_workers.sandbox.icons import HOSTED, check_file, check_icon
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.texts import show_rich_text

_COLOR: Json = {"color": "default"}
_TEXT: Json = {"rich_text": [], **_COLOR}
_HEADING: Json = {**_TEXT, "is_toggleable": False}
_LINK: Json = {"url": "", "caption": []}

DEFAULTS: Mapping[str, Json] = {
    "paragraph": {**_TEXT, "icon": None},
    "heading_1": _HEADING,
    "heading_2": _HEADING,
    "heading_3": _HEADING,
    "heading_4": _HEADING,
    "bulleted_list_item": _TEXT,
    "numbered_list_item": _TEXT,
    "to_do": {**_TEXT, "checked": False},
    "toggle": _TEXT,
    "quote": _TEXT,
    "callout": {**_TEXT, "icon": None},
    "code": {"rich_text": [], "caption": [], "language": "plain text"},
    "equation": {"expression": ""},
    "divider": {},
    "breadcrumb": {},
    "table_of_contents": _COLOR,
    "column_list": {},
    "column": {},
    "table": {"table_width": 1, "has_column_header": False, "has_row_header": False},
    "table_row": {"cells": []},
    "bookmark": _LINK,
    "embed": _LINK,
    "synced_block": {"synced_from": None},
    "template": {"rich_text": []},
}
"""What a block holds where a client says nothing."""

MEDIA = frozenset({"image", "video", "audio", "pdf", "file"})
NOT_RENDERED = frozenset({"bookmark", "embed", "link_preview", "breadcrumb", "template", "unsupported"})
"""Markdown has no form for these [documented]: they show as `<unknown>`."""


def kind_of(written: Json, path: str) -> str:
    """The type that a client names, or the only one that it fills."""
    named = [key for key in written if key in DEFAULTS or key in MEDIA]
    kind = str(written.get("type") or next(iter(named), None))
    if kind not in DEFAULTS and kind not in MEDIA:
        raise failed(f"{path}.type", "a type of block that can be written", kind)
    return kind


def content(kind: str, written: Any, path: str) -> Json:
    """What Notion keeps of what a client writes under the type's name, without the children."""
    given = {key: value for key, value in check_object(written, path).items() if key != "children"}
    if kind in MEDIA:
        return _media(kind, given, path)
    known = {**DEFAULTS[kind], **({"width_ratio": None} if kind == "column" else {})}
    for key, value in given.items():
        if key not in known:
            raise failed(f"{path}.{key}", "not present", value)
    return {**DEFAULTS[kind], **{key: _part(key, value, f"{path}.{key}") for key, value in given.items()}}


def _part(key: str, value: Any, path: str) -> Any:
    check = _PARTS.get(key)
    return value if check is None else check(value, path)


def _flag(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise failed(path, "a boolean", value)
    return value


def _number(value: Any, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise failed(path, "a number", value)
    return value


def _cells(value: Any, path: str) -> list[list[Json]]:
    cells = check_list(value, path)
    return [show_rich_text(cell, f"{path}[{place}]") for place, cell in enumerate(cells)]


def _original(value: Any, path: str) -> Json | None:
    if value is None:
        return None
    return {"type": "block_id", "block_id": check_text(check_object(value, path).get("block_id"), path)}


_PARTS: Mapping[str, Callable[[Any, str], Any]] = {
    "rich_text": show_rich_text,
    "caption": show_rich_text,
    "icon": check_icon,
    "color": check_text,
    "language": check_text,
    "expression": check_text,
    "url": check_text,
    "checked": _flag,
    "is_toggleable": _flag,
    "has_column_header": _flag,
    "has_row_header": _flag,
    "table_width": _number,
    "width_ratio": _number,
    "cells": _cells,
    "synced_from": _original,
}


def _media(kind: str, given: Json, path: str) -> Json:
    caption = show_rich_text(given.pop("caption", []), f"{path}.caption")
    name = given.pop("name", None)
    shown = {**check_file(given, path), "caption": caption}
    # Notion drops links to its own storage: they end after an hour [measured].
    if shown["type"] == "external" and HOSTED in shown["external"]["url"]:
        shown["external"] = {"url": ""}
    return {**shown, "name": name or "file"} if kind == "file" else shown
