"""Pieces of rich text as inline Markdown. Pure.

As plain as it can be: what was written is read again, and only where that gives something else, the careful
form is taken, in which every part stands by itself and every sign that could mean something is escaped.
Underline and colour are not said, nor formatting of blanks at an edge; see `rewriting` for how they stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from sync_workers.services.notion.markdown_in import MENTION, PEOPLE_AND_PLACES, SEPARATOR, marked, parsed
from sync_workers.services.notion.rich_text import Piece, Pieces, Style, joined

_MARKS = {"strikethrough": "~~", "bold": "**", "italic": "*"}
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_SPECIAL = re.compile(
    r"""([*`\[\]]            # always
    |(?<![^\W_])_|_(?![^\W_])  # no underscore inside of a word
    |~(?=~)|(?<=~)~
    |<(?=[A-Za-z!/?])
    |&(?=[\w#])
    |\\(?=[!-/:-@\[-`{-~\n]|$)
    |!$)""",
    re.VERBOSE,
)


def rendered(pieces: Pieces) -> str:
    said = joined(_sayable(pieces))
    plain = _Writer(careful=False).text(said)
    return plain if parsed(plain) == said else _Writer(careful=True).text(said)


def _sayable(pieces: Pieces) -> list[Piece]:
    """The pieces without what Markdown cannot say."""
    found = [_without_looks(piece) for piece in pieces]
    for mark in _MARKS:
        found = _trimmed(found, mark)
    return found


def _without_looks(piece: Piece) -> Piece:
    style = replace(piece.style, underline=False, color="default")
    if style.link is not None and (re.search(r"[\n\r<>]", style.link) or style.link.startswith(MENTION)):
        style = replace(style, link=None)
    if piece.atom is not None:
        is_said = _target(piece) is not None
        return Piece(piece.text, replace(style, link=None, code=False), piece.atom if is_said else None)
    if style.code and (re.search(r"[\n\r]", piece.text)):
        style = replace(style, code=False)
    return Piece(piece.text, style)


def _trimmed(pieces: Sequence[Piece], mark: str) -> list[Piece]:
    """Without the mark on blanks at its edges: nobody sees it there, and Markdown has no way to say it."""
    found: list[Piece] = []
    for is_marked, group in groupby(pieces, lambda piece: bool(getattr(piece.style, mark))):
        run = list(group)
        if is_marked:
            run = _blank_first(run, mark)
            run = _reversed(_blank_first(_reversed(run), mark))
        found += run
    return found


def _blank_first(run: list[Piece], mark: str) -> list[Piece]:
    """Takes the mark from the blanks that a run begins with; a reversed run has reversed texts."""
    found: list[Piece] = []
    for place, piece in enumerate(run):
        bare = marked(piece.style, mark, is_marked=False)
        inked = len(piece.text) - len(piece.text.lstrip()) if piece.atom is None else 0
        is_inked = piece.atom is not None or piece.style.code or inked < len(piece.text)
        inked = 0 if piece.style.code else inked
        if inked:
            found.append(Piece(piece.text[:inked], bare))
        if is_inked:
            return [*found, replace(piece, text=piece.text[inked:]), *run[place + 1 :]]
    return found


def _reversed(run: list[Piece]) -> list[Piece]:
    return [replace(piece, text=piece.text[::-1]) for piece in reversed(run)]


def _target(piece: Piece) -> str | None:
    """Where the link of a mention goes, and empty text for an equation; None for what cannot be said."""
    said = json.loads(piece.atom or "{}")
    if said.get("type") == "equation":
        expression = said["equation"]["expression"]
        return "" if expression == piece.text and _equation(expression) else None
    content = said.get("mention", {})
    kind = content.get("type")
    if kind in PEOPLE_AND_PLACES:
        return f"{MENTION}{kind}/{content[kind]['id']}"
    if kind == "date" and set(content["date"]) <= {"start", "end"}:
        return f"{MENTION}date/" + "/".join(
            content["date"][end] for end in ("start", "end") if end in content["date"]
        )
    return None


def _equation(expression: str) -> str | None:
    for form in (f"${expression}$", f"$`{expression}`$"):
        (*_, last) = found = parsed(form) or (Piece(""),)
        if len(found) == 1 and last.atom is not None and last.text == expression:
            return form
    return None


class _Writer:
    def __init__(self, *, careful: bool) -> None:
        self.careful = careful

    def text(self, pieces: Pieces) -> str:
        parts = [
            self._linked(link, list(group)) for link, group in groupby(pieces, lambda piece: piece.style.link)
        ]
        return (SEPARATOR if self.careful else "").join(parts)

    def _linked(self, link: str | None, pieces: list[Piece]) -> str:
        inner = self._careful(pieces) if self.careful else self._marked(pieces)
        return f"[{inner}]({_address(link)})" if link is not None else inner

    def _careful(self, pieces: Iterable[Piece]) -> str:
        return SEPARATOR.join(
            f"{(signs := _signs(piece.style))}{self._content(piece)}{signs[::-1]}" for piece in pieces
        )

    def _marked(self, pieces: Iterable[Piece]) -> str:
        """With signs only where the formatting changes."""
        text = ""
        open_: list[str] = []
        for piece in pieces:
            wanted = [sign for name, sign in _MARKS.items() if getattr(piece.style, name)]
            shared = 0
            while shared < min(len(open_), len(wanted)) and open_[shared] == wanted[shared]:
                shared += 1
            text += "".join(reversed(open_[shared:])) + "".join(wanted[shared:]) + self._content(piece)
            open_ = wanted
        return text + "".join(reversed(open_))

    def _content(self, piece: Piece) -> str:
        if piece.atom is not None:
            target = _target(piece)
            return f"[{self._escaped(piece.text)}]({target})" if target else _equation(piece.text) or ""
        return _code(piece.text) if piece.style.code else self._escaped(piece.text)

    def _escaped(self, text: str) -> str:
        if self.careful:
            escaped = _PUNCTUATION.sub(r"\\\1", text)
            return re.sub(r"^\s|\s$", lambda blank: f"&#{ord(blank[0])};", escaped)
        escaped = _SPECIAL.sub(r"\\\1", text)
        return escaped.replace("$", r"\$") if text.count("$") > 1 else escaped


def _signs(style: Style) -> str:
    return "".join(sign for name, sign in _MARKS.items() if getattr(style, name))


def _code(text: str) -> str:
    fence = "`"
    while re.search(rf"(?<!`){fence}(?!`)", text):
        fence += "`"
    needs_room = text[:1] == "`" or text[-1:] == "`" or (text[0] == text[-1] == " " and text.strip(" "))
    return f"{fence} {text} {fence}" if needs_room else f"{fence}{text}{fence}"


def _address(link: str) -> str:
    escaped = re.sub(r"([\\<>])", r"\\\1", link)
    escaped = re.sub(r"&(?=[\w#])", r"\\&", escaped)
    return f"<{escaped}>" if not link or re.search(r"[\s()]", link) or not link.isprintable() else escaped
