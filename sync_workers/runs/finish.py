"""The end of a run that was carried out to its end."""

from __future__ import annotations

from datetime import UTC, datetime

from sync_workers.model import Plan
from sync_workers.report import Outcome, Report
from sync_workers.runs.get import Gathered
from sync_workers.runs.setup import forget
from sync_workers.runs.store import Store
from sync_workers.state import Change, State


def finish(
    report: Report, store: Store, state: State | None, gathered: Gathered, plan: Plan = Plan()
) -> None:
    """Remember the set-up that the bases were made with, and settle the report.

    With the plan given, what it wants forgotten is forgotten even if it has no operation.
    """
    if state is not None and not plan.operations:
        forget(state, plan.stale, store)
    known = state.setup if state is not None else None
    if known != dict(gathered.setup):
        store.commit(None, Change(setup=gathered.setup))
        if state is not None:
            state.setup = dict(gathered.setup)
    report.settle()
    report.finished = datetime.now(UTC)


def fail(report: Report, outcome: Outcome, reason: str) -> None:
    """The run ended before its end; `reason` names no values."""
    report.outcome = outcome
    report.reason = reason
    report.finished = datetime.now(UTC)
