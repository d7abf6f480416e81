"""Which parts of a text are still there in its new version. Pure.

By lines, then by words, then by the characters at the ends of what changed, so that a person who compares
the two would say the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import accumulate, takewhile

_WORD = re.compile(r"\w+|\s+|[^\w\s]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_MOST = 250_000
"""Comparing costs up to the product of both lengths; texts beyond it, which hardly share a line, are new."""


def kept_from(old: str, new: str) -> list[int]:
    """For each character of the new text where it stood in the old one, or -1; always rising."""
    found = [-1] * len(new)
    _align(old, new, 0, 0, found, (_LINE, _WORD))
    return found


def _align(
    old: str, new: str, before: int, start: int, found: list[int], units: tuple[re.Pattern[str], ...]
) -> None:
    """Note what `new`, which stands at `start`, has kept of `old`, which stood at `before`."""
    first = _common(old, new)
    last = min(_common(old[::-1], new[::-1]), len(old) - first, len(new) - first)
    for place in range(first):
        found[start + place] = before + place
    for place in range(1, last + 1):
        found[start + len(new) - place] = before + len(old) - place
    old, new = old[first : len(old) - last], new[first : len(new) - last]
    if not old or not new or not units:
        return
    before, start = before + first, start + first
    ours, theirs = units[0].findall(old), units[0].findall(new)
    if len(ours) * len(theirs) > _MOST:
        return
    at, to = (list(accumulate(map(len, parts), initial=0)) for parts in (ours, theirs))
    for tag, i, i_end, j, j_end in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            for place in range(to[j_end] - to[j]):
                found[start + to[j] + place] = before + at[i] + place
        elif tag == "replace":
            parts = old[at[i] : at[i_end]], new[to[j] : to[j_end]]
            _align(*parts, before + at[i], start + to[j], found, units[1:])


def _common(one: Sequence[str], another: Sequence[str]) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, another, strict=False)))
