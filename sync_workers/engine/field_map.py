"""`FieldMap`: how the fields of a task cross in this run, without those that are frozen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sync_workers.engine.crossing import Crossing
from sync_workers.engine.rules import Rules
from sync_workers.model import Pair, Side


@dataclass(frozen=True, slots=True)
class FieldMap:
    """The fields of a task.

    Attributes:
        crossings: those that cross.
        shown: by side those that it shows, also if they do not cross now: an edit of one is an edit.
        is_keyless: a field that records are matched by is frozen: nobody can tell which belong together.
    """

    crossings: Sequence[Crossing]
    shown: Pair[Sequence[Crossing]]
    is_keyless: bool

    @staticmethod
    def of(whole: Sequence[Crossing], rules: Rules, frozen: Mapping[str, frozenset[Side]]) -> FieldMap:
        return FieldMap(
            [crossing for crossing in whole if crossing.attrs.notion not in frozen],
            Pair.each(lambda side: [c for c in whole if side not in frozen.get(c.attrs.notion, ())]),
            any(attr in frozen for attr in rules.key),
        )
