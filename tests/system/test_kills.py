"""Workers are killed again and again while people work on both sides: nothing is lost, doubled or deleted.

`make soak` does the same with 500 kills.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sync_workers.model import Pair
from tests.conftest import wait_until
from tests.figures import Figures
from tests.system.crowd import Crowd, crowd

KILLS = int(os.environ.get("SOAK_KILLS", "40"))
BETWEEN = 0.6
"""Seconds from one kill to the next, on average, if runs are quick."""
WORK, RUNS, PATIENCE = 6, 6, 4
"""What people do and how many runs end between two kills; for so many seconds they are waited for."""
UNTIL_QUIET = 120

pytestmark = [pytest.mark.system, pytest.mark.timeout(200 + 3 * KILLS)]

SEED = 20261125


def test_killed_workers_lose_nothing_and_double_nothing(tmp_path: Path, figures: Figures) -> None:
    with crowd(tmp_path, SEED) as on:
        # Given: workers and beat that run all tasks, and people on both sides of each.
        wait_until(lambda: all(desk.runs.recent(1) for desk in on.desks), on.logs, 60)
        # When: workers are killed at random moments, and the people go on.
        kill_at_random_moments(on)
        # Then: each task runs until it is quiet,
        moment = datetime.now(UTC)
        wait_until(
            lambda: all(desk.quiet_since(moment) for desk in on.desks),
            lambda: unquiet(on, moment),
            UNTIL_QUIET,
        )
        # both sides show what the people made of them, each record once,
        for desk in on.desks:
            assert desk.differences() == Pair([], []), on.story(desk)
        # nothing is left open, and quiet runs write nothing.
        assert on.open_writes() == 0
        before, moment = [desk.everything() for desk in on.desks], datetime.now(UTC)
        wait_until(lambda: all(desk.quiet_since(moment) for desk in on.desks), on.logs, 60)
        assert [desk.everything() for desk in on.desks] == before
        print(summary(on))
        figures["worker processes that were killed with SIGKILL while people worked"] += on.killed.total()


def kill_at_random_moments(on: Crowd) -> None:
    while on.killed.total() < KILLS:
        on.replace_dead()
        ended, begun = on.ended(), time.monotonic()
        pause = on.chance.uniform(0, 2 * BETWEEN)
        for _ in range(WORK):
            on.work()
            time.sleep(pause / WORK)  # people are not fast
        # On a busy machine runs take longer: between two kills some come to their end.
        while on.ended() < ended + RUNS and time.monotonic() < begun + PATIENCE:
            on.replace_dead()
            time.sleep(0.02)
        on.kill_something()
    on.replace_dead()


def unquiet(on: Crowd, moment: datetime) -> str:
    told = [
        f"{desk.name}: {desk.runs.lease()} {desk.runs.recent(2)}"
        for desk in on.desks
        if not desk.quiet_since(moment)
    ]
    return "\n".join(["all tasks are quiet", *told, on.logs()])


def summary(on: Crowd) -> str:
    records = sum(len(desk.expected) for desk in on.desks)
    kills = ", ".join(f"{number} {what}" for what, number in sorted(on.killed.items()))
    work = ", ".join(f"{number} {what}" for what, number in sorted(on.done.items()))
    return (
        f"killed {on.killed.total()} times ({kills}) under {len(on.desks)} tasks and {on.ended()} runs, "
        f"{on.in_writes} times in the middle of a write; people did: {work}; "
        f"at the end {records} records on both sides, none lost, none twice, none deleted by accident"
    )
