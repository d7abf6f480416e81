"""One task of a crowd, and the people who work on both sides of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from sync_workers.model import Pair, Side
from sync_workers.redis.runs_store import RunsStore
from tests.system.sheets import Row, Sheet

FEW = 4
"""Nobody deletes where there is no more: a side that is empty all at once looks like an accident."""


@dataclass
class Desk:
    """One task, both sides of it, and what its people have made of it.

    Attributes:
        expected: what both sides show once everything has crossed, by name.
        touched: when a record was added or edited last.
        deleted: names of records that somebody deleted.
    """

    name: str
    sheets: Pair[Sheet]
    runs: RunsStore
    expected: dict[str, Row] = field(default_factory=dict)
    touched: dict[str, datetime] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)

    def work(self, chance: Random, number: int) -> str:
        """Do one thing as a person would; says what.

        Only what is settled is edited or deleted. Who edits a field again while a killed run's write of it is
        still open may find it a conflict, which is then decided by the task's mode.
        """
        settled = self._settled()
        side = chance.choice(list(Side))
        what = chance.choices(("add", "edit", "delete"), (3, 5, 2))[0]
        if what == "edit" and settled:
            self._edit(side, chance.choice(sorted(settled)), number)
        elif (
            what == "delete"
            and settled
            and len(self.expected) > FEW
            and len(self.deleted) < max(4, len(self.expected) / 8)
        ):
            name = chance.choice(sorted(settled))
            self.sheets[side].delete(name)
            del self.expected[name]
            self.deleted.add(name)
        else:
            what, name = "add", f"{side} {number}"
            self.expected[name] = (name, f"note {number}", number)
            self.sheets[side].add(self.expected[name])
            self.touched[name] = datetime.now(UTC)
        return what

    def _may_delete(self) -> bool:
        there = len(self.expected)
        return there > FEW and len(self.deleted) < max(FEW, there / 8)

    def _edit(self, side: Side, name: str, number: int) -> None:
        _, note, points = self.expected[name]
        note, points = (f"note {number}", points) if side is Side.NOTION else (note, number)
        self.expected[name] = (name, note, points)
        self.sheets[side].edit(name, note if side is Side.NOTION else points)
        self.touched[name] = datetime.now(UTC)

    def _settled(self) -> set[str]:
        """The records that a run has seen on both sides since anybody touched them."""
        begun = [datetime.fromisoformat(run["started"]) for run in self.runs.recent(3) if is_clean(run)]
        last = max(begun, default=None)
        return {name for name in self.expected if last is not None and self.touched[name] < last}

    def quiet_since(self, moment: datetime) -> bool:
        """Whether the last two runs began after that moment and found nothing to do."""
        last = self.runs.recent(2)
        return len(last) == 2 and all(
            is_clean(run) and run["planned"] == 0 and datetime.fromisoformat(run["started"]) > moment
            for run in last
        )

    def differences(self) -> Pair[list[str]]:
        """What each side shows and should not, and what it should and does not."""
        expected = Counter(self.expected.values())

        def differs(side: Side) -> list[str]:
            shown = Counter(self.sheets[side].rows())
            more, less = sorted((shown - expected).elements()), sorted((expected - shown).elements())
            return [*(f"shows {row}" for row in more), *(f"lacks {row}" for row in less)]

        return Pair.each(differs)

    def everything(self) -> Pair[object]:
        return Pair.each(lambda side: self.sheets[side].everything())


def is_clean(run: dict[str, Any]) -> bool:
    """Whether a run left nothing for the next one."""
    return run["outcome"] == "done" and not (run["held"] or run["failed"] or run["ambiguous"])
