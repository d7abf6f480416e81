"""The whole system: two workers and beat as processes, a sync every second, edits on both sides."""

from __future__ import annotations

import random
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import wait_until
from tests.system.deployment import Deployment, deployed

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

RUNS = 15


def edit_both_sides(on: Deployment, chance: random.Random, number: int) -> None:
    """A few edits as people make them: new, changed and deleted records on either side."""
    pages, rows = on.notion.pages(on.data_source), on.table("SELECT id FROM tasks ORDER BY id")
    on.notion.add_page(on.data_source, {"Name": f"page {number}", "Done": False, "Points": number})
    on.table("INSERT INTO tasks VALUES (?, ?, 0, ?, ?)", f"row-{number}", f"row {number}", number, now())
    if pages:
        on.notion.edit_page(chance.choice(pages).id, {"Done": True})
    if rows:
        record_id = chance.choice(rows)[0]
        on.table("UPDATE tasks SET points = points + 100, modified = ? WHERE id = ?", now(), record_id)
    if number == RUNS // 2 and rows:
        on.table("DELETE FROM tasks WHERE id = ?", chance.choice(rows)[0])


def now() -> str:
    return datetime.now().astimezone().isoformat()


def ended(on: Deployment) -> list[dict[str, Any]]:
    """The runs that ended, the oldest first."""
    return list(reversed(on.runs.recent(200)))


def another_run(on: Deployment, number: int = 1) -> None:
    """Wait until so many more runs have ended."""
    known = len(ended(on))
    wait_until(
        lambda: len(ended(on)) >= known + number, lambda: f"{number} more run(s)\n{on.logs()}", seconds=60
    )


def test_two_workers_and_beat_keep_both_sides_in_step(tmp_path: Path) -> None:
    chance = random.Random(20301)
    with deployed(tmp_path) as on:
        # Given: two workers and beat, with a tick every second.
        for name in ("one", "two"):
            on.start(name, "worker", "--name", name, "--no-restart")
        on.start("beat", "beat", "--no-restart")
        # When: people edit both sides while runs come and go.
        for number in range(RUNS):
            edit_both_sides(on, chance, number)
            another_run(on)
        # Then: both sides agree within some runs,
        wait_until(
            lambda: on.notion_side() == on.other_side(), lambda: f"both sides agree\n{on.logs()}", seconds=60
        )
        another_run(on, number=3)
        runs = ended(on)
        # nothing was lost or made twice,
        names = [name for name, _, _ in on.other_side()]
        assert len(names) == len(set(names)) == 2 * RUNS - 1
        # every run went well, the last ones were quiet and called no write,
        assert {run["outcome"] for run in runs} == {"done"}, runs
        assert [run["counts"] for run in runs[-2:]] == [{}, {}]
        # and no two runs overlapped, by their own times.
        times = sorted((run["started"], run["finished"]) for run in runs)
        assert all(earlier[1] <= later[0] for earlier, later in pairwise(times))
        assert all(child.alive for child in on.children.values())


def test_quiet_runs_write_nothing(tmp_path: Path) -> None:
    with deployed(tmp_path) as on:
        on.notion.add_page(on.data_source, {"Name": "Buy bread", "Done": False, "Points": 1})
        on.start("one", "worker", "--name", "one", "--no-restart")
        on.start("beat", "beat", "--no-restart")
        wait_until(
            lambda: on.other_side() == [("Buy bread", 0, 1)], lambda: f"it crossed\n{on.logs()}", seconds=60
        )
        another_run(on)
        # When: nobody edits anything for some runs.
        on.notion.forget_requests()
        another_run(on, number=3)
        # Then: Notion was only read.
        assert on.notion.requests
        assert on.notion.writes() == []
