"""Notion's Markdown as drafts of blocks: `{type, content, children}`, or `{type: "kept", id}`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sync_workers.sandbox.body import inline, kinds
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.store import as_id

_LEVEL = re.compile(r"\t| {2,4}")
_BRACES = re.compile(r"\s*\{((?:\s*\w+=\"[^\"]*\")+)\}\s*$")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_TAG = re.compile(
    r"<(details|callout|columns|column|table|tr|synced_block|synced_block_reference)\b([^>]*)>$"
)
_KEPT = re.compile(r'<(page|database|unknown)\b[^>]*?url="([^"]+)"[^>]*?(?:/>|>.*</\1>)$')
_FILE = re.compile(r'<(image|video|audio|pdf|file) src="([^"]*)"[^>]*>(.*?)</\1>$')
_LINES = (
    (re.compile(r"(#{1,6}) +(.*)$"), "heading"),
    (re.compile(r"[-*+] \[([ xX])\] ?(.*)$"), "to_do"),
    (re.compile(r"[-*+] +(.*)$"), "bulleted_list_item"),
    (re.compile(r"\d+[.)] +(.*)$"), "numbered_list_item"),
    (re.compile(r"> ?(.*)$"), "quote"),
    (re.compile(r"!\[(.*?)\]\(([^)\s]*)\)$"), "image"),
)
_RULE = re.compile(r"(-{3,}|\*{3,}|_{3,})$")


def parse(markdown: str) -> list[Json]:
    return Parser(markdown.replace("\r\n", "\n").split("\n")).drafts()


class Parser:
    """Goes through lines of one level; deeper ones are a parser of their own."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = list(lines)
        self._at = 0

    def drafts(self) -> list[Json]:
        drafts = []
        while self._at < len(self._lines):
            line = self._lines[self._at].rstrip()
            self._at += 1
            # Plain empty lines are stripped [documented].
            if line.strip():
                drafts.append(self._draft(line.strip()))
        return drafts

    def _draft(self, line: str) -> Json:
        if line.startswith("```"):
            text = "\n".join(self._until("```"))
            return _draft("code", {"rich_text": _plain(text), "language": line[3:].strip() or "plain text"})
        if line == "$$":
            return _draft("equation", {"expression": "\n".join(self._until("$$"))})
        if found := _TAG.match(line):
            return self._tagged(found[1], dict(_ATTRIBUTE.findall(found[2])))
        if (found := _KEPT.match(line)) and (kept := _id_in(found[2])):
            return {"type": "kept", "id": kept}
        if found := _FILE.match(line):
            return _medium(found[1], found[2], found[3])
        if line == "<empty-block/>":
            return _draft("paragraph", {"rich_text": []})
        if line.startswith("<table_of_contents"):
            return _draft("table_of_contents", _colored(dict(_ATTRIBUTE.findall(line))))
        if _RULE.match(line):
            return _draft("divider", {})
        if line.startswith("|") and self._at < len(self._lines) and _is_ruler(self._lines[self._at]):
            return self._pipes(line)
        return self._line(line)

    def _line(self, line: str) -> Json:
        said: dict[str, str] = {}
        if found := _BRACES.search(line):
            said, line = dict(_ATTRIBUTE.findall(found[1])), line[: found.start()]
        for pattern, kind in _LINES:
            if found := pattern.match(line):
                return self._marked(kind, found, said)
        return self._texted("paragraph", line, said)

    def _marked(self, kind: str, found: re.Match[str], said: dict[str, str]) -> Json:
        if kind == "image":
            return _medium(kind, found[2], found[1])
        if kind == "to_do":
            return self._texted(kind, found[2], said, checked=found[1] != " ")
        if kind == "heading":
            level = min(len(found[1]), 4)
            folds = said.get("toggle") == "true"
            return self._texted(f"heading_{level}", found[2], said, is_toggleable=folds)
        return self._texted(kind, found[1], said)

    def _texted(self, kind: str, text: str, said: dict[str, str], **more: Any) -> Json:
        content = {"rich_text": inline.parse(text), **_colored(said), **more}
        return _draft(kind, content, Parser(self._deeper()).drafts())

    def _tagged(self, tag: str, said: dict[str, str]) -> Json:
        lines = self._until(f"</{tag}>")
        if tag == "details":
            title = re.match(r"\s*<summary>(.*?)</summary>\s*$", lines[0] if lines else "")
            children = Parser(_outdented(lines[1:] if title else lines)).drafts()
            text = inline.parse(title[1]) if title else []
            return _draft("toggle", {"rich_text": text, **_colored(said)}, children)
        if tag == "tr":
            cells = re.findall(r"<td[^>]*>(.*?)</td>", "\n".join(lines))
            return _draft("table_row", {"cells": [inline.parse(cell) for cell in cells]})
        children = Parser(_outdented(lines)).drafts()
        if tag == "callout":
            first = children.pop(0) if children and children[0]["type"] == "paragraph" else None
            icon = {"emoji": said["icon"]} if said.get("icon") else None
            content = {"rich_text": _again(first), "icon": icon, **_colored(said)}
            return _draft("callout", content, [*(first["children"] if first else []), *children])
        if tag == "table":
            flags = {"has_column_header": "header-row", "has_row_header": "header-column"}
            content = {key: said.get(word) == "true" for key, word in flags.items()}
            width = max((len(row["content"].get("cells", ())) for row in children), default=1)
            return _draft("table", {"table_width": width, **content}, children)
        names = {"columns": "column_list", "synced_block_reference": "synced_block"}
        return _draft(names.get(tag, tag), {}, children)

    def _pipes(self, line: str) -> Json:
        rows = [line]
        self._at += 1
        while self._at < len(self._lines) and self._lines[self._at].strip().startswith("|"):
            rows.append(self._lines[self._at].strip())
            self._at += 1
        cells = [[inline.parse(cell.strip()) for cell in row.strip("|").split("|")] for row in rows]
        content = {"table_width": len(cells[0]), "has_column_header": True}
        return _draft("table", content, [_draft("table_row", {"cells": row}) for row in cells])

    def _until(self, end: str) -> list[str]:
        """The lines up to an end mark of this level, which is passed over."""
        start, depth = self._at, 0
        opening = f"<{end[2:-1]}" if end.startswith("</") else None
        while self._at < len(self._lines):
            line = self._lines[self._at].strip()
            self._at += 1
            if line == end and depth == 0:
                return self._lines[start : self._at - 1]
            depth += (opening is not None and line.startswith(opening)) - (line == end)
        return self._lines[start:]

    def _deeper(self) -> list[str]:
        """The lines that stand under the one that was just read."""
        start = self._at
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.strip() and not _LEVEL.match(line):
                break
            self._at += 1
        return _outdented(self._lines[start : self._at])


def _draft(kind: str, content: Json, children: Sequence[Json] = ()) -> Json:
    return {"type": kind, "content": kinds.content(kind, content, kind), "children": list(children)}


def _medium(kind: str, url: str, caption: str) -> Json:
    return _draft(kind, {"external": {"url": url}, "caption": inline.parse(caption)})


def _plain(text: str) -> list[Json]:
    step = 2000
    return [{"text": {"content": text[at : at + step]}} for at in range(0, len(text), step)]


def _again(paragraph: Json | None) -> list[Json]:
    return [] if paragraph is None else paragraph["content"]["rich_text"]


def _colored(said: dict[str, str]) -> Json:
    return {"color": inline.color_of(said["color"])} if said.get("color") else {}


def _outdented(lines: Sequence[str]) -> list[str]:
    return [_LEVEL.sub("", line, count=1) if _LEVEL.match(line) else line for line in lines]


def _is_ruler(line: str) -> bool:
    return re.fullmatch(r"\|?[\s:|-]*-[\s:|-]*", line.strip()) is not None


def _id_in(url: str) -> str | None:
    """The block that a link points at: behind the #, else at the end."""
    found = re.findall(r"[0-9a-f]{32}", url.replace("-", ""))
    return as_id(found[-1]) if found else None
