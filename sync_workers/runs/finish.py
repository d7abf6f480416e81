"""The end of a run that was carried out to its end."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sync_workers.engine.rules import Rules
from sync_workers.model import Action, Plan
from sync_workers.report import Outcome, Report
from sync_workers.runs.drift import news
from sync_workers.runs.get import Gathered
from sync_workers.runs.quarantine import settled
from sync_workers.runs.remember import remember
from sync_workers.runs.setup import AT_ONCE, forget
from sync_workers.runs.store import Store
from sync_workers.state import Change, State

_log = logging.getLogger(__name__)


def finish(
    report: Report,
    store: Store,
    state: State | None,
    gathered: Gathered,
    plan: Plan,
    rules: Rules,
) -> None:
    """Remember the set-up that the bases were made with, which records failed and what waits for a person.

    What the plan wants forgotten is forgotten even if it has no operation. The report is settled.
    """
    report.finished = datetime.now(UTC)
    if state is not None and not plan.operations:
        forget(state, plan.stale, store)
    known = state.setup if state is not None else None
    tell(report, known or {}, gathered.setup)
    setup = gathered.setup if known != dict(gathered.setup) else None
    now_known = state if state is not None else State()
    compared = any(operation.action in {Action.UPDATE, Action.RESOLVE} for operation in plan)
    done = store.carried_out() if compared else frozenset()
    change = replace(
        remember(rules, report, now_known, plan, done, report.finished),
        setup=setup,
        quarantine=settled(now_known, plan, report, report.finished),
    )
    for piece in _pieces(change):
        if piece:
            store.commit(None, piece)
            piece.apply(now_known)
    report.settle()


def tell(report: Report, known: Mapping[str, str], setup: Mapping[str, str]) -> None:
    """Tell what became of fields, once; the set-up remembers it."""
    told, over = news(known, setup)
    named = {"task": report.task, "run": report.run}
    for sentence in told:
        _log.warning("task %s: %s", report.task, sentence, extra={**named, "action": "drift"})
    for name in over:
        _log.info("task %s: %s is as it was", report.task, name, extra={**named, "action": "drift"})


def _pieces(change: Change) -> Iterator[Change]:
    """One change where there is little; else pieces that the store takes in a few milliseconds each."""
    rest: dict[str, dict[Any, Any]] = {}
    for part in ("held", "decisions", "trails"):
        items = list(getattr(change, part).items())
        full = len(items) - len(items) % AT_ONCE
        for start in range(0, full, AT_ONCE):
            yield Change(**{part: dict(items[start : start + AT_ONCE])})
        rest[part] = dict(items[full:])
    yield replace(change, **rest)


def fail(report: Report, outcome: Outcome, reason: str) -> None:
    """The run ended before its end; `reason` names no values."""
    report.outcome = outcome
    report.reason = reason
    report.finished = datetime.now(UTC)
