"""What becomes of a delivery that does not get the lease, or loses it."""

from __future__ import annotations

import logging
from typing import Any

from sync_workers.ending import turn_away
from sync_workers.redis.lease import Following, Held, Lease, Paused, Superseded, Taking
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.report import Outcome, Report, Trigger
from sync_workers.worker.delivery import Delivery, Done

_log = logging.getLogger(__name__)


def overtaken(delivery: Delivery, lease: Lease) -> Done:
    """The lease was ours and is not any more."""
    shown = {"task": delivery.task, "run": delivery.run, "outcome": "superseded"}
    anew = new_run_id()
    if not lease.begin_again(anew):
        return Done(shown)
    # Nobody else knows that this run was asked for; what it read and planned is gone, too.
    _log.warning(
        "task %s: Redis lost its keys under run %s; it begins again as %s", delivery.task, delivery.run, anew,
        extra={"task": delivery.task, "run": delivery.run, "action": "begin again"},
    )  # fmt: skip
    return Done(shown, following=Following(anew, delivery.full, delivery.looks))


def stopped(delivery: Delivery, runs: RunsStore, taking: Taking) -> Done:
    """The lease was not for us."""
    shown: dict[str, Any] = {"task": delivery.task, "run": delivery.run, "trigger": delivery.trigger.value}
    if isinstance(taking, Paused):
        return _turned_away(delivery, runs, taking)
    if isinstance(taking, Held):
        outcome = "joined" if taking.following else Outcome.DROPPED.value
        return Done(shown | {"outcome": outcome, "by": taking.by, "following": taking.following})
    if isinstance(taking, Superseded):
        # Whoever ended this run may have died before it started the one that follows; twice is harmless.
        waiting = runs.following() if runs.lease() is None else None
        following = Following(waiting, full=False) if waiting else None
        return Done(shown | {"outcome": "superseded"}, following=following)
    return Done(shown | {"outcome": Outcome.FINISHED.value})


def _turned_away(delivery: Delivery, runs: RunsStore, taking: Paused) -> Done:
    """The task is paused: a tick is forgotten, a request gets its report, since somebody may wait for it."""
    report = Report(delivery.task, delivery.run, delivery.trigger)
    turn_away(report, taking)
    if delivery.trigger is Trigger.AD_HOC:
        runs.turn_away(delivery.run, report.summary())
    _log.debug(
        "task %s: %s", delivery.task, report.reason,
        extra={"task": delivery.task, "run": delivery.run, "action": "pause"},
    )  # fmt: skip
    return Done(report.summary())
