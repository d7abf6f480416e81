"""`PlansStore`: the plans of a task that a guard refused, until a person approves or discards them.

What is told about them stands in one hash. Each plan has a key of its own, the only place with field values.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sync_workers.errors import LeaseLostError, StateError
from sync_workers.model import ID
from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.history import entries
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import Lease, owner
from sync_workers.redis.runs_store import unpacked
from sync_workers.report import Trigger
from sync_workers.runs.codec import from_bytes, to_bytes
from sync_workers.runs.refused import Refusal, RefusedPlan

KEPT = timedelta(days=30)
"""How long a plan is kept after it was refused last."""

MOST = 10
"""How many plans of a task are kept; the one that was refused longest ago goes first."""


class PlansStore:
    """The refused plans of one task."""

    def __init__(self, client: Client, task: str) -> None:
        self._client = client
        self._keys = Keys(task)

    def keep(
        self, lease: Lease, trigger: Trigger, refused: RefusedPlan, reasons: Sequence[str], at: datetime
    ) -> ID:
        """Keep a plan that the run with this lease was refused; the same plan again only moves on.

        Raises:
            LeaseLostError: another attempt or run owns the task now; nothing was kept.
        """
        name = refused.id(self._keys.task)
        known = self._told()
        before = known.get(name)
        times, first = (before.times, before.first) if before is not None else (0, at)
        # A phase that is delivered twice is one run.
        times += before is None or before.run != lease.run
        counts = refused.plan.counts()
        refusal = Refusal(name, tuple(reasons), counts, first, at, times, lease.run, trigger)
        others = sorted(
            (one for one in known.values() if one is not None and one.id != name), key=lambda one: one.last
        )
        too_many = [one.id for one in others[: max(len(others) - MOST + 1, 0)]]
        unreadable = [one for one, told in known.items() if told is None and one != name]
        self._put(lease, refusal, refused, [*too_many, *unreadable])
        return name

    def begin(self, lease: Lease, refusal: Refusal, refused: RefusedPlan) -> None:
        """Note that the run with this lease carries out a plan, and what of it.

        Raises:
            LeaseLostError: another attempt or run owns the task now; nothing was noted.
        """
        self._put(lease, replace(refusal, approved_by=lease.run), refused)

    def begun(self, refusal: Refusal) -> frozenset[int]:
        """The operations of a plan, by number, that an approval began before it was cut short.

        The journal has those that came to nothing, too, but a run that failed has taken it away.
        """
        run = refusal.approved_by
        if run is None:
            return frozenset()
        journal = map(int, self._client.ask("HKEYS", self._keys.journal(run)))
        return frozenset(journal) | {one.number for one in entries(self._client, self._keys.task, run)}

    def kept(self) -> list[Refusal]:
        """What is told about each plan that is kept, the one that was refused last first."""
        told = [one for one in self._told().values() if one is not None]
        return sorted(told, key=lambda one: one.last, reverse=True)

    def load(self, name: ID) -> RefusedPlan | None:
        """A plan that is kept; None when it is not (any more).

        Raises:
            StateError: it was written by another version.
        """
        key = self._keys.plan(name)
        body = unpacked(key, self._client.ask("GET", key))
        return from_bytes(body, RefusedPlan) if body is not None else None

    def discard(self, name: ID) -> None:
        """Forget a plan; forgetting an unknown one is fine."""
        self._client.ask("DEL", self._keys.plan(name))
        self._client.ask("HDEL", self._keys.plans, name)

    def _told(self) -> dict[ID, Refusal | None]:
        """What is told about each plan by name; None where the plan is gone or nobody can read it."""
        found = self._client.ask("HGETALL", self._keys.plans)
        return {name.decode(): self._read(name.decode(), body) for name, body in found.items()}

    def _read(self, name: ID, body: bytes) -> Refusal | None:
        if not self._client.ask("EXISTS", self._keys.plan(name)):
            return None
        try:
            return from_bytes(body, Refusal)
        except StateError:
            return None

    def _put(
        self, lease: Lease, refusal: Refusal, refused: RefusedPlan, forgotten: Iterable[ID] = ()
    ) -> None:
        keys, names = self._keys, list(forgotten)
        stored = self._client.run(
            scripts.KEEP,
            (keys.lease, keys.plans, keys.plan(refusal.id)),
            (
                owner(lease.run, lease.fence), refusal.id, to_bytes(refusal),
                zlib.compress(to_bytes(refused), level=1), int(KEPT.total_seconds() * 1000), *names,
            ),
        )  # fmt: skip
        if not stored:
            raise LeaseLostError(
                f"task {keys.task}: run {lease.run} does not have the lease any more and kept no plan; "
                "the next run decides anew"
            )
        if names:
            self._client.ask("DEL", *(keys.plan(name) for name in names))
