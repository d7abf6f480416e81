"""Several beats as real processes: one ticks, another takes over, and nothing piles up."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from sync_workers.redis.beat import Leader, last_sent, leader
from sync_workers.redis.queues import waiting
from tests.conftest import wait_until
from tests.worker.deployment import Deployment, deployed

pytestmark = pytest.mark.system


@pytest.fixture
def ticking(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path, ".run_every(seconds=1)") as deployment:
        yield deployment


def leads(on: Deployment, beat: subprocess.Popen[bytes]) -> bool:
    found = leader(on.client)
    return found is not None and found.name.endswith(f":{beat.pid}")


def two_beats(on: Deployment) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
    first = on.beat()
    wait_until(lambda: leads(on, first), "the first beat ticks")
    second = on.beat()
    wait_until(lambda: "stands by" in on.log(second), "the second beat stands by")
    return first, second


def done(on: Deployment) -> int:
    return on.runs.counters().get("done", 0)


def test_of_two_beats_one_ticks_and_the_other_takes_over_when_it_is_killed(ticking: Deployment) -> None:
    ticking.worker()
    first, second = two_beats(ticking)
    wait_until(lambda: done(ticking) >= 5, "five runs")
    begun = [datetime.fromisoformat(report["started"]) for report in ticking.runs.recent(4)]
    assert all((later - earlier).total_seconds() > 0.6 for later, earlier in pairwise(begun))
    assert "Sending due task" not in ticking.log(second)
    assert ticking.client.ask("PUBSUB CHANNELS", "*celery-task-meta-*") == [], "nobody listens for results"

    first.kill()
    before = done(ticking)
    wait_until(lambda: done(ticking) >= before + 3, "runs go on", 30)

    assert leads(ticking, second)


def test_a_beat_that_is_told_to_end_is_followed_at_once(ticking: Deployment) -> None:
    first, second = two_beats(ticking)
    asked = time.monotonic()
    first.terminate()

    wait_until(lambda: leads(ticking, second), "the second one takes over", 4)

    assert time.monotonic() - asked < 4, "sooner than the right of one that died ends"
    assert first.wait() == 0


@contextmanager
def frozen(process: subprocess.Popen[bytes]) -> Iterator[None]:
    os.kill(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid, signal.SIGCONT)


def test_a_beat_that_wakes_up_late_stands_by_and_makes_no_tick_twice(ticking: Deployment) -> None:
    ticking.worker()
    first, second = two_beats(ticking)
    with frozen(first):
        wait_until(lambda: leads(ticking, second), "the second one takes over", 30)
        since = done(ticking)
        wait_until(lambda: done(ticking) >= since + 2, "it ticks")
    wait_until(lambda: "this beat stands by" in ticking.log(first), "the first one stands by")
    since = done(ticking)
    wait_until(lambda: done(ticking) >= since + 4, "ticks go on")

    begun = [datetime.fromisoformat(report["started"]) for report in ticking.runs.recent(5)]
    assert all((later - earlier).total_seconds() > 0.6 for later, earlier in pairwise(begun))
    assert leads(ticking, second)


def lose_keys(on: Deployment) -> None:
    on.client.ask("FLUSHALL")


def restart(on: Deployment) -> None:
    on.redis.kill()
    on.redis.restart()


@pytest.mark.parametrize("harm", [restart, lose_keys])
def test_no_beat_ends_for_good_when_redis_is_killed_or_emptied(
    ticking: Deployment, harm: Callable[[Deployment], None]
) -> None:
    beats = two_beats(ticking)
    wait_until(lambda: last_sent(ticking.client, "todo"), "it ticks")
    harm(ticking)
    now = time.time()
    ticking.worker()

    wait_until(lambda: (last_sent(ticking.client, "todo") or 0) > now + 2, ticking.logs, 30)

    assert [beat.poll() for beat in beats] == [None, None]
    found = leader(ticking.client)
    assert isinstance(found, Leader)


def test_while_no_worker_runs_one_tick_waits_and_the_others_are_left_out(ticking: Deployment) -> None:
    ticking.beat()
    wait_until(lambda: ticking.runs.counters().get("skipped", 0) >= 4, "four ticks are left out", 30)
    assert waiting(ticking.client, ["sync.get"])["sync.get"].length == 1

    ticking.worker()

    wait_until(lambda: done(ticking) >= 3, "runs go on")
    assert waiting(ticking.client, ["sync.get"])["sync.get"].length <= 1


def test_a_beat_that_starts_after_a_long_time_catches_up_with_one_run(tmp_path: Path) -> None:
    with deployed(tmp_path, ".run_every(hours=1)") as on:
        on.worker()
        first = on.beat()
        wait_until(lambda: done(on) == 1, "a new task runs at once")
        first.terminate()
        first.wait()
        # When it was down for three hours, as Redis remembers it.
        at = int(on.client.ask("HGET", on.keys.tick, "at")) - 3 * 3600 * 1000
        on.client.ask("HSET", on.keys.tick, "at", at)
        second = on.beat()

        wait_until(lambda: done(on) == 2, "it catches up")
        on.enqueue(wait=60)  # whatever was sent before has been taken now
        assert on.runs.counters() == {"done": 3}
        assert on.log(second).count("Sending due task") == 1
