"""The phase `diff`: decide what to do, and refuse what looks like an accident. Calls no service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sync_workers.engine.diff import diff
from sync_workers.engine.guard import refusals
from sync_workers.engine.paused import leave_alone, unpaused
from sync_workers.engine.relations import NO_LINKS
from sync_workers.engine.rules import Rules
from sync_workers.errors import GuardError
from sync_workers.model import ID, Action, Operation, Pair, Part, Plan, Side
from sync_workers.report import Report
from sync_workers.runs.changes import idempotent
from sync_workers.runs.drift import frozen_sides, is_of_drift
from sync_workers.runs.get import Gathered, spent
from sync_workers.runs.quarantine import without_quarantined
from sync_workers.runs.refused_fields import apart
from sync_workers.runs.setup import stale, without
from sync_workers.services.base import mark_of
from sync_workers.state import State


def decide(
    rules: Rules,
    state: State | None,
    gathered: Gathered,
    report: Report,
    *,
    accept_guards: bool = False,
    now: datetime | None = None,
    links: Mapping[str, Mapping[ID, ID]] = NO_LINKS,
) -> Plan:
    """The plan of a run; without the time, no record waits in quarantine.

    `links` are those of the tasks whose records fields name, but for this one's own.

    Raises:
        GuardError: the plan looks like an accident; `accept_guards` carries it out all the same,
            except for ids that a side listed twice.
    """
    with spent(report, "diff"):
        known = state or State()
        changed = changed_setup(known, gathered)
        moved = any(name.endswith(".container") and name in known.setup for name in changed)
        forgotten = stale(rules, known, gathered.setup, gathered.fields)
        base = State() if moved else without(known, forgotten)
        plan = _planned(rules, base, gathered, report.task, links, fresh=bool(changed))
        # For the guards counts what was linked before: to copy a whole wrong container is an accident.
        plan = replace(leave_alone(plan, known, report.task), links=len(known.ids), stale=forgotten)
        plan = replace(plan, apart=apart(rules))
        reasons = refusals(rules.limits, unpaused(base), gathered.snapshot, plan)
        repeated = any(gathered.snapshot[side].repeated for side in Side)
        if moved or not known.setup:
            dropped = _drop_links(known) if moved else ()
            plan = replace(plan, operations=(*dropped, *plan.operations), setup=dict(gathered.setup))
        guarded, plan = plan, without_quarantined(plan, base, now)
        report.fresh = sorted(changed)
        report.drift = [one.sentence for one in gathered.drift]
        _tell(report, plan, rules)
        if reasons and (repeated or not accept_guards):
            raise GuardError(guarded, reasons, final=repeated)
        return plan


def _planned(
    rules: Rules,
    state: State,
    gathered: Gathered,
    task: str,
    links: Mapping[str, Mapping[ID, ID]],
    *,
    fresh: bool,
) -> Plan:
    return diff(
        replace(rules, clock_steps=gathered.clock_steps), state, gathered.snapshot,
        fields=gathered.fields, fresh=fresh, safe_creates=gathered.safe_creates, notes=gathered.notes,
        mark=lambda side, i: mark_of(idempotent(task, side, i)), links=links, task=task,
        frozen=frozen_sides(gathered.drift),
    )  # fmt: skip


def _tell(report: Report, plan: Plan, rules: Rules) -> None:
    """Put into the report what the plan knows."""
    report.planned = len(plan)
    report.ambiguous.extend(plan.ambiguous)
    report.held.extend(plan.held)
    report.ignored.extend(plan.ignored)
    report.quarantined.extend(plan.quarantined)
    # What the task decides itself is known only when it has decided.
    report.conflicts.extend(c for c in plan.conflicts if not rules.asks(c))


def changed_setup(state: State, gathered: Gathered) -> set[str]:
    """Names of the fingerprints that are not what the bases were made with (rule R9).

    One that came or went counts, such as that of a filter; a state without any never saw an end.
    """
    if not state.setup:
        return set()
    names = {*state.setup, *gathered.setup}
    changed = {name for name in names if state.setup.get(name) != gathered.setup.get(name)}
    return {name for name in changed if not is_of_drift(name)}


def _drop_links(state: State) -> tuple[Operation, ...]:
    """A side is bound to another container: the old ids mean nothing there, so match afresh."""
    why = "bound to another container"
    return tuple(
        Operation(Part.NOTION_DELETED, Action.DROP, Side.NOTION, Pair(notion_id, other_id), why)
        for notion_id, other_id in state.links()
    )
