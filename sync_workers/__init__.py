"""Two-way sync between Notion and other services, on Celery workers with state in Redis.

    from sync_workers import SyncTask, State, ConflictMode, ID, all_tasks, run_all_tasks

Importing this package imports neither Celery nor redis nor notion-client.
"""

from __future__ import annotations

from sync_workers.engine.rules import AmbiguousPolicy, DeletePolicy, Limits
from sync_workers.errors import ConflictError, GuardError, SettingsError, SyncError
from sync_workers.model import ID, Conflict, ConflictMode, Failure, Plan, Side
from sync_workers.report import Report
from sync_workers.state import State
from sync_workers.task import SyncTask, all_tasks, run_all_tasks

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
    "Plan",
    "Report",
    "SettingsError",
    "Side",
    "State",
    "SyncError",
    "SyncTask",
    "all_tasks",
    "run_all_tasks",
]
