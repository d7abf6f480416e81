"""Two-way sync between Notion and other services, on Celery workers with state in Redis.

    from sync_workers import SyncTask, State, ConflictMode, ID, all_tasks, run_all_tasks

Importing this package imports neither Celery nor redis nor notion-client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sync_workers.engine.rules import AmbiguousPolicy, DeletePolicy, Limits, OutOfScopePolicy
from sync_workers.errors import ConflictError, GuardError, SettingsError, SyncError
from sync_workers.model import ID, Conflict, ConflictMode, Failure, Pair, Plan, Side
from sync_workers.report import Report
from sync_workers.state import State
from sync_workers.task import SyncTask, all_tasks, run_all_tasks

if TYPE_CHECKING:
    from sync_workers.worker.enqueue import enqueue

__all__ = [
    "ID",
    "AmbiguousPolicy",
    "Conflict",
    "ConflictError",
    "ConflictMode",
    "DeletePolicy",
    "Failure",
    "GuardError",
    "Limits",
    "OutOfScopePolicy",
    "Pair",
    "Plan",
    "Report",
    "SettingsError",
    "Side",
    "State",
    "SyncError",
    "SyncTask",
    "all_tasks",
    "enqueue",
    "run_all_tasks",
]


def __getattr__(name: str) -> object:
    """`enqueue` brings Celery and redis with it, so it is imported when it is first asked for."""
    if name == "enqueue":
        from sync_workers.worker.enqueue import enqueue

        return enqueue
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
