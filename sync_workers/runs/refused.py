"""Plans that a guard refused: kept until a person approves or discards them.

A plan is kept with what it was made from. To approve it is to decide anew, and to find each of its operations
again among what is decided now: only these are carried out, as they are now.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sync_workers.errors import GuardError, MovedError
from sync_workers.model import ID, Action, Conflict, Fields, Operation, Pair, Plan, Record, Side
from sync_workers.report import Trigger
from sync_workers.runs.get import Gathered
from sync_workers.state import State
from sync_workers.values import canonical, to_json

NAMED = 3
"""How many records a message names."""


@dataclass(frozen=True, slots=True)
class RefusedPlan:
    """A plan with the set-up that it was made under.

    Attributes:
        found: the fingerprints of both sides and of the field map when it was made.
        known: those that the state's bases were made with.
    """

    plan: Plan
    found: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)

    def id(self, task: str) -> ID:
        """The name of the plan: the same for the same operations, however often they are refused."""
        forms = sorted(map(form, self.plan))  # a state comes in any order
        text = json.dumps([task, dict(self.found), dict(self.known), forms], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is told about a refused plan: names, ids and counts, and no values.

    Attributes:
        id: the name of the plan.
        reasons: why it was refused, a sentence for each guard.
        counts: the plan's operations by `side.action`.
        first, last: when it was refused first and last.
        times: how many runs were refused with it.
        run: the last of these.
        approved_by: the run that has begun to carry it out, if one has.
    """

    id: ID
    reasons: tuple[str, ...]
    counts: Mapping[str, int]
    first: datetime
    last: datetime
    times: int
    run: ID
    trigger: Trigger
    approved_by: ID | None = None


Keep: TypeAlias = Callable[[RefusedPlan, Sequence[str]], ID]
"""Keeps a refused plan with the reasons, and gives its name."""


@contextmanager
def keeping_refused(state: State | None, gathered: Gathered, keep: Keep) -> Iterator[None]:
    """Keep a plan that a guard refuses in here, unless nobody could ever mean it; the error names it then."""
    try:
        yield
    except GuardError as error:
        if error.final:
            raise
        known = state.setup if state is not None else {}
        kept = keep(RefusedPlan(error.plan, dict(gathered.setup), dict(known)), error.reasons)
        raise GuardError(error.plan, error.reasons, kept=kept) from None


def standing(
    refused: RefusedPlan,
    fresh: Plan,
    found: Mapping[str, str],
    known: Mapping[str, str],
    begun: Collection[int],
) -> list[Operation | None]:
    """For each operation of a refused plan the same one as it was decided now.

    None stands for one that an earlier approval has begun, by its number in `begun`, and that is not decided
    again: it is done, or the next run looks what became of it.

    Raises:
        MovedError: something changed since; says what, without values.
    """
    # A run since, such as an approval that was cut short, may have made the new set-up the known one.
    is_known = known in (refused.known, refused.found)
    if changed := _differing(found, refused.found) or (() if is_known else _differing(known, refused.known)):
        msg = f"the set-up changed ({', '.join(changed)})"
        raise MovedError(msg)
    now = {form(operation): operation for operation in fresh}
    forms = [form(operation) for operation in refused.plan]
    gone = [
        operation
        for number, operation in enumerate(refused.plan)
        if forms[number] not in now and number not in begun
    ]
    if gone:
        msg = (
            f"{len(gone)} of its {len(refused.plan)} operation(s) would not be the same now ({_named(gone)})"
        )
        raise MovedError(msg)
    # Left as it is, a link into the old container would be taken for one into the new one.
    if more := [op for text, op in now.items() if op.action is Action.DROP and text not in forms]:
        msg = f"{len(more)} link(s) more would have to be dropped with the others ({_named(more)})"
        raise MovedError(msg)
    return [now.get(text) for text in forms]


def _named(operations: Sequence[Operation]) -> str:
    first = ", ".join(f"{op.action} {op.source_id} on {op.side}" for op in operations[:NAMED])
    return first + (f" and {len(operations) - NAMED} more" if len(operations) > NAMED else "")


def form(operation: Operation) -> str:
    """What an operation does and what it was made from; not versions, times and reasons.

    Nor its part: a create that was begun before stands among the matches when it is decided again.
    """
    said = [
        operation.action,
        operation.side,
        _each(operation.ids, lambda record_id: record_id),
        _fields(operation.fields),
        _each(operation.bases, _fields),
        _each(operation.records, _record),
        [_conflict(conflict) for conflict in operation.conflicts],
        _each(operation.resolve_fields, _fields),
        operation.note,
    ]
    return json.dumps(said, sort_keys=True)


def _each(pair: Pair[Any], write: Callable[[Any], Any]) -> list[Any]:
    return [write(pair[side]) for side in Side]


def _record(record: Record | None) -> Any:
    return None if record is None else [record.id, _fields(record.fields)]


def _conflict(conflict: Conflict) -> list[Any]:
    values = _each(conflict.values, _plain)
    return [_each(conflict.ids, str), _each(conflict.attrs, str), values, conflict.winner, conflict.merged]


def _fields(fields: Fields) -> dict[str, Any]:
    return {attr: _plain(value) for attr, value in fields.items()}


def _plain(value: Any) -> Any:
    return to_json(canonical(value))


def _differing(one: Mapping[str, str], another: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in {*one, *another} if one.get(name) != another.get(name)))
