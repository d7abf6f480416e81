"""Beat as a real process while Redis is full or out of reach, and after a clock was set."""

from __future__ import annotations

import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sync_workers.redis.beat import last_sent
from sync_workers.redis.connect import connect
from sync_workers.redis.queues import waiting
from sync_workers.sandbox.embedded import EmbeddedRedis
from tests.conftest import wait_until
from tests.proxy import Proxy
from tests.worker.deployment import Deployment, deployed

pytestmark = pytest.mark.system

HOLE = timedelta(seconds=12)
"""Longer than an answer of Redis is waited for."""


def ticked(on: Deployment) -> float:
    return last_sent(on.client, "todo") or 0


def test_a_tick_that_a_full_broker_refuses_is_sent_when_it_takes_messages_again(tmp_path: Path) -> None:
    with (
        EmbeddedRedis() as broker,
        closing(connect(broker.url)) as client,
        deployed(tmp_path, ".run_every(hours=1)") as on,
    ):
        on.environment["SYNC_WORKERS_BROKER_URL"] = broker.url
        client.ask("CONFIG SET", "maxmemory", "1")
        beat = on.beat()
        wait_until(lambda: on.log(beat).count("is sent later") >= 2, "it is tried twice", 30)
        client.ask("CONFIG SET", "maxmemory", "0")

        wait_until(lambda: waiting(client, ["sync.get"])["sync.get"].length == 1, on.logs, 5)

        assert on.runs.counters() == {}
        assert "Traceback" not in on.log(beat)


def test_a_hole_in_the_network_stops_no_beat(tmp_path: Path) -> None:
    with deployed(tmp_path, ".run_every(seconds=1)") as on, Proxy(("127.0.0.1", on.redis.port)) as proxy:
        on.worker()
        on.environment["SYNC_WORKERS_REDIS_URL"] = f"redis://127.0.0.1:{proxy.port}/0"
        beat = on.beat()
        wait_until(lambda: on.runs.counters().get("done", 0) >= 2, "it ticks")
        proxy.stall()
        time.sleep(HOLE.total_seconds())  # the outage itself
        proxy.flow()
        over = time.time()

        wait_until(lambda: ticked(on) > over + 1, on.logs, 15)
        assert beat.poll() is None


def test_a_tick_that_redis_remembers_from_the_future_is_not_waited_for(tmp_path: Path) -> None:
    with deployed(tmp_path, ".run_every(seconds=1)") as on:
        ahead = int((time.time() + 3600) * 1000)
        on.client.ask("HSET", on.keys.tick, "at", ahead, "by", "a Redis whose clock was wrong")

        on.beat()

        wait_until(lambda: ticked(on), on.logs)


SCHEDULER = """
import time
from beat_schedule.app import app
from beat_schedule.scheduler import RedisScheduler

def next_tick():
    until = time.time() + 5
    while time.time() < until:
        time.sleep(min(max(scheduler.tick(), 0), 0.5))
        if scheduler.sent:
            return
    raise SystemExit("no tick")

scheduler = RedisScheduler(app=app)
next_tick()
"""

SET_BACK = """
from datetime import timedelta
for entry in scheduler.schedule.values():
    entry.last_run_at += timedelta(hours=1)
scheduler.looked += 3600
"""

TAKEN_UP = """
tasks = scheduler.tasks
before = scheduler.schedule["todo"].last_run_at
scheduler.take_up(tasks)
assert scheduler.schedule["todo"].last_run_at == before
scheduler.take_up({})
scheduler.tick()
assert not scheduler.sent and not scheduler.schedule
scheduler.take_up(tasks)
"""


@pytest.mark.parametrize("happens", [SET_BACK, TAKEN_UP], ids=["its clock is set back", "tasks change"])
def test_beat_ticks_on_after(happens: str, tmp_path: Path) -> None:
    with deployed(tmp_path, ".run_every(seconds=1)") as on:
        on.worker()  # a tick that waits would leave out the next
        on.program(SCHEDULER + happens + "next_tick()\n")
