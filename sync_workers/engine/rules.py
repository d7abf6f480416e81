"""`Rules`: all that the engine has to know about a task, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sync_workers.fields import NewOptions
from sync_workers.model import Conflict, ConflictMode, Pair, Side


class Direction(StrEnum):
    """Which way a field crosses."""

    BOTH = "both"
    TO_NOTION = "to_notion"
    TO_OTHER = "to_other"

    def reaches(self, side: Side) -> bool:
        """Whether values are written to that side."""
        return self is Direction.BOTH or (self is Direction.TO_NOTION) == (side is Side.NOTION)


class DeletePolicy(StrEnum):
    """What happens to the counterpart of a deleted record."""

    PROPAGATE = "propagate"
    ARCHIVE = "archive"
    UNLINK = "unlink"
    IGNORE = "ignore"  # nothing at all: the link stays, for the case that the record is restored

    @staticmethod
    def each_way(policy: DeletePolicy | Pair[DeletePolicy]) -> Pair[DeletePolicy]:
        """One policy for both sides, or one for each, by the side whose records it is about."""
        return policy if isinstance(policy, Pair) else Pair(policy, policy)


class OutOfScopePolicy(StrEnum):
    """What happens to the counterpart of a record that is moved, archived, filtered out or not shared."""

    WAIT = "wait"
    UNLINK = "unlink"


class AmbiguousPolicy(StrEnum):
    """What happens to new records that share their key with several others."""

    REPORT = "report"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """How one field crosses.

    Attributes:
        attrs: its name on each side.
        mode: its own conflict mode; None takes the task's.
        values: pairs of a Notion value and an other value that mean the same. For a value that
            stands in several pairs, the first one says what is written.
        form: how its values are read and written, where a side offers several ways; None for its usual one.
        relation: the task whose records the values are ids of; the task's own name for those of itself.
        type: the type that its property has now, said by a person after it changed.
        new_options: what happens to a value that is no option yet; None for what the field says.
    """

    attrs: Pair[str]
    direction: Direction = Direction.BOTH
    mode: ConflictMode | None = None
    values: tuple[Pair[Any], ...] = ()
    form: str | None = None
    relation: str | None = None
    type: str | None = None
    new_options: NewOptions | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """When a plan looks like an accident.

    Attributes:
        lost_share: refuse when a side lost more than this share of its links ...
        lost_number: ... and more than this number.
        changed_share: refuse when at least this share of a side's linked records changed at once ...
        changed_number: ... and more than this number.
        created_share: refuse when a side would get new records, more than this share of the links ...
        created_number: ... and more than this number. A first run has no links, and is not refused.
    """

    lost_share: float = 0.25
    lost_number: int = 5
    changed_share: float = 1.0
    changed_number: int = 20
    created_share: float = 1.0
    created_number: int = 200


@dataclass(frozen=True, slots=True)
class Rules:
    """What a task says about its sync.

    Attributes:
        tie: who wins a conflict in mode `newer` whose order in time cannot be told.
        delete: by side, what happens to its record when the opposite side deleted the counterpart.
        out_of_scope: what happens to a record whose counterpart is there, but not for this task.
        key: the fields that records are matched by, as Notion attribute names; empty where the
            records bring their key with them (hooks).
        clock_steps: how coarse each side's times of change are.
        task_resolves: conflicts go to the task's own `resolve_conflict`.
        full_every: how often all is compared where a change feed does not name what was deleted.
        loop_limit: so many turns may a field take in runs in a row (see `engine.loops`); 0 for any number.
    """

    fields: tuple[FieldRule, ...]
    mode: ConflictMode = ConflictMode.NEWER
    tie: Side = Side.OTHER
    delete: Pair[DeletePolicy] = Pair(DeletePolicy.PROPAGATE, DeletePolicy.PROPAGATE)
    out_of_scope: OutOfScopePolicy = OutOfScopePolicy.WAIT
    ambiguous: AmbiguousPolicy = AmbiguousPolicy.REPORT
    key: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    clock_steps: Pair[timedelta] = Pair(timedelta(0), timedelta(0))
    task_resolves: bool = False
    loop_limit: int = 10
    full_every: timedelta = timedelta(hours=1)

    def names(self, task: str) -> bool:
        """Whether a field names records of that task."""
        return any(rule.relation == task for rule in self.fields)

    def asks(self, conflict: Conflict) -> bool:
        """Whether the task's own `resolve_conflict` is asked about this one, when it is applied."""
        return self.task_resolves and conflict.held and not conflict.frozen and not conflict.by_person
