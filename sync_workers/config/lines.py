"""On which line each key of a TOML text stands. tomllib reads the values but forgets the places.

The text has been read by tomllib before, so everything here may trust its syntax.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_BARE = re.compile(r"[^\s,\]}=#.\[{\"']+")
_SCALAR = re.compile(r"[^,\]}#\n]+")


def find_lines(text: str) -> Mapping[Path, int]:
    """The line, from 1, of each table and key by its path; items of lists have numbers from 0.

    A table stands where its own header is, else where it is first opened by something in it.
    """
    reader = _Reader(text)
    reader.document()
    return reader.lines


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of the path, else of the nearest table around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Reader:
    """Goes through a TOML text once, from its start to its end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.sizes: dict[Path, int] = {}
        self.counted = 0
        self.line = 1

    def document(self) -> None:
        table: Path = ()
        self.blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.blank()

    def header(self) -> Path:
        double = self.text.startswith("[[", self.at)
        line = self.here()
        self.at += 2 if double else 1
        table = self.resolved(self.key())
        if double:
            number = self.sizes.get(table, 0)
            self.sizes[table] = number + 1
            self.note((), table, line)
            table = (*table, number)
        self.note((), table, line)
        self.lines[table] = line
        self.at = self.text.index("]", self.at) + (2 if double else 1)
        return table

    def resolved(self, key: Path) -> Path:
        """A header's key with the number of the latest item wherever it passes a list of tables."""
        path: Path = ()
        for place, part in enumerate(key, start=1):
            path = (*path, part)
            if path in self.sizes and place < len(key):
                path = (*path, self.sizes[path] - 1)
        return path

    def pair(self, table: Path) -> None:
        self.blank()
        line = self.here()
        key = self.key()
        self.note(table, key, line)
        self.at = self.text.index("=", self.at) + 1
        self.value((*table, *key))

    def key(self) -> Path:
        """One key, which dots may divide."""
        parts: list[str] = []
        while True:
            self.blank()
            parts.append(self.part())
            self.blank()
            if not self.text.startswith(".", self.at):
                return tuple(parts)
            self.at += 1

    def part(self) -> str:
        found = _STRING.match(self.text, self.at)
        if found is None:
            return self.take(_BARE)
        self.at = found.end()
        return str(tomllib.loads(f"x = {found[0]}")["x"])

    def value(self, path: Path) -> None:
        self.blank()
        first = self.text[self.at]
        if first == "{":
            self.items(path, "}")
        elif first == "[":
            self.items(path, "]")
        elif first in "\"'":
            self.take(_STRING)
        else:
            self.take(_SCALAR)

    def items(self, path: Path, end: str) -> None:
        """A list or an inline table."""
        self.at += 1
        number = 0
        self.blank()
        while self.text[self.at] != end:
            if end == "}":
                self.pair(path)
            else:
                self.note(path, (number,), self.here())
                self.value((*path, number))
            number += 1
            self.blank()
            if self.text[self.at] == ",":
                self.at += 1
                self.blank()
        self.at += 1

    def note(self, table: Path, key: Path, line: int) -> None:
        """Each part of a dotted key opens a table of its own."""
        for length in range(1, len(key) + 1):
            self.lines.setdefault((*table, *key[:length]), line)

    def here(self) -> int:
        """The line on which the reader stands; counts only what it has not counted yet."""
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def blank(self) -> None:
        self.take(_BLANK)

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:  # tomllib has read this text, so this reader is wrong, not the text
            msg = f"cannot find a {pattern.pattern} at character {self.at}"
            raise AssertionError(msg)
        self.at = found.end()
        return found[0]
