"""Patching an iCalendar text line by line, so that everything else in it stays byte for byte.

Reading an object and writing it anew would lose what the reader does not know or thinks is wrong. So a
patch takes the text as a list of content lines and exchanges those of the named properties in the
to-do itself: not in its alarms, not in its changed occurrences, not in other components.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

_BREAK = re.compile(r"\r\n|\n|\r")
_FOLD = re.compile(r"\r\n[ \t]")
_NAME = re.compile(r"[^:;]*")
_MASTER = ("VCALENDAR", "VTODO")


def patch(text: str, changes: Mapping[str, Sequence[str]], components: Sequence[str] = ()) -> str:
    """The text with other lines for the named properties of its to-do.

    Args:
        changes: for each property name, in capitals, its content lines; none removes the property.
        components: whole components to put into the calendar, such as time zones.
    """
    lines = list(_content_lines(text))
    start, end = _master(lines)
    todo, inner = _split(lines[start + 1 : end])
    for name, content in changes.items():
        places = [i for i, line in enumerate(todo) if _name(line) == name]
        at = places[0] if places else len(todo)
        kept = [line for line in todo[at:] if _name(line) != name]
        todo = [*todo[:at], *content, *kept]
    added = [line for component in components for line in _content_lines(component)]
    head = next((i for i, line in enumerate(lines[1:], 1) if _name(line) == "BEGIN"), start)
    patched = [*lines[:head], *added, *lines[head : start + 1], *todo, *inner, *lines[end:]]
    return "".join(f"{line}\r\n" for line in patched)


def _content_lines(text: str) -> Iterator[str]:
    """The content lines of a text, each with its foldings as they are."""
    line = ""
    for part in _BREAK.split(text):
        if part[:1] in {" ", "\t"}:
            line += f"\r\n{part}"
            continue
        if line:
            yield line
        line = part
    if line:
        yield line


def _name(line: str) -> str:
    found = _NAME.match(_FOLD.sub("", line))
    return found[0].strip().upper() if found else ""


def _value(line: str) -> str:
    return _FOLD.sub("", line).partition(":")[2].strip().upper()


def _master(lines: Sequence[str]) -> tuple[int, int]:
    """Where the to-do begins and ends that is no changed occurrence of a recurring one.

    Raises:
        ValueError: there is none.
    """
    path: list[str] = []
    start, occurrence = 0, False
    for i, line in enumerate(lines):
        name = _name(line)
        if name == "BEGIN":
            path.append(_value(line))
            if tuple(path) == _MASTER:
                start, occurrence = i, False
        elif name == "END" and path:
            if tuple(path) == _MASTER and not occurrence:
                return start, i
            path.pop()
        elif name == "RECURRENCE-ID" and tuple(path) == _MASTER:
            occurrence = True
    msg = "there is no to-do in the text"
    raise ValueError(msg)


def _split(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The to-do's own lines, and those of the components in it."""
    own: list[str] = []
    inner: list[str] = []
    depth = 0
    for line in lines:
        name = _name(line)
        depth += name == "BEGIN"
        (inner if depth else own).append(line)
        depth -= name == "END"
    return own, inner
