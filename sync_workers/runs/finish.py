"""The end of a run that was carried out to its end."""

from __future__ import annotations

from datetime import UTC, datetime

from sync_workers.model import Plan
from sync_workers.report import Outcome, Report
from sync_workers.runs.get import Gathered
from sync_workers.runs.quarantine import settled
from sync_workers.runs.setup import forget
from sync_workers.runs.store import Store
from sync_workers.state import Change, State


def finish(
    report: Report, store: Store, state: State | None, gathered: Gathered, plan: Plan = Plan()
) -> None:
    """Remember the set-up that the bases were made with and which records failed, and settle the report.

    What the plan wants forgotten is forgotten even if it has no operation.
    """
    report.finished = datetime.now(UTC)
    if state is not None and not plan.operations:
        forget(state, plan.stale, store)
    known = state.setup if state is not None else None
    setup = gathered.setup if known != dict(gathered.setup) else None
    change = Change(setup=setup, quarantine=settled(state or State(), plan, report, report.finished))
    if change:
        store.commit(None, change)
        if state is not None:
            change.apply(state)
    report.settle()


def fail(report: Report, outcome: Outcome, reason: str) -> None:
    """The run ended before its end; `reason` names no values."""
    report.outcome = outcome
    report.reason = reason
    report.finished = datetime.now(UTC)
