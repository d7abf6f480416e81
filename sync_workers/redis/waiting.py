"""`Waiting`: what webhook events want of a task, until nothing more was heard of it for a while.

    waiting   sorted set of what is wanted, by when it is due
    since     hash of what is wanted: when its first event came, or who claimed it
    events    sorted set of the ids of events that were heard, by when
    asked     the run that was asked for last, with an expiry

Receipt, claim and settling are one script each: a receiver that is killed anywhere loses nothing, and of
several receivers one starts the run.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Self

from sync_workers.model import ID, Pair, Side
from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys

EVENTS_KEPT = timedelta(hours=25)
"""Notion sends an event up to 8 times within about a day."""

MOST = 5000
"""How much is claimed at once."""

HOLD = timedelta(seconds=30)
"""After this what was claimed comes up again: longer than it takes to ask for a run."""

ASKED = timedelta(seconds=60)
"""How long a run that was asked for and has not begun stands for those that would follow it. Its message may
be lost; then another run is asked for after this."""

RUN, FULL = "run", "full"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What events want of a task.

    Attributes:
        looks: the records to look at, by side.
        run: a whole run, since something about the container changed.
        full: one that compares everything anew.
    """

    looks: Pair[tuple[ID, ...]] = Pair((), ())
    run: bool = False
    full: bool = False

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        """From the names under which it waits."""
        found = sorted(names)
        looks = Pair.each(
            lambda side: tuple(
                name.removeprefix(f"{side.value}:") for name in found if name.startswith(f"{side.value}:")
            )
        )
        return cls(looks, RUN in found, FULL in found)

    def names(self) -> list[str]:
        """The names under which it waits."""
        looks = [f"{side.value}:{record_id}" for side in Side for record_id in self.looks[side]]
        return looks + [name for name, is_wanted in ((RUN, self.run), (FULL, self.full)) if is_wanted]

    @property
    def records(self) -> int:
        return sum(len(self.looks[side]) for side in Side)


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of an event.

    Attributes:
        new: whether it came for the first time.
        joined: whether all that it wants was waiting already.
        next_in: when the first of all that waits is due.
    """

    new: bool
    joined: bool
    next_in: timedelta | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """What is due, for whoever claimed it.

    Attributes:
        next_in: when the next is due.
    """

    wanted: Wanted
    next_in: timedelta | None
    names: tuple[str, ...] = ()
    by: str = field(default_factory=lambda: secrets.token_hex(8))


class Waiting:
    """What waits for one task; every method raises StateError when Redis does not answer or refuses."""

    def __init__(self, client: Client, task: str) -> None:
        self._client = client
        self._keys = Keys(task)

    def hear(self, event: ID, wanted: Wanted, quiet: timedelta, longest: timedelta) -> Heard:
        """An event wants something; one that was heard before changes nothing.

        It is due when nothing more was heard of it for `quiet`, or when its first event is `longest` ago.
        """
        names = wanted.names()
        new, next_in, joined = self._client.run(
            scripts.AWAIT,
            (self._waiting, self._since, self._keys.webhook("events")),
            (event, _milliseconds(quiet), _milliseconds(longest), _milliseconds(EVENTS_KEPT), *names),
        )
        return Heard(bool(new), joined == len(names), _later(next_in))

    def claim(self, hold: timedelta = HOLD) -> Claimed:
        """Claim what is due; nobody else gets it unless it is not settled within `hold`."""
        by = secrets.token_hex(8)
        next_in, *found = self._client.run(
            scripts.CLAIM, (self._waiting, self._since), (by, _milliseconds(hold), MOST)
        )
        names = tuple(name.decode() for name in found)
        return Claimed(Wanted.of(names), _later(next_in), names, by)

    def settle(self, claimed: Claimed, *, but: Iterable[str] = ()) -> None:
        """What was claimed is in good hands; what was wanted again meanwhile stays, and so does `but`."""
        names = [name for name in claimed.names if name not in but]
        if names:
            self._client.run(scripts.SETTLE, (self._waiting, self._since), (claimed.by, *names))

    def ask(self, run: ID) -> None:
        """Note the run that was asked for."""
        self._client.ask("SET", self._keys.webhook("asked"), run, "PX", _milliseconds(ASKED))

    def is_asked(self) -> bool:
        """Whether a run was asked for that has not begun, and so will use all looks that are there now."""
        run = self._client.ask("GET", self._keys.webhook("asked"))
        return run is not None and self._client.ask("ZSCORE", self._keys.runs, run) is None

    def is_linked(self, notion_id: ID) -> bool:
        """Whether the task has a link of that Notion record."""
        return bool(self._client.ask("HEXISTS", self._keys.part("links"), notion_id))

    @property
    def _waiting(self) -> str:
        return self._keys.webhook("waiting")

    @property
    def _since(self) -> str:
        return self._keys.webhook("since")


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)


def _later(milliseconds: int) -> timedelta | None:
    return None if milliseconds < 0 else timedelta(milliseconds=milliseconds)
