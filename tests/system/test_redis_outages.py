"""Redis goes away under workers that are in the middle of a phase, in every way it can.

Each outage meets three deployments at once, one in each phase. The run goes on, or fails and says why where
Redis is full; the next one is right, and the workers are the same processes all along.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from sync_workers.redis.connect import connect
from sync_workers.sandbox.embedded import EmbeddedRedis
from tests.conftest import wait_until
from tests.proxy import Kind, Proxy
from tests.system.phased_task import WORDS, PhasedTask
from tests.worker.deployment import Deployment, deployed

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

RECORDS = 3


@dataclass
class Place:
    """A deployment whose worker reaches Redis through a proxy and is held in the middle of a phase."""

    phase: str
    on: Deployment
    proxy: Proxy
    run: str = ""
    held: Path = Path()

    def begin(self) -> None:
        for number in range(RECORDS):
            self.on.task.put("notion", Name=f"page {number}", Done=False)
            self.on.task.put("other", summary=f"row {number}", done=True)
        self.held = self.on.task.hold(WORDS[self.phase])
        self.on.worker()
        self.run = self.on.enqueue()
        self.on.wait_for(WORDS[self.phase])

    def expect_right(self, *, fails: bool) -> str:
        """How the run ended; it `fails` only where that is said. The next is right, the third is quiet."""
        report = self.on.report(self.run, 150)
        assert report["outcome"] != "failed" or (fails and "is full" in report["reason"]), report
        follows = self.on.enqueue(wait=120)
        assert follows["outcome"] == "done", (follows, self.on.logs())
        assert self.on.task.shown("notion") == self.on.task.shown("other") == EXPECTED
        before = self.on.task.log()
        assert self.on.enqueue(wait=60)["planned"] == 0
        assert {word for _, word in self.on.task.log()[len(before) :]} == READS
        assert [process.poll() for process in self.on.processes] == [None], self.on.logs()
        return f"in {self.phase} the run ended as {report['outcome']}"


EXPECTED = sorted(
    [(f"page {n}", False) for n in range(RECORDS)] + [(f"row {n}", True) for n in range(RECORDS)]
)
READS = {"list-notion", "list-other", "decide"}


@contextmanager
def three_places(folder: Path) -> Iterator[list[Place]]:
    with ExitStack() as stack:
        places = []
        for phase in WORDS:
            (folder / phase).mkdir()
            on = stack.enter_context(deployed(folder / phase, kind=PhasedTask))
            proxy = stack.enter_context(Proxy(("127.0.0.1", on.redis.port)))
            on.environment["SYNC_WORKERS_REDIS_URL"] = f"redis://127.0.0.1:{proxy.port}/0"
            places.append(Place(phase, on, proxy))
            places[-1].begin()
        yield places


def crash(place: Place) -> None:
    place.on.redis.kill()


def restart(place: Place) -> None:
    place.on.redis.restart()


def refuse(place: Place) -> None:
    place.proxy.refuse()


def listen(place: Place) -> None:
    place.proxy.listen()


def drop_packets(place: Place) -> None:
    place.proxy.stall()


def let_packets_through(place: Place) -> None:
    place.proxy.flow()


def slow_down(place: Place) -> None:
    place.proxy.fail(Kind.DELAY, seconds=0.1, times=1_000_000)


def speed_up(place: Place) -> None:
    place.proxy.heal()


def fill(place: Place) -> None:
    place.on.client.ask("CONFIG SET", "maxmemory", "1")


def relieve(place: Place) -> None:
    place.on.client.ask("CONFIG SET", "maxmemory", "0")


def lose_all_keys(place: Place) -> None:
    place.on.client.ask("FLUSHALL")


def nothing(_place: Place) -> None:
    """It is over at once."""


Doing = Callable[[Place], None]

OUTAGES: dict[str, tuple[Doing, Doing, timedelta]] = {
    "killed and restarted": (crash, restart, timedelta(0)),
    "refusing connections for 30 s": (refuse, listen, timedelta(seconds=30)),
    "unreachable for 20 s, packets dropped": (drop_packets, let_packets_through, timedelta(seconds=20)),
    "answering slowly for 10 s": (slow_down, speed_up, timedelta(seconds=10)),
    "full for 10 s": (fill, relieve, timedelta(seconds=10)),
    "without its keys": (lose_all_keys, nothing, timedelta(0)),
}


@pytest.mark.parametrize("name", OUTAGES)
def test_after_an_outage_the_next_run_is_right(name: str, tmp_path: Path) -> None:
    begin, end, lasts = OUTAGES[name]
    with three_places(tmp_path) as places:
        for place in places:
            begin(place)
            place.held.unlink()
        time.sleep(lasts.total_seconds())  # the outage itself
        for place in places:
            end(place)
        print(f"Redis {name}: " + "; ".join(place.expect_right(fails=end is relieve) for place in places))


def test_workers_and_beat_go_on_after_all_keys_were_lost_between_two_runs(tmp_path: Path) -> None:
    with deployed(tmp_path, ".run_every(seconds=1)", PhasedTask) as on:
        # Given: workers and beat that have sent messages before, and two sides that agree.
        for number in range(RECORDS):
            on.task.put("notion", Name=f"page {number}", Done=False)
        on.worker()
        on.beat()
        wait_until(lambda: on.runs.counters().get("done", 0) >= 3, on.logs, 60)
        # When: Redis loses everything, and a person goes on.
        on.client.ask("FLUSHALL")
        on.task.put("other", summary="row", done=True)
        # Then: runs go on in the same processes, and each record is there once.
        wait_until(lambda: on.runs.counters().get("done", 0) >= 3, on.logs, 60)
        expected = sorted([*((f"page {number}", False) for number in range(RECORDS)), ("row", True)])
        assert on.task.shown("notion") == on.task.shown("other") == expected
        assert [process.poll() for process in on.processes] == [None, None]


@pytest.mark.parametrize("phase", ["get", "diff"])
def test_a_broker_that_is_full_costs_no_run_its_next_phase(phase: str, tmp_path: Path) -> None:
    with EmbeddedRedis() as broker, deployed(tmp_path, kind=PhasedTask) as on:
        # Given: a run in the middle of a phase; its messages go another way than its state.
        on.environment["SYNC_WORKERS_BROKER_URL"] = broker.url
        on.task.put("notion", Name="page", Done=False)
        held = on.task.hold(WORDS[phase])
        on.worker()
        run = on.enqueue()
        on.wait_for(WORDS[phase])
        # When: nothing can be sent for a while.
        with closing(connect(broker.url)) as client:
            client.ask("CONFIG SET", "maxmemory", "1")
            held.unlink()
            wait_until(lambda: "errorstat_OOM" in client.ask("INFO", "errorstats"), "it was tried")
            client.ask("CONFIG SET", "maxmemory", "0")
        # Then: the run goes on.
        assert on.report(run)["outcome"] == "done"
        assert on.task.shown("notion") == on.task.shown("other") == [("page", False)]
