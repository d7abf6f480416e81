"""`RedisBudget`: one budget for all workers, counted in Redis by Redis' own clock.

Each question is one run of one Lua script, so that turns are handed out one by one whoever asks. What a
worker that dies holds, a place in the window or the right to write somewhere, ends by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sync_workers import tracing
from sync_workers.errors import StateError
from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import BudgetKeys
from sync_workers.report import Trigger
from sync_workers.services.budget import (
    AS_NOTION,
    GROUP,
    LOCAL_PATIENCE,
    WANTED,
    Account,
    Answer,
    Clock,
    Times,
    Waiting,
    Why,
    undisturbed,
)


class RedisBudget(Waiting):
    """A `sync_workers.services.budget.Budget` that all processes on one Redis share.

    Args:
        task: who asks; a task has one turn at a time.
        trigger: why its run was started.
    """

    def __init__(
        self,
        client: Client,
        task: str,
        trigger: Trigger,
        *,
        patience: timedelta = LOCAL_PATIENCE,
        heed: Callable[[], None] = undisturbed,
        times: Times = AS_NOTION,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(patience, heed, clock)
        self._client = client
        self._task = task
        self._urgent = trigger.is_urgent
        self._times = times

    @contextmanager
    def call(self, account: Account, writes_to: str = "") -> Iterator[None]:
        begun = time.monotonic()
        with tracing.call(account.name.partition(":")[0]), super().call(account, writes_to):
            tracing.turn_came(time.monotonic() - begun)
            yield

    def _ask(self, account: Account, turn: str, writes_to: str, *, knows_group: bool) -> Answer:
        keys, times = BudgetKeys(account.name), self._times
        knows = knows_group or account.find_group is None
        said, *rest = self._client.run(
            scripts.TURN,
            (keys.used, keys.queue, keys.due, keys.numbers, keys.pauses, keys.groups, keys.writes),
            (
                account.name, account.limit, _milliseconds(times.kept), _milliseconds(times.longest_call),
                turn, self._task, int(self._urgent), writes_to, _milliseconds(times.write_lease),
                _milliseconds(times.grace), int(knows),
            ),
        )  # fmt: skip
        if said == b"wait":
            return Answer(timedelta(milliseconds=int(rest[0])), Why(rest[1].decode()))
        return Answer(group_wanted=said == b"group")

    def _leave(self, account: Account, turn: str) -> None:
        """It keeps its place in the queue, and comes back for it."""

    def _done(self, account: Account, turn: str, writes_to: str) -> None:
        keys, times = BudgetKeys(account.name), self._times
        with suppress(StateError):  # the place in the window then lasts longer, and nothing else
            self._client.run(
                scripts.TURN_OVER,
                (keys.used, keys.writes, keys.calls),
                (turn, _milliseconds(times.kept), _milliseconds(times.longest_call), writes_to, account.name),
            )

    def _note_pause(self, scope: str, wait: timedelta) -> None:
        self._client.run(scripts.REST, (BudgetKeys("").pauses,), (scope, _milliseconds(wait)))

    def _group(self, account: Account) -> str | None:
        known = self._client.ask("HGET", BudgetKeys("").groups, account.name)
        return None if known is None or known.decode() == WANTED else known.decode()

    def _note_group(self, account: Account, group: str) -> None:
        self._client.ask("HSET", BudgetKeys("").groups, account.name, group)


@dataclass(frozen=True, slots=True)
class Usage:
    """How it stands with an account.

    Attributes:
        calls: made in the last minute, or under way.
        waiting: how many tasks wait for their turn.
        ever: calls that were ever made, as long as Redis keeps its data.
        paused_until: while nobody makes calls of it.
        is_group_paused: the pause is that of its whole group.
    """

    calls: int
    waiting: int
    ever: int = 0
    paused_until: datetime | None = None
    is_group_paused: bool = False


def usage(client: Client, account: Account) -> Usage:
    """How it stands with an account now; raises StateError where Redis does not answer."""
    keys = BudgetKeys(account.name)
    seconds, microseconds = client.ask("TIME")
    now = int(seconds) * 1000 + int(microseconds) // 1000
    group = client.ask("HGET", keys.groups, account.name) or WANTED.encode()
    scopes = (account.name, GROUP + group.decode())
    own, of_group = (int(until or 0) for until in client.ask("HMGET", keys.pauses, *scopes))
    until = max(own, of_group)
    return Usage(
        client.ask("ZCOUNT", keys.used, f"({now}", "+inf"),
        client.ask("ZCARD", keys.queue),
        int(client.ask("HGET", keys.calls, account.name) or 0),
        datetime.fromtimestamp(until / 1000, UTC) if until > now else None,
        of_group > own,
    )


def _milliseconds(duration: timedelta) -> int:
    return round(duration / timedelta(milliseconds=1))
