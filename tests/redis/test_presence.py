from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sync_workers.redis.connect import Client
from sync_workers.redis.keys import PROCESSES_SEEN
from sync_workers.redis.presence import GONE, Presence, processes


def test_processes_that_live_are_told_with_what_they_go_by(alone: Client) -> None:
    assert processes(alone) == []
    Presence(alone, "worker", "b").note("abc", details={"slots": "2"})
    Presence(alone, "worker", "a").note("abc", "it is wrong")
    beat = Presence(alone, "beat", "a")
    beat.note("old")
    beat.note("abc")

    found = processes(alone)

    assert [(one.kind, one.name, one.fingerprint) for one in found] == [
        ("beat", "a", "abc"),
        ("worker", "a", "abc"),
        ("worker", "b", "abc"),
    ]
    assert (found[1].problem, found[2].details, found[2].version) == ("it is wrong", {"slots": "2"}, "0.1.0")
    assert found[0].seen is not None
    assert abs(datetime.now(UTC) - found[0].seen) < timedelta(minutes=1)


def test_one_that_ends_or_is_not_heard_of_is_not_told(alone: Client) -> None:
    ended, dead, alive = (Presence(alone, "worker", name) for name in ("ended", "dead", "alive"))
    for one in (ended, dead, alive):
        one.note("abc")
    ended.leave()
    old = int((datetime.now(UTC) - 2 * GONE).timestamp() * 1000)
    alone.ask("ZADD", PROCESSES_SEEN, old, dead.key)

    assert [one.name for one in processes(alone)] == ["alive"]
    alive.note("abc")
    assert alone.ask("ZCARD", PROCESSES_SEEN) == 1, "who is gone for long is forgotten"
