"""`rewritten`: a page's rich text with another text, and what the other side cannot see left as it is. Pure.

The other side sees a text in a poorer form: without any formatting, or in Markdown, which knows no colours.
So the text that is there is compared in that form with the one that is wanted. What is still the same keeps
its formatting, links, mentions and equations; what is new looks like what it replaces or stands beside.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from itertools import accumulate
from typing import TypeAlias

from sync_workers.services.notion.alignment import kept_from
from sync_workers.services.notion.rich_text import PLAIN, Piece, Pieces, Style, joined, text_of

Inherit: TypeAlias = Callable[[Style, Style], Style]
"""From the style that the wanted text has in the poorer form, and the one around it, to the full one."""


def from_plain(_wanted: Style, around: Style) -> Style:
    """Plain text says nothing of formatting."""
    return around


def from_markdown(wanted: Style, around: Style) -> Style:
    """Markdown says all but underline and colour."""
    return replace(wanted, underline=around.underline, color=around.color)


def plain(pieces: Pieces) -> Pieces:
    """What plain text keeps."""
    return joined([Piece(text_of(pieces))])


def rewritten(present: Pieces, wanted: Pieces, seen: Pieces, inherit: Inherit = from_plain) -> Pieces:
    """The pieces to write.

    Args:
        present: what the page shows.
        wanted: the new text, as the poorer form has it.
        seen: what the poorer form keeps of `present`.
    """
    if text_of(present) != text_of(seen):  # the two cannot be compared: what is wanted stands as it is
        return wanted
    return joined(_Rewriting(_Text(present), _Text(seen), _Text(wanted), inherit).pieces())


@dataclass(frozen=True)
class _Text:
    """Pieces by the places of their characters."""

    all: Pieces

    @cached_property
    def starts(self) -> list[int]:
        return list(accumulate((len(piece.text) for piece in self.all), initial=0))

    def number(self, place: int) -> int:
        return bisect_right(self.starts, place) - 1

    def at(self, place: int) -> Piece:
        return self.all[self.number(place)]

    def between(self, start: int, end: int) -> Iterable[Piece]:
        if start < end:
            yield from self.all[self.number(start) : self.number(end - 1) + 1]


@dataclass(frozen=True)
class _Rewriting:
    present: _Text
    seen: _Text
    wanted: _Text
    inherit: Inherit

    @cached_property
    def kept(self) -> list[int]:
        return kept_from(text_of(self.present.all), text_of(self.wanted.all))

    @cached_property
    def around(self) -> list[Style]:
        """For each new character the style of what it replaces, or of what it stands between."""
        styles: list[Style] = []
        place = 0
        while place < len(self.kept):
            end = place
            while end < len(self.kept) and self.kept[end] < 0:
                end += 1
            if end > place:
                styles += [self._surroundings(place, end)] * (end - place)
            else:
                styles.append(PLAIN)
            place = max(end, place + 1)
        return styles

    def _surroundings(self, start: int, end: int) -> Style:
        before = self.kept[start - 1] if start else -1
        after = self.kept[end] if end < len(self.kept) else self.present.starts[-1]
        replaced = [_loose(piece) for piece in self.present.between(before + 1, after)]
        if replaced:
            return reduce(Style.shared, replaced)
        beside = [_loose(self.present.at(place)) for place in (before, after) if self._is_there(place)]
        if not beside:
            return PLAIN
        # At an end of the text a link or a piece of code is over.
        alone = replace(beside[0], link=None, code=False)
        return reduce(Style.shared, beside) if len(beside) > 1 else alone

    def _is_there(self, place: int) -> bool:
        return 0 <= place < self.present.starts[-1]

    def pieces(self) -> Iterable[Piece]:
        place = 0
        while place < self.wanted.starts[-1]:
            found = self._whole(place)
            if found is None:
                found = self._character(place)
            yield found
            place += len(found.text)

    def _whole(self, place: int) -> Piece | None:
        """An atom: one that was there and is untouched, or one that is wanted."""
        source = self.kept[place]
        if source >= 0 and (atom := self.present.at(source)).atom is not None:
            size = len(atom.text)
            starts_here = self.present.starts[self.present.number(source)] == source
            untouched = starts_here and self.kept[place : place + size] == list(range(source, source + size))
            looks_same = untouched and all(self._looks_same(place + n, source + n) for n in range(size))
            if looks_same and not self._is_glued(source, place, size):
                return atom
        wanted = self.wanted.at(place)
        return wanted if wanted.atom is not None else None

    def _is_glued(self, source: int, place: int, size: int) -> bool:
        """Whether a letter was typed right before or behind the atom: `@Adam` is not `@Ada`."""
        before, after = text_of(self.present.all), text_of(self.wanted.all)
        edges = ((source - 1, place - 1, place), (source + size, place + size, place + size - 1))
        return any(
            0 <= new < len(after)
            and after[new].isalnum()
            and after[inner].isalnum()
            and not (0 <= old < len(before) and before[old] == after[new])
            for old, new, inner in edges
        )

    def _looks_same(self, place: int, source: int) -> bool:
        """Whether the other side left this character's formatting as it saw it."""
        wanted, seen = self.wanted.at(place), self.seen.at(source)
        return (seen.style, seen.atom) == (wanted.style, wanted.atom)

    def _character(self, place: int) -> Piece:
        wanted, source = self.wanted.at(place), self.kept[place]
        sign = wanted.text[place - self.wanted.starts[self.wanted.number(place)]]
        if source < 0:
            return Piece(sign, self.inherit(wanted.style, self.around[place]))
        there = self.present.at(source)
        if self._looks_same(place, source):
            return Piece(sign, there.style)
        return Piece(sign, self.inherit(wanted.style, _loose(there)))


def _loose(piece: Piece) -> Style:
    """The style of a piece, which for an atom has no link."""
    return replace(piece.style, link=None) if piece.atom is not None else piece.style
