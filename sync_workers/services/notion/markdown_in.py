"""Inline Markdown as pieces of rich text. Pure; read by markdown-it as CommonMark and GitHub say.

Bold, italic, struck out, code, links, equations as `$...$`, and mentions as links to `notion://...`. Nothing
else is special: a line that begins with a dash is just that.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from sync_workers.services.notion.rich_text import PLAIN, Piece, Pieces, Style, atom, joined, mention

SEPARATOR = "<!---->"
"""Stands between two parts whose signs would be read as one; says nothing by itself."""

MENTION = "notion://"
PEOPLE_AND_PLACES = ("user", "page", "database")

_EQUATION = re.compile(
    r"\$`(?P<code>[^`]+(?:`(?!\$)[^`]+)*)`\$|\$(?![\s$`])(?P<bare>(?:\\[^\n]|[^\\$\n])+)(?<!\s)\$(?!\d)"
)
_MARKS = {"strong": "bold", "em": "italic", "s": "strikethrough"}


def parsed(text: str) -> Pieces:
    tokens: list[Token] = []
    parser = _parser()
    parser.inline.parse(text.replace("\r\n", "\n").replace("\r", "\n"), parser, {}, tokens)
    return joined(_Walk().pieces(tokens))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("zero", {"maxNesting": 100})
    parser.enable(["escape", "entity", "backticks", "emphasis", "strikethrough", "link", "autolink"])
    parser.inline.ruler.before("autolink", "separator", _separator)
    parser.inline.ruler.before("escape", "equation", _equation)
    # Addresses cross as they are: Notion and the other side compare them letter by letter.
    parser.normalizeLink = _as_it_is  # type: ignore[method-assign]
    parser.validateLink = bool  # type: ignore[method-assign,assignment]
    return parser


def _as_it_is(url: str) -> str:
    return url


def _separator(state: StateInline, _silent: bool) -> bool:
    if not state.src.startswith(SEPARATOR, state.pos):
        return False
    state.pos += len(SEPARATOR)
    return True


def _equation(state: StateInline, silent: bool) -> bool:
    found = _EQUATION.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    if not silent:
        state.push("equation", "", 0).content = found["code"] or found["bare"]
    state.pos = found.end()
    return True


class _Walk:
    """Goes through the tokens once, and knows what is open."""

    def __init__(self) -> None:
        self.style = PLAIN
        self.mentioned: str | None = None
        self.name = ""

    def pieces(self, tokens: list[Token]) -> list[Piece]:
        found = []
        for token in tokens:
            piece = self._token(token)
            if piece is None or not piece.text:
                continue
            if self.mentioned is not None:
                self.name += piece.text
            else:
                found.append(piece)
        return found

    def _token(self, token: Token) -> Piece | None:
        kind, _, edge = token.type.rpartition("_")
        if kind in _MARKS:
            self.style = marked(self.style, _MARKS[kind], is_marked=edge == "open")
            return None
        if kind == "link":
            return self._end_of_link() if edge == "close" else self._link(token)
        if token.type == "code_inline":
            return Piece(token.content, replace(self.style, code=True))
        if token.type == "equation":
            return Piece(token.content, self.style, atom("equation", {"expression": token.content}))
        return Piece("\n" if token.type == "hardbreak" else token.content, self.style)

    def _link(self, token: Token) -> Piece | None:
        url = str(token.attrGet("href") or "")
        self.mentioned = target_of(url)
        if self.mentioned is None:
            self.style = replace(self.style, link=url or None)
        return None

    def _end_of_link(self) -> Piece | None:
        if self.mentioned is None:
            self.style = replace(self.style, link=None)
            return None
        said, self.mentioned, name, self.name = self.mentioned, None, self.name, ""
        return Piece(name or "@", self.style, said)


def target_of(url: str) -> str | None:
    """The mention that a link stands for; None for any other link."""
    kind, *parts = url.removeprefix(MENTION).split("/") if url.startswith(MENTION) else [""]
    if kind in PEOPLE_AND_PLACES and len(parts) == 1:
        try:
            return mention(kind, {"id": str(UUID(parts[0]))})
        except ValueError:
            return None
    if kind == "date" and 1 <= len(parts) <= 2 and all(parts):  # noqa: PLR2004 - a start, or both ends
        return mention("date", dict(zip(("start", "end"), parts, strict=False)))
    return None


def marked(style: Style, mark: str, *, is_marked: bool) -> Style:
    """The style with or without one of the marks that Markdown has."""
    changes: dict[str, Any] = {mark: is_marked}
    return replace(style, **changes)
