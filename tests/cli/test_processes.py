from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sync_workers.cli.processes import processes_table
from sync_workers.redis.beat import Leader
from sync_workers.redis.presence import ProcessInfo


def test_of_two_beats_the_one_that_ticks_is_told_and_since_when() -> None:
    since = datetime.now(UTC) - timedelta(hours=2)
    beats = [
        ProcessInfo(kind="beat", name=name, host="host", pid=1, version="1", since=since)
        for name in ("one", "another")
    ]

    table = processes_table(beats, acts=Leader("another", since))

    assert [str(cell) for cell in table.columns[0].cells] == ["beat", "beat (ticks since 2 h ago)"]
