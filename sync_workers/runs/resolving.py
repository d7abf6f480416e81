"""Conflicts that a task decides itself (`SyncTask.resolve_conflict`), perhaps by writing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from sync_workers.model import Conflict, Fields, Operation, Pair, Side
from sync_workers.report import Report
from sync_workers.runs.calls import Calls
from sync_workers.runs.changes import both
from sync_workers.values import same

Decided: TypeAlias = tuple[Conflict, Any]
"""A conflict with the value that the task chose; the conflict itself when it is held for a person."""


def decide(operation: Operation, resolve: Callable[[Conflict], Any] | None, report: Report) -> list[Decided]:
    """Ask the task about each conflict that nobody decided yet, and report what it said."""
    return [(one, _ask(one, resolve, report)) for one in operation.conflicts if one.held]


def settle(calls: Calls, operation: Operation, decided: Sequence[Decided]) -> Pair[Fields]:
    """Look what is left to write after the task may have written itself, and write that; the new bases."""
    ids = both(operation.ids)
    bases = Pair.each(lambda side: dict(operation.bases[side]))
    for side in Side:
        now = calls.read(side, ids[side])
        wanted = dict(operation.resolve_fields[side])
        for conflict, value in decided:
            if value is not conflict:
                wanted[conflict.attrs[side]] = value
        missing = {attr: value for attr, value in wanted.items() if not same(now.fields.get(attr), value)}
        written = calls.write(side, now, missing) if missing else {}
        bases[side].update({**{attr: now.fields.get(attr) for attr in wanted}, **written})
    return Pair(bases.notion, bases.other)


def _ask(conflict: Conflict, resolve: Callable[[Conflict], Any] | None, report: Report) -> Any:
    value = resolve(conflict) if resolve is not None else conflict
    winner = next(
        (side for side in Side if value is not conflict and same(value, conflict.values[side])), None
    )
    merged = value is not conflict and winner is None
    report.conflicts.append(replace(conflict, winner=winner, merged=merged))
    return value
