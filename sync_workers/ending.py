"""How a run ends that had the lease, and how one is told that could not have it.

A failure of credentials or container, which only a person can mend, pauses the task. That is one alert when
the pause begins, and none at the ticks that are dropped until a person has resumed it.
"""

from __future__ import annotations

import logging

from sync_workers.errors import AccessError, SettingsError
from sync_workers.redis.lease import Following, Lease, Paused, Taking
from sync_workers.redis.pauses import By, Pause
from sync_workers.redis.taking import Held
from sync_workers.report import Outcome, Report
from sync_workers.runs.finish import fail
from sync_workers.runs.task import Task
from sync_workers.task import SyncTask

_log = logging.getLogger(__name__)


def end_run(lease: Lease, report: Report) -> Following | None:
    """End a run that had the lease: its report is stored, and the task paused or resumed by what came of it.

    Raises:
        LeaseLostError: the lease has gone; nothing was stored.
    """
    report.blocked = " ".join(report.blocked.split())
    works = report.listed and not report.blocked
    report.resumed = works and lease.pause is not None and lease.pause.by is By.SERVICE
    following = lease.end(report.summary(), blocked=report.blocked, works=works, totals=report.totals())
    named = {"task": report.task, "run": report.run}
    if lease.began_pause:
        _log.error(
            "task %s is paused, since it cannot work as it is: %s; put that right, then "
            "`sync-workers resume %s`", report.task, report.blocked, report.task,
            extra={**named, "action": "alert"},
        )  # fmt: skip
    if report.resumed:
        _log.info(
            "task %s is not paused any more: both sides could be read", report.task,
            extra={**named, "action": "resume"},
        )  # fmt: skip
    return following


def note_failure(task: Task, report: Report, error: Exception) -> None:
    """Keep in the report that an error which ended the run is one that only a person can mend.

    A hook may raise anything; of that only `AccessError` says this on purpose.
    """
    if isinstance(error, AccessError) or (
        isinstance(error, SettingsError) and not isinstance(task, SyncTask)
    ):
        report.blocked = str(error)


def end_paused(report: Report, pause: Pause) -> None:
    """The run ends here, since the task is to be left alone."""
    fail(report, Outcome.PAUSED, pause.told(report.task))


def turn_away(report: Report, taking: Taking) -> None:
    """Say in the report of a run why it could not have the lease."""
    if isinstance(taking, Paused):
        end_paused(report, taking.pause)
        return
    by = f" (run {taking.by})" if isinstance(taking, Held) else ""
    fail(report, Outcome.DROPPED, f"another run works on this task{by}: try again when it has ended")
