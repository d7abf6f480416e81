from __future__ import annotations

import zlib
from datetime import timedelta

import pytest

from sync_workers.errors import LeaseLostError, StateError
from sync_workers.model import Side
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease, Taken
from sync_workers.redis.runs_store import RunsStore
from sync_workers.report import Trigger


@pytest.fixture
def runs(redis_client: Client, task_name: str) -> RunsStore:
    return RunsStore(redis_client, task_name)


def take(client: Client, task: str, run: str) -> int:
    taking = Lease(client, task, run).take(Trigger.LOCAL, first=True)
    assert isinstance(taking, Taken)
    return taking.fence


def test_a_phase_hands_its_snapshot_on_compressed_and_not_for_ever(
    redis_client: Client, task_name: str, runs: RunsStore
) -> None:
    body = b'{"Name": "Bread"}' * 1000
    runs.put("one", take(redis_client, task_name, "one"), "snapshot", body)

    assert runs.get("one", "snapshot") == body
    assert runs.get("two", "snapshot") is None
    key = Keys(task_name).blob("one", "snapshot")
    assert redis_client.ask("STRLEN", key) < len(body) / 10
    assert 0 < redis_client.ask("TTL", key) <= timedelta(days=1).total_seconds()


def test_an_older_attempt_hands_nothing_on(redis_client: Client, task_name: str, runs: RunsStore) -> None:
    older, newer = (take(redis_client, task_name, "one") for _ in range(2))
    runs.put("one", newer, "plan", b"new")
    runs.put_mirror("one", newer, Side.NOTION, b"new")

    with pytest.raises(LeaseLostError):
        runs.put("one", older, "plan", b"old")
    with pytest.raises(LeaseLostError):
        runs.put_mirror("one", older, Side.NOTION, b"old")
    assert (runs.get("one", "plan"), runs.mirror(Side.NOTION)) == (b"new", b"new")


def test_only_what_is_removed_in_the_end_is_handed_on(
    redis_client: Client, task_name: str, runs: RunsStore
) -> None:
    with pytest.raises(ValueError, match="snapshot"):
        runs.put("one", take(redis_client, task_name, "one"), "draft", b"")


def test_mirrors_stay_for_the_next_run_until_they_are_dropped(
    redis_client: Client, task_name: str, runs: RunsStore
) -> None:
    runs.put_mirror("one", take(redis_client, task_name, "one"), Side.OTHER, b"listing")
    assert redis_client.ask("TTL", Keys(task_name).mirror(Side.OTHER)) == -1
    assert (runs.mirror(Side.OTHER), runs.mirror(Side.NOTION)) == (b"listing", None)

    runs.drop_mirrors()
    assert runs.mirror(Side.OTHER) is None


def test_a_damaged_blob_is_named_with_the_remedy(
    redis_client: Client, task_name: str, runs: RunsStore
) -> None:
    redis_client.ask("SET", Keys(task_name).mirror(Side.OTHER), zlib.compress(b"listing")[:-3])
    with pytest.raises(StateError, match="delete it"):
        runs.mirror(Side.OTHER)


def test_nothing_is_known_about_a_task_that_never_ran(runs: RunsStore) -> None:
    assert runs.lease() is None
    assert runs.recent() == []
    assert runs.counters() == {}
    assert runs.report("one") is None
    assert runs.following() is None
