"""`Entry`: one operation as the history keeps it: what was done, when, by which run, why; what was before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from sync_workers.model import ID, Action, Conflict, Fields, Pair, Side
from sync_workers.settings import Settings


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation of one run.

    Attributes:
        number: its place in the run's plan.
        side: the side that was written; for what only changed the state, the side that caused it.
        ids: of the record on both sides as far as they are known by now.
        reason: what happened in the user's world, without values.
        before: the mapped fields of both sides when the plan was made; None where there was no record.
        after: the same afterwards; of an intent, what the write is to make of them.
        bases: the bases of the link before; None where the two were not linked.
        conflicts: those that the operation settled, with the values that lost.
        lost: the reply to the write was lost; what became of it was found out afterwards.
        at: when its end was stored, by the store's clock; None until then.
    """

    run: ID
    number: int
    action: Action
    side: Side
    ids: Pair[ID | None]
    reason: str
    before: Pair[Fields | None] = field(default=Pair(None, None), repr=False)
    after: Pair[Fields | None] = field(default=Pair(None, None), repr=False)
    bases: Pair[Fields] | None = field(default=None, repr=False)
    conflicts: tuple[Conflict, ...] = ()
    lost: bool = False
    at: datetime | None = None

    @property
    def intent(self) -> str:
        """The name under which the store knows the operation until its end."""
        return f"{self.run}:{self.number}"


@dataclass(frozen=True, slots=True)
class Kept:
    """How much of a task's history is kept; the older goes first.

    Attributes:
        number: entries, one for each operation.
    """

    number: int = 10_000
    age: timedelta = timedelta(days=90)

    @classmethod
    def by(cls, settings: Settings) -> Self:
        """As much as a deployment wants."""
        return cls(settings.history_number, settings.history_age)
