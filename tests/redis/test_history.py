"""The history in Redis: what runs did, the newest first, bounded by number and age."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sync_workers.errors import SettingsError
from sync_workers.model import Action, Pair, Side
from sync_workers.redis.connect import Client
from sync_workers.redis.history import entries
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease, Taken
from sync_workers.redis.runs_store import new_run_id
from sync_workers.redis.state_store import RedisStore
from sync_workers.report import Outcome, Report, Trigger
from sync_workers.runs.history import Entry, Kept
from sync_workers.settings import load_settings
from sync_workers.state import Change


class Run:
    """One run that has the lease."""

    def __init__(self, client: Client, task: str, kept: Kept = Kept()) -> None:
        self.id = new_run_id()
        self.lease = Lease(client, task, self.id, kept=kept)
        taken = self.lease.take(Trigger.AD_HOC, first=True)
        assert isinstance(taken, Taken)
        self.store = RedisStore(client, task, self.id, taken.fence, kept)

    def does(self, number: int, text: str = "x") -> Entry:
        entry = Entry(
            self.id, number, Action.UPDATE, Side.OTHER, Pair(f"n{number}", f"o{number}"), "edited",
            Pair({"Name": text}, {"summary": None}), Pair({"Name": text}, {"summary": text}),
        )  # fmt: skip
        self.store.begin(number, Change(), entry)
        self.store.commit(number, Change(), entry)
        return entry

    def end(self) -> None:
        report = Report("task", self.id, outcome=Outcome.DONE)
        self.lease.end(report.summary())


def test_entries_come_back_the_newest_first_and_say_when(redis_client: Client, task_name: str) -> None:
    run = Run(redis_client, task_name)
    did = [run.does(number) for number in range(3)]
    told = list(entries(redis_client, task_name))
    assert [replace(entry, at=None) for entry in told] == did[::-1]
    assert all(
        entry.at is not None and abs(datetime.now(UTC) - entry.at) < timedelta(hours=1) for entry in told
    )


def test_more_entries_than_one_answer_holds_come_all(redis_client: Client, task_name: str) -> None:
    run = Run(redis_client, task_name)
    for number in range(1100):
        run.does(number)
    assert [entry.number for entry in entries(redis_client, task_name)] == list(reversed(range(1100)))


def test_one_run_can_be_asked_for(redis_client: Client, task_name: str) -> None:
    first = Run(redis_client, task_name)
    first.does(0)
    first.end()
    second = Run(redis_client, task_name)
    second.does(0)
    assert [entry.run for entry in entries(redis_client, task_name, first.id)] == [first.id]
    assert list(entries(redis_client, task_name, "never")) == []


@pytest.mark.parametrize("text", ["short", "long " * 10_000, "half \ud800 a pair"])
def test_long_entries_are_kept_small_and_come_back_whole(
    redis_client: Client, task_name: str, text: str
) -> None:
    Run(redis_client, task_name).does(0, text)
    (entry,) = entries(redis_client, task_name)
    assert entry.after.other == {"summary": text}
    ((_, body),) = redis_client.ask("XRANGE", Keys(task_name).history, "-", "+")
    stored = body[b"entry"] if isinstance(body, dict) else body[1]
    assert len(stored) < 2000


def test_the_oldest_entries_go_when_there_are_too_many(redis_client: Client, task_name: str) -> None:
    run = Run(redis_client, task_name, Kept(number=100))
    for number in range(1000):
        run.does(number)
    kept = [entry.number for entry in entries(redis_client, task_name)]
    assert kept[:100] == list(range(999, 899, -1))
    assert len(kept) < 400  # Redis takes whole nodes of a stream away


def test_the_oldest_entries_go_at_the_end_of_a_run_when_they_are_too_old(
    redis_client: Client, task_name: str
) -> None:
    run = Run(redis_client, task_name)
    for number in range(300):
        run.does(number)
    run.end()
    Run(redis_client, task_name, Kept(age=timedelta(0))).end()
    assert len(list(entries(redis_client, task_name))) < 200  # likewise


def test_an_end_that_is_sent_twice_is_told_once(redis_client: Client, task_name: str) -> None:
    run = Run(redis_client, task_name)

    class Twice(Client):
        def run(self, script: str, keys: Any, args: Any) -> Any:
            redis_client.run(script, keys, args)
            return redis_client.run(script, keys, args)

    fence = run.lease.fence
    run.store = RedisStore(Twice(None, "nowhere"), task_name, run.id, fence)
    did = run.does(0)
    run.store.commit(None, Change(), replace(did, run="earlier", number=7))
    assert [entry.number for entry in entries(redis_client, task_name)] == [0]

    assert run.store.begin(8, Change(), replace(did, run="earlier", number=7))
    run.store.commit(None, Change(), replace(did, run="earlier", number=7))
    assert [entry.number for entry in entries(redis_client, task_name)] == [7, 0]


def test_a_deployment_says_how_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Kept.by(load_settings()) == Kept(10_000, timedelta(days=90))
    monkeypatch.setenv("SYNC_WORKERS_HISTORY_NUMBER", "50")
    monkeypatch.setenv("SYNC_WORKERS_HISTORY_AGE", "2d")
    assert Kept.by(load_settings()) == Kept(50, timedelta(days=2))
    monkeypatch.setenv("SYNC_WORKERS_HISTORY_NUMBER", "0")
    with pytest.raises(SettingsError, match="SYNC_WORKERS_HISTORY_NUMBER should be greater"):
        load_settings()
