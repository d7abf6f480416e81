"""`normal`: the form of a Markdown text in which two texts that Notion keeps as the same are the same. Pure.

A service that keeps Markdown as blocks gives it back in a form of its own: without empty lines, with `-`
for `*`, with a backslash before signs that are none. Only what surely means the same is the same here; what
is bold in one text and starred words in the other is not. Two texts that mean the same and differ here (a
table with pipes and one with tags) are just taken for different.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_FENCE = re.compile(r"(`{3,}|~{3,})")
_INDENT = re.compile(r"(?:\t| {2,4})*")
_LEVEL = re.compile(r"\t| {2,4}")
_RULE = re.compile(r"(?:-{3,}|\*{3,}|_{3,})$")
_BULLET = re.compile(r"[-*+] +(?:\[([ xX])\](?: +|$))?")
_NUMBER = re.compile(r"\d+[.)] +")
_HEADING = re.compile(r"#{4,6} +")
_TOKEN = re.compile(
    r"(?P<escape>\\[!-/:-@\[-`{-~])"
    r"|(?P<code>`[^`\n]+`)"
    r"|(?P<break><br\s*/?>)"
    r"|\*\*\*(?P<both>\S.*?)\*\*\*|\*\*(?P<bold>\S.*?)\*\*(?!\*)|__(?P<bold2>\S.*?)__"
    r"|~~(?P<strike>\S.*?)~~|\*(?P<italic>[^\s*].*?)\*(?!\*)|(?<!\w)_(?P<italic2>[^\s_].*?)_(?!\w)"
    r"|(?P<tag></?[a-z][\w-]*(?:\s[^<>]*)?/?>)"
    r"|(?P<math>\$[^$\n]+\$)"
    r"|\[(?P<label>(?:\\.|[^\]\\\n])*)\]\((?P<url>[^)\s]+)\)"
    r"|(?P<bare>https?://[^\s<>)\]]+)"
)
# Signs that no text holds stand for markup, so that a star that is one is never a star that is a mark.
_MARKS = {
    "both": "\x01\x02",
    "bold": "\x01",
    "bold2": "\x01",
    "italic": "\x02",
    "italic2": "\x02",
    "strike": "\x03",
}


def normal(markdown: str) -> str:
    """The text with all that makes no difference to Notion taken away; for comparing only."""
    return "\n".join(normal_lines(lines_of(markdown)))


def normal_lines(lines: Sequence[str]) -> list[str]:
    """The same, line for line, for what `lines_of` gave."""
    found: list[str] = []
    fence, depth = "", 0
    for line in lines:
        bare = line.strip()
        if fence and bare != fence:
            # The content of code is as it is, but for how deep the code itself stands.
            found.append(re.sub(rf"^(?:\t| {{2,4}}){{0,{depth}}}", "", line))
        elif fence:
            found.append("\t" * depth + fence)
            fence = ""
        elif opening := _FENCE.match(bare):
            fence, depth = opening[1], _depth(line)
            found.append("\t" * depth + bare)
        else:
            found.append("\t" * _depth(line) + _line(bare))
    return found


def lines_of(markdown: str) -> list[str]:
    """The lines of a text without the empty ones that make no difference."""
    lines: list[str] = []
    fence = ""
    for line in markdown.replace("\r\n", "\n").split("\n"):
        bare = line.strip()
        if fence or bare:
            lines.append(line if fence else line.rstrip())
        if fence:
            fence = "" if bare == fence else fence
        elif found := _FENCE.match(bare):
            fence = found[1]
    return lines


def _depth(line: str) -> int:
    found = _INDENT.match(line)
    return len(_LEVEL.findall(found[0] if found else ""))


def _line(line: str) -> str:
    if _RULE.match(line):
        return "---"
    mark = ""
    if found := _BULLET.match(line):
        box = "" if found[1] is None else "[ ] " if found[1] == " " else "[x] "
        mark, line = f"- {box}", line[found.end() :]
    elif found := _NUMBER.match(line):
        mark, line = "1. ", line[found.end() :]
    elif found := _HEADING.match(line):
        mark, line = "#### ", line[found.end() :]
    return mark + _inline(line)


def _inline(text: str) -> str:
    parts: list[str] = []
    at = 0
    for found in _TOKEN.finditer(text):
        parts += [text[at : found.start()], _token(found)]
        at = found.end()
    return "".join([*parts, text[at:]])


def _token(found: re.Match[str]) -> str:
    part = found.groupdict()
    if part["escape"]:
        return str(part["escape"][1])
    if part["code"] or part["tag"] or part["math"]:
        return f"\x04{found[0]}\x04"
    if part["break"]:
        return "\x05"
    if part["url"]:
        label = part["label"] if part["label"] == part["url"] else _inline(part["label"])
        return f"\x06{label}\x06{part['url']}\x06"
    if part["bare"]:
        return f"\x06{part['bare']}\x06{part['bare']}\x06"
    name = next(name for name in _MARKS if part[name])
    return f"{_MARKS[name]}{_inline(part[name])}{_MARKS[name]}"
