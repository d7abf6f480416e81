"""`LocalBudget`: the calls of this process alone, for where there is no Redis."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

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

ASK_AGAIN = 0.05
"""Seconds until a write asks again whether the one before it has ended."""


@dataclass(slots=True)
class Ledger:
    """What the budgets of one process share.

    Attributes:
        used: per account and turn when its place in the window is free again.
        waiting: per account who waits, the first one first.
        pauses: per account or group until when.
        groups: per account its group.
        writes: per place the turn that writes there, and until when at most.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    used: dict[str, dict[str, float]] = field(default_factory=dict)
    waiting: dict[str, list[str]] = field(default_factory=dict)
    pauses: dict[str, float] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    writes: dict[str, tuple[str, float]] = field(default_factory=dict)


class LocalBudget(Waiting):
    """A `sync_workers.services.budget.Budget` of this process.

    Budgets that share a `ledger` share their calls; each is used by one thread.
    """

    def __init__(
        self,
        ledger: Ledger | None = None,
        *,
        times: Times = AS_NOTION,
        patience: timedelta = LOCAL_PATIENCE,
        heed: Callable[[], None] = undisturbed,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(patience, heed, clock)
        self._ledger = ledger or Ledger()
        self._times = times
        self._kept = times.kept.total_seconds()

    def _ask(self, account: Account, turn: str, writes_to: str, *, knows_group: bool) -> Answer:
        with self._ledger.lock:
            now = self._clock.now()
            if not knows_group and self._is_group_wanted(account, now):
                return Answer(group_wanted=True)
            rest = self._rest(account, now)
            if rest > 0:
                return Answer(timedelta(seconds=rest), Why.PAUSE)
            wait = self._wait(account, turn, now)
            if wait > 0:
                return Answer(timedelta(seconds=wait), Why.LIMIT)
            _, until = self._ledger.writes.get(writes_to, ("", 0.0))
            if writes_to and until > now:
                return Answer(timedelta(seconds=min(ASK_AGAIN, until - now)), Why.WRITE)
            self._take(account, turn, writes_to, now)
            return Answer()

    def _take(self, account: Account, turn: str, writes_to: str, now: float) -> None:
        self._ledger.waiting[account.name].remove(turn)
        self._ledger.used[account.name][turn] = now + self._times.longest_call.total_seconds() + self._kept
        if writes_to:
            self._ledger.writes[writes_to] = (turn, now + self._times.write_lease.total_seconds())

    def _wait(self, account: Account, turn: str, now: float) -> float:
        """Seconds until a place in the window is free for this turn."""
        used = self._ledger.used.setdefault(account.name, {})
        for old in [one for one, free in used.items() if free <= now]:
            del used[old]
        waiting = self._ledger.waiting.setdefault(account.name, [])
        if turn not in waiting:
            waiting.append(turn)
        ahead = waiting.index(turn) - (account.limit - len(used))
        if ahead < 0:
            return 0.0
        free = sorted(min(free, now + self._kept) for free in used.values())
        return free[min(ahead, len(free) - 1)] - now

    def _rest(self, account: Account, now: float) -> float:
        scopes = (account.name, GROUP + self._ledger.groups.get(account.name, WANTED))
        return max(self._ledger.pauses.get(scope, now) for scope in scopes) - now

    def _is_group_wanted(self, account: Account, now: float) -> bool:
        if account.find_group is None:
            return False
        known = self._ledger.groups.get(account.name)
        paused = (s for s, until in self._ledger.pauses.items() if until > now and s.startswith(GROUP))
        return known == WANTED or (known is None and any(paused))

    def _leave(self, account: Account, turn: str) -> None:
        with self._ledger.lock:
            waiting = self._ledger.waiting.get(account.name, [])
            if turn in waiting:
                waiting.remove(turn)

    def _done(self, account: Account, turn: str, writes_to: str) -> None:
        with self._ledger.lock:
            self._ledger.used[account.name][turn] = self._clock.now() + self._kept
            if self._ledger.writes.get(writes_to, ("", 0.0))[0] == turn:
                del self._ledger.writes[writes_to]

    def _note_pause(self, scope: str, wait: timedelta) -> None:
        with self._ledger.lock:
            until = self._clock.now() + wait.total_seconds()
            self._ledger.pauses[scope] = max(until, self._ledger.pauses.get(scope, until))

    def _group(self, account: Account) -> str | None:
        with self._ledger.lock:
            known = self._ledger.groups.get(account.name)
            return None if known == WANTED else known

    def _note_group(self, account: Account, group: str) -> None:
        with self._ledger.lock:
            self._ledger.groups[account.name] = group
