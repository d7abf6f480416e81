"""`Lease`: the right to run a task now, taken by one attempt of one phase of one run.

    beat or enqueue ─> take ─> Taken ─────> work, renewed in a thread ─> leave ─> next phase takes again
                        │                                            └─> end ─> the following run, if any
                        ├─> Held        another run works: drop the tick, keep the request as following run
                        ├─> Paused      a person or a service's failure wants the task left alone
                        ├─> Superseded  this run is over, or another one has begun since: stop
                        └─> Finished    the task has run as often as it should

The owner is the run and the number of its attempt (the fence). Each attempt gets a higher number, and every
write to the state names it: an attempt that wakes up late finds its number outdated and is refused. All
times are Redis' own; a worker's clock only says when to ask again.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from sync_workers.errors import LeaseLostError, StateError
from sync_workers.model import ID, NOTHING
from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.pauses import By, Pause, pause_of_connections
from sync_workers.redis.taking import (
    FULL,
    LOOKS,
    Finished,
    Following,
    Held,
    Paused,
    Superseded,
    Taken,
    Taking,
    reach,
)
from sync_workers.report import SUCCESSES, Trigger
from sync_workers.runs.history import Kept
from sync_workers.settings import load_settings

__all__ = [
    "BLOBS",
    "KEPT_RUNS",
    "Finished",
    "Following",
    "Held",
    "Lease",
    "Paused",
    "Superseded",
    "Taken",
    "Taking",
    "owner",
]

KEPT_RUNS = 200
"""How many runs of a task are remembered: more than a task of one run a second makes until a message
whose worker died is delivered again, by which it is known that such a run is over."""


def owner(run: ID, fence: int) -> str:
    """How the lease names who has it."""
    return f"{run}:{fence}"


class Lease:
    """The lease of one task as one attempt sees it; a context manager that renews it meanwhile.

    Attributes:
        connections: the names of the connections that the task uses.
        fence: the attempt's number; 0 before `take`.
        lost: whether a renewal found that the lease has gone.
        pause: the pause that stood when it was taken; see `Taken.pause`.
        began_pause: whether the end of the run paused the task.

    Args:
        working: how long the lease lasts without being renewed while a phase works; default: the setting.
        between: how long it lasts while the run waits in the queue; default: what the settings make of it.
    """

    def __init__(
        self,
        client: Client,
        task: str,
        run: ID,
        *,
        connections: Sequence[str] = (),
        working: timedelta | None = None,
        between: timedelta | None = None,
        kept: Kept = Kept(),
    ) -> None:
        self.client = client
        self.keys = Keys(task)
        self.run = run
        self.connections = connections
        self.fence = 0
        self.lost = False
        self.pause: Pause | None = None
        self.began_pause = False
        if working is None or between is None:
            settings = load_settings()
            working, between = working or settings.lease, between or settings.queued
        self._working = working
        self._between = between
        self._kept = kept
        self._kept_at = time.monotonic()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def take(
        self,
        trigger: Trigger,
        *,
        first: bool,
        full: bool = False,
        looks: bool = False,
        total: int | None = None,
        asked: bool | None = None,
    ) -> Taking:
        """Take the lease for one attempt; raises StateError when Redis does not answer or refuses.

        The run's `first` phase begins it; a later one only goes on with one that has. `full` and `looks`
        as in `reach`; of several requests the widest counts. `total` is how often the schedule runs the task;
        other runs do not count. `asked`: a person wants this run, where the trigger does not tell.
        """
        keys, stopped = self.keys, pause_of_connections(self.client, self.connections)
        asked = trigger in _ASKED if asked is None else asked
        asked_at, wanted = time.monotonic(), reach(full=full, looks=looks)
        said, *rest = self.client.run(
            scripts.BEGIN,
            (keys.lease, keys.fence, keys.current, keys.following, *keys.of_runs(), keys.totals),
            (
                self.run, trigger.value, int(first), wanted, _milliseconds(self._working),
                "" if total is None or trigger is not Trigger.BEAT else total, _WHEN_HELD[trigger], KEPT_RUNS,
                int(asked), int(stopped is not None),
            ),
        )  # fmt: skip
        if said == b"held":
            return Held(rest[0].decode(), rest[1].decode() or None)
        if said not in {b"taken", b"paused"}:
            return Finished() if said == b"finished" else Superseded()
        own = Pause.read(*rest[-3:])
        self.pause = own if own is not None and own.by is By.PERSON else stopped or own
        if said == b"paused" and self.pause is not None:
            return Paused(self.pause)
        self.fence, self.lost, self._kept_at = int(rest[0]), False, asked_at
        return Taken(self.fence, rest[1] == FULL, self.pause, rest[1] == LOOKS)

    def check(self) -> None:
        """Ask, without a call, whether the lease is still ours as far as this process knows.

        A process that was stopped or cut off for longer than the lease lasts knows by its own clock alone
        that another run may work by now.

        Raises:
            LeaseLostError: it has gone; nothing more may be written.
        """
        if self.lost or time.monotonic() - self._kept_at > self._working.total_seconds():
            raise self._gone()

    def renew(self) -> None:
        """Keep the lease for another while.

        Raises:
            LeaseLostError: it has gone.
        """
        self._keep(self._working)

    def leave(self) -> None:
        """Keep the lease for the run's next phase while that waits in the queue; ends the renewing.

        Raises:
            LeaseLostError: it has gone.
        """
        self._stop()
        self._keep(self._between)

    def end(
        self,
        report: Mapping[str, Any],
        *,
        blocked: str = "",
        works: bool = False,
        totals: Mapping[str, float] = NOTHING,
    ) -> Following | None:
        """End the run: store its report and free the lease; gives the run that follows, if one was asked for.

        Ending a run twice is fine. `report` is a `Report.summary()`. `blocked` says why the task is paused
        from now on; a run that showed that it `works` ends such a pause. `totals` is a `Report.totals()`.

        Raises:
            LeaseLostError: it has gone; nothing was stored.
        """
        self._stop()
        keys = self.keys
        said, *rest = self.client.run(
            scripts.END,
            (
                keys.lease, keys.current, keys.following, keys.reports, keys.counters, keys.history,
                keys.paused, keys.totals, keys.journal(self.run), keys.parts(self.run),
                *(keys.blob(self.run, name) for name in BLOBS),
            ),
            (
                owner(self.run, self.fence), self.run, json.dumps(report), str(report["outcome"]),
                _milliseconds(self._kept.age), blocked.encode(errors="replace"), int(works),
                int(report["outcome"] in SUCCESSES),
                *(part for name, number in totals.items() for part in (name, repr(number))),
            ),
        )  # fmt: skip
        if said == b"lost":
            raise self._gone()
        run, full, began, trigger = rest
        self.began_pause = began == b"1"
        if not run:
            return None
        return Following(run.decode(), full == FULL, full == LOOKS, Trigger(trigger.decode()))

    def is_free_for_run(self) -> bool:
        """Whether nobody has the lease and this run is still the last that began: it may try again."""
        current = self.client.ask("HGET", self.keys.current, "run")
        return bool(current == self.run.encode() and self.client.ask("GET", self.keys.lease) is None)

    def begin_again(self, anew: ID) -> bool:
        """Whether Redis lost all its keys under this attempt; the run `anew` then answers for this one.

        It has an id of its own: the numbers of attempts begin anew as well, and an attempt of this run that
        is still stopped somewhere must not find its own number in use.
        """
        keys = self.keys
        if int(self.client.ask("GET", keys.fence) or 0) >= self.fence:
            return False
        self.client.ask("HSET", keys.joined, self.run, anew)
        seconds, microseconds = self.client.ask("TIME")
        self.client.ask("ZADD", keys.runs, "NX", int(seconds) * 1000 + int(microseconds) // 1000, self.run)
        return True

    def __enter__(self) -> Self:
        self._stopped.clear()
        self._thread = threading.Thread(
            target=self._renew_until_stopped, name=f"lease {self.run}", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _renew_until_stopped(self) -> None:
        while not self._stopped.wait(self._working.total_seconds() / 3):
            try:
                self.renew()
            except LeaseLostError:
                self.lost = True
                return
            except StateError:
                # Redis is away. Whether the lease outlives that is decided by Redis, not by this clock:
                # the next renewal tells, and no write gets past a Redis that is away.
                continue

    def _keep(self, ttl: timedelta) -> None:
        mine, asked_at = owner(self.run, self.fence), time.monotonic()
        if not self.client.run(scripts.RENEW, (self.keys.lease,), (mine, _milliseconds(ttl))):
            self.lost = True
            raise self._gone()
        self._kept_at = asked_at

    def _stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _gone(self) -> LeaseLostError:
        return LeaseLostError(
            f"task {self.keys.task}: run {self.run} does not have the lease any more; "
            "nothing is lost, the next run goes on from what is stored"
        )


BLOBS = ("snapshot", "plan", "slice")
"""What a run leaves lying between its phases besides the journal; removed at its end."""

_ASKED = {Trigger.AD_HOC, Trigger.LOCAL}
"""Triggers by which a person asks for a run."""

_FOLLOW = {Trigger.AD_HOC, Trigger.WEBHOOK, Trigger.RETRY}
_WHEN_HELD = {trigger: "follow" if trigger in _FOLLOW else "refuse" for trigger in Trigger}
_WHEN_HELD[Trigger.BEAT] = "drop"
"""What becomes of a run that meets another one; whoever is refused is told at once."""


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)
