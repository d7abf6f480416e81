"""Rich text as pieces: read from what a page shows, changed where its text changed, written as items. Pure.

A piece is text in one style, or an atom: a mention or an equation, which is there whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sync_workers.services.notion.inputs import LONGEST_ITEM, MOST_ITEMS, RefusedValueError

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Style:
    """How a piece looks, and where its link goes."""

    bold: bool = False
    italic: bool = False
    strikethrough: bool = False
    underline: bool = False
    code: bool = False
    color: str = "default"
    link: str | None = None

    def shared(self, another: Style) -> Style:
        """What both have."""
        both = {f.name: getattr(self, f.name) for f in fields(self)}
        same = {name: value for name, value in both.items() if getattr(another, name) == value}
        return Style(**same)


PLAIN = Style()


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one style.

    Attributes:
        atom: of a mention or equation what a request says for it, as JSON; None for text.
    """

    text: str
    style: Style = PLAIN
    atom: str | None = None


Pieces = tuple[Piece, ...]


def pieces_of(items: Sequence[Item]) -> Pieces:
    """What a page shows."""
    return joined(_piece(item) for item in items)


def _piece(item: Item) -> Piece:
    annotations = item.get("annotations") or {}
    names = {f.name for f in fields(Style)} - {"link"}
    looks = {name: value for name, value in annotations.items() if name in names and value}
    content = item.get(item.get("type", "text")) or {}
    if item.get("type") in {"mention", "equation"}:
        said = _atom(item["type"], content)
        # What Notion lets nobody write, such as the preview of a link, stays a link.
        link = item.get("href") if said is None else None
        return Piece(item["plain_text"], Style(**looks, link=link), said)
    return Piece(item["plain_text"], Style(**looks, link=(content.get("link") or {}).get("url")))


def _atom(kind: str, content: Mapping[str, Any]) -> str | None:
    if kind == "equation":
        return atom("equation", {"expression": content["expression"]})
    target = content.get("type")
    if target in {"user", "page", "database"}:
        return mention(target, {"id": content[target]["id"]})
    if target == "date":
        shown = content["date"]
        return mention("date", {key: value for key, value in shown.items() if value is not None})
    if target in {"template_mention", "custom_emoji"}:
        return mention(target, content[target])
    return None


def mention(target: str, content: Mapping[str, Any]) -> str:
    return atom("mention", {"type": target, target: content})


def atom(kind: str, content: Mapping[str, Any]) -> str:
    return json.dumps({"type": kind, kind: content}, sort_keys=True)


def text_of(pieces: Iterable[Piece]) -> str:
    return "".join([piece.text for piece in pieces])


def joined(pieces: Iterable[Piece]) -> Pieces:
    """The same with neighbours of one style as one piece, and nothing empty."""
    found: list[Piece] = []
    for piece in pieces:
        if found and piece.atom is None and found[-1].atom is None and found[-1].style == piece.style:
            found[-1] = Piece(found[-1].text + piece.text, piece.style)
        elif piece.text:
            found.append(piece)
    return tuple(found)


def items_of(pieces: Iterable[Piece]) -> list[dict[str, Any]]:
    """What a request says.

    Raises:
        RefusedValueError: it takes more items than Notion lets a request have; nothing is ever cut.
    """
    items = [item for piece in joined(pieces) for item in _items(piece)]
    if len(items) > MOST_ITEMS:
        msg = (
            f"holds more text than Notion takes at once ({MOST_ITEMS} parts of {LONGEST_ITEM} characters, "
            "and one for each change of formatting, mention and equation): shorten it, or use less of these"
        )
        raise RefusedValueError(msg)
    return items


def _items(piece: Piece) -> Iterator[dict[str, Any]]:
    plain = {f.name: f.default for f in fields(Style)}
    looks = {
        name: value
        for name, default in plain.items()
        if name != "link" and (value := getattr(piece.style, name)) != default
    }
    extra: dict[str, Any] = {"annotations": looks} if looks else {}
    if piece.atom is not None:
        yield {**json.loads(piece.atom), **extra}
        return
    link: dict[str, Any] = {"link": {"url": piece.style.link}} if piece.style.link else {}
    for part in split(piece.text):
        yield {"type": "text", "text": {"content": part, **link}, **extra}


def split(text: str) -> Iterator[str]:
    """Parts that fit into an item.

    Notion counts as JavaScript does: a character outside the basic plane, such as an emoji, is two.
    """
    start = units = 0
    for place, sign in enumerate(text):
        size = 2 if sign > "\uffff" else 1
        if units + size > LONGEST_ITEM:
            yield text[start:place]
            start, units = place, 0
        units += size
    if start < len(text):
        yield text[start:]
