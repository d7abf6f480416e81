"""What is wrong, by what the monitor sees. Pure: a view in, incidents out.

What follows from something else is not told beside it: without a beat or a worker every task is late, and one
that fails is late, too. So one cause is one message, also for a thousand tasks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TypeAlias

from sync_workers.config.alerts import AlertsForm
from sync_workers.monitor.view import View
from sync_workers.redis.alerts import Incident
from sync_workers.redis.totals import Totals
from sync_workers.schedule import interval_text

Found: TypeAlias = tuple[Incident, timedelta]
"""What is wrong, and how long it has to last before a person is told."""

AT_ONCE = timedelta(0)

GRACE = timedelta(minutes=1)
"""A run takes a while, too."""


def incidents(view: View, rules: AlertsForm) -> Iterator[Found]:
    """Everything that is wrong."""
    deployment = list(_of_deployment(view, rules))
    yield from deployment
    stands = any(incident.kind in {"no-beat", "no-worker"} for incident, _ in deployment)
    for name, totals in view.tasks.items():
        yield from _of_decisions(name, totals, rules)
        if totals.paused:
            if totals.paused == "service":
                summary = f"task {name} is paused, since a service refuses it"
                yield (
                    Incident(kind="paused", task=name, summary=summary, command="sync-workers status"),
                    AT_ONCE,
                )
        elif _fails(totals):
            summary = f"task {name} fails: its last run was no success"
            yield (
                Incident(kind="failing", task=name, summary=summary, command="sync-workers status"),
                rules.patience,
            )
        elif not stands and _is_late(view, name, totals, rules):
            summary = f"task {name} is late: no success for more than {rules.late} intervals"
            yield (
                Incident(kind="late", task=name, summary=summary, command="sync-workers status"),
                rules.patience,
            )


def _of_deployment(view: View, rules: AlertsForm) -> Iterator[Found]:
    def found(kind: str, summary: str, command: str) -> Found:
        return Incident(kind=kind, summary=summary, command=f"sync-workers {command}"), rules.patience

    kinds = {one.kind for one in view.processes}
    if view.leader is None:
        yield found("no-beat", "no beat ticks, so no task runs at its interval", "beat")
    # With scale to zero there may be none, as long as nothing waits.
    if "worker" not in kinds and any(one.length for one in view.waiting.values()):
        yield found("no-worker", "work waits and there is no worker", "worker")
    if view.task_files > 1:
        yield found("task-files", "workers and beats go by different task files", "reload")
    if view.refused:
        yield found("task-file", "the new task file is wrong, so the old one stays in force", "reload")


def _of_decisions(name: str, totals: Totals, rules: AlertsForm) -> Iterator[Found]:
    """What waits for a person, also while the task is paused."""
    if totals.plans:
        summary = f"a guard refused what task {name} was going to do"
        yield (
            Incident(kind="refused", task=name, summary=summary, command=f"sync-workers plans {name}"),
            AT_ONCE,
        )
    if totals.held:
        since = interval_text(rules.waiting)
        summary = f"records of task {name} have waited for a decision for {since}, now {totals.held}"
        command = f"sync-workers conflicts {name}"
        yield Incident(kind="conflicts", task=name, summary=summary, command=command), rules.waiting
    if totals.quarantined >= rules.quarantined:
        summary = f"{totals.quarantined} records of task {name} fail"
        command = f"sync-workers check {name}"
        yield Incident(kind="quarantine", task=name, summary=summary, command=command), rules.patience


def _fails(totals: Totals) -> bool:
    if totals.last_run is None:
        return False
    return totals.last_success is None or totals.last_run > totals.last_success


def _is_late(view: View, name: str, totals: Totals, rules: AlertsForm) -> bool:
    """Whether one that runs at an interval and had a success has had none for long."""
    every = view.schedules[name].every if name in view.schedules else None
    if every is None or totals.last_success is None:
        return False
    return totals.now - totals.last_success > rules.late * every + GRACE
