"""`RunsStore`: what the runs of a task hand on between their phases, and how they ended."""

from __future__ import annotations

import json
import math
import secrets
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sync_workers.errors import LaterError, LeaseLostError, StateError
from sync_workers.model import ID, NOTHING, Side
from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import BLOBS, owner
from sync_workers.redis.looks import Looks

BLOB_KEPT = timedelta(days=1)
"""How long the snapshot of a run that died lies around; a run that ends removes its own."""

_HOPS = 50
"""A run is joined to the one that follows; this many in a row only happens when every one of them died."""


def new_run_id() -> ID:
    """A fresh id of a run."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class LeaseInfo:
    """Who has the lease of a task now, for people.

    Attributes:
        moved: when the run got on last: it began, ended a phase or slice, or made calls.
        ends_in: when it ends by itself, unless it is renewed.
    """

    run: ID
    fence: int
    trigger: str
    begun: datetime | None
    moved: datetime | None
    ends_in: timedelta


class RunsStore:
    """The runs of one task."""

    def __init__(self, client: Client, task: str) -> None:
        self._client = client
        self._keys = Keys(task)

    def put(self, run: ID, fence: int, name: str, body: bytes) -> None:
        """Hand something large on to the run's next phase; `name` is one of `BLOBS`.

        Raises:
            LeaseLostError: another attempt or run owns the task now; nothing was stored.
        """
        if name not in BLOBS:
            raise ValueError(f"{name} is none of {', '.join(BLOBS)}")
        self._put(run, fence, self._keys.blob(run, name), body, str(_milliseconds(BLOB_KEPT)))

    def get(self, run: ID, name: str) -> bytes | None:
        """What an earlier phase handed on; None when there is nothing (any more)."""
        return self._get(self._keys.blob(run, name))

    def has(self, run: ID, name: str) -> bool:
        """Whether an earlier phase handed it on."""
        return bool(self._client.ask("EXISTS", self._keys.blob(run, name)))

    def add_part(self, run: ID, fence: int, place: int, body: bytes) -> None:
        """Keep one more part of what a run lists, the how manieth it is; raises as `put`."""
        args = (owner(run, fence), place, zlib.compress(body, level=1), _milliseconds(BLOB_KEPT))
        if not self._client.run(scripts.PART, (self._keys.lease, self._keys.parts(run)), args):
            raise self._lost(run)

    def parts(self, run: ID) -> list[bytes]:
        """The parts that a run has listed so far."""
        key = self._keys.parts(run)
        return [body for packed in self._client.ask("LRANGE", key, 0, -1) if (body := unpacked(key, packed))]

    def drop_parts(self, run: ID) -> None:
        """They are worthless."""
        self._client.ask("DEL", self._keys.parts(run))

    def put_mirror(
        self,
        run: ID,
        fence: int,
        side: Side,
        body: bytes | None,
        seen: Collection[ID] = (),
        looks: Mapping[ID, str] = NOTHING,
    ) -> None:
        """Keep a side's listing with its cursor for the next run; raises as `put`.

        What was seen of single records and the looks that it has taken in go in the same step. None leaves
        the listing that is kept.
        """
        keys, packed = self._keys, b"" if body is None else zlib.compress(body, level=1)
        words = [part for look in looks.items() for part in look]
        names = (keys.lease, keys.mirror(side), keys.shown(side), keys.looks(side))
        if not self._client.run(scripts.MIRROR, names, (owner(run, fence), packed, len(seen), *seen, *words)):
            raise self._lost(run)

    def beside(self, side: Side) -> tuple[Mapping[ID, bytes], Mapping[ID, str], bool, bool]:
        """What is known of single records of a side: seen, and looks.

        Also whether a create on that side is looked for, and whether there is no state.
        """
        keys, ask = self._keys, self._client.ask
        seen = {i.decode(): body for i, body in ask("HGETALL", keys.shown(side)).items()}
        looks = Looks(self._client, keys.task).waiting(side)
        begun = [name for name in ask("HKEYS", keys.part("pending")) if name.startswith(f"{side}:".encode())]
        return seen, looks, bool(begun), not ask("EXISTS", keys.meta)

    def mirror(self, side: Side) -> bytes | None:
        """What `put_mirror` kept; None makes the next run read the side as a whole."""
        return self._get(self._keys.mirror(side))

    def drop_mirrors(self) -> None:
        """Forget both listings, and what was seen of single records since."""
        keys = self._keys
        self._client.ask("DEL", *map(keys.mirror, Side), *map(keys.shown, Side))

    def rest(self, wait: timedelta) -> None:
        """Leave the task's services alone for so long; an earlier request for longer stands."""
        if wait > self.resting():
            self._client.ask("SET", self._keys.rest, "1", "PX", int(wait.total_seconds() * 1000))

    def resting(self) -> timedelta:
        """How long the task's services still want to be left alone; nothing when they do not."""
        left: int = self._client.ask("PTTL", self._keys.rest)
        return timedelta(milliseconds=max(left, 0))

    def expect_rested(self) -> None:
        """Make sure that no service wants to be left alone.

        Raises:
            LaterError: one does; a wait that was asked for is never cut short.
        """
        left = self.resting()
        if left:
            seconds = math.ceil(left.total_seconds())
            raise LaterError(
                f"task {self._keys.task}: a service asked to be left alone for another {seconds} s", wait=left
            )

    def report(self, run: ID) -> dict[str, Any] | None:
        """The summary of a run that ended, or of the one that did its work instead; None until then."""
        for _ in range(_HOPS):
            body = self._client.ask("HGET", self._keys.reports, run)
            if body is not None:
                found: dict[str, Any] = json.loads(body)
                return found
            joined = self._client.ask("HGET", self._keys.joined, run)
            if joined is None:
                return None
            run = joined.decode()
        return None

    def turn_away(self, run: ID, report: Mapping[str, Any]) -> None:
        """Store how a run ended that met a pause and never began; twice is fine."""
        keys = self._keys
        names = (keys.reports, keys.runs, keys.following, keys.counters)
        self._client.run(scripts.TURN_AWAY, names, (run, json.dumps(report)))

    def recent(self, number: int = 10) -> list[dict[str, Any]]:
        """The summaries of the last runs that ended, the newest first."""
        ids = self._client.ask("ZREVRANGE", self._keys.runs, 0, -1)
        if not ids:
            return []
        bodies = self._client.ask("HMGET", self._keys.reports, *ids)
        return [json.loads(body) for body in bodies if body is not None][:number]

    def counters(self) -> dict[str, int]:
        """How many ticks were `dropped`, scheduled runs begun, and runs ended by outcome.

        `paused` counts what a pause kept from running: ticks, requests, and runs that it ended.
        """
        counted = self._client.ask("HGETALL", self._keys.counters)
        return {name.decode(): int(number) for name, number in counted.items()}

    def following(self) -> ID | None:
        """The run that was asked for while another worked and has not begun yet."""
        run = self._client.ask("HGET", self._keys.following, "run")
        return run.decode() if run is not None else None

    def lease(self) -> LeaseInfo | None:
        """Who has the lease now; None when nobody has it."""
        body = self._client.ask("GET", self._keys.lease)
        left = self._client.ask("PTTL", self._keys.lease)
        if body is None or left < 0:
            return None
        run, _, fence = body.decode().rpartition(":")
        current = self._client.ask("HGETALL", self._keys.current)
        begun = _moment(current.get(b"begun"))
        return LeaseInfo(
            run=run,
            fence=int(fence),
            trigger=current.get(b"trigger", b"").decode(),
            begun=begun,
            moved=_moment(current.get(b"moved")) or begun,
            ends_in=timedelta(milliseconds=left),
        )

    def note_setup(self, setup: str) -> None:
        """What the run that has the lease began with."""
        self._client.ask("HSET", self._keys.current, "setup", setup)

    def setup(self) -> str | None:
        """What `note_setup` noted; None where nobody did."""
        noted = self._client.ask("HGET", self._keys.current, "setup")
        return None if noted is None else noted.decode()

    def note_progress(self) -> None:
        """The run that has the lease got on."""
        seconds, microseconds = self._client.ask("TIME")
        moved = int(seconds) * 1000 + int(microseconds) // 1000
        self._client.ask("HSET", self._keys.current, "moved", moved)

    def _put(self, run: ID, fence: int, key: str, body: bytes, ttl: str) -> None:
        packed = zlib.compress(body, level=1)  # the fastest level takes most of what JSON has to give
        if not self._client.run(scripts.PUT, (self._keys.lease, key), (owner(run, fence), packed, ttl)):
            raise self._lost(run)

    def _lost(self, run: ID) -> LeaseLostError:
        return LeaseLostError(
            f"task {self._keys.task}: run {run} does not have the lease any more and stored nothing; "
            "the next run goes on from what is stored"
        )

    def _get(self, key: str) -> bytes | None:
        return unpacked(key, self._client.ask("GET", key))


def _moment(milliseconds: bytes | None) -> datetime | None:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC) if milliseconds else None


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)


def unpacked(key: str, packed: bytes | None) -> bytes | None:
    """What was compressed under a key.

    Raises:
        StateError: it is damaged.
    """
    try:
        return zlib.decompress(packed) if packed is not None else None
    except zlib.error as error:
        raise StateError(f"the key {key} in Redis is damaged: delete it and run the task again") from error
