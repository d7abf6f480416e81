"""How long a run may wait that does not get on, by what is stored of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sync_workers.redis.runs_store import RunsStore

LONGEST_PATIENCE = timedelta(minutes=10)
"""A run that got no answer for so long ends and says why."""

LONGEST_UPGRADE = timedelta(minutes=2)
"""A run of another version that no worker of that version takes on for so long ends and says why."""

LONGEST_STANDSTILL = timedelta(hours=6)
"""A run that was given no single call for so long ends and says why: a service wants to be left alone."""


def may_wait(runs: RunsStore, wait: timedelta, longest: timedelta) -> bool:
    """Whether a run waits for a service that asked for patience, or did not answer."""
    return timedelta(0) < wait <= longest and _stood_still(runs) + wait < LONGEST_PATIENCE


def may_wait_for_version(runs: RunsStore) -> bool:
    """Whether a run waits for a worker that can read what stands there."""
    return _stood_still(runs) < LONGEST_UPGRADE


def may_stand_still(runs: RunsStore, calls: int) -> bool:
    """Whether a run whose turn has not come goes on later; one that made calls meanwhile got on."""
    if calls:
        runs.note_progress()
        return True
    return _stood_still(runs) < LONGEST_STANDSTILL


def _stood_still(runs: RunsStore) -> timedelta:
    """How long ago the run got on; for ever, where that is not known any more."""
    info = runs.lease()
    return timedelta.max / 2 if info is None or info.moved is None else datetime.now(UTC) - info.moved
