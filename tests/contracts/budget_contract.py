"""What every budget has to keep to, whoever shares it and wherever it is kept."""

from __future__ import annotations

import random
import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from sync_workers.errors import NotYetError
from sync_workers.services.budget import Account, Budget, Times

WINDOW = timedelta(seconds=0.5)
TIMES = Times(window=WINDOW, margin=timedelta(milliseconds=10), grace=timedelta(seconds=1))
HOUR = timedelta(hours=1)
NOT_AT_ALL = timedelta(0)


@dataclass
class StrictService:
    """Counts what arrives, as Notion does; the way to it and back takes its time."""

    limit: int
    window: float = WINDOW.total_seconds()
    arrived: list[tuple[float, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, who: str, jitter: random.Random) -> None:
        time.sleep(jitter.random() * 0.03)  # this plays a network
        with self.lock:
            self.arrived.append((time.monotonic(), who))
        time.sleep(jitter.random() * 0.03)

    def refused(self) -> int:
        """How many calls came too early."""
        times = sorted(moment for moment, _ in self.arrived)
        return sum(
            later - first < self.window for first, later in zip(times, times[self.limit :], strict=False)
        )


class Worlds:
    """Makes budgets that are shared, and accounts that nobody else uses."""

    numbers = count()

    @abstractmethod
    def budget(self, task: str, **how: Any) -> Budget: ...

    def account(self, limit: int = 3, find_group: Callable[[], str] | None = None) -> Account:
        return Account(f"test:{id(self)}-{next(self.numbers)}", limit, find_group)


def use(budget: Budget, account: Account, writes_to: str = "") -> None:
    with budget.call(account, writes_to):
        pass


def wait_of(budget: Budget, account: Account) -> timedelta:
    """How long a call is to wait; nothing when it was made."""
    try:
        use(budget, account)
    except NotYetError as error:
        return error.wait
    return timedelta(0)


class BudgetContract:
    @pytest.fixture
    def worlds(self) -> Worlds:
        raise NotImplementedError

    def test_a_burst_goes_at_once_and_the_next_call_is_told_how_long_it_waits(self, worlds: Worlds) -> None:
        account = worlds.account(3)
        one, another = (worlds.budget(name, patience=NOT_AT_ALL) for name in ("one", "another"))
        waits = [wait_of(budget, account) for budget in (one, another, one)]
        assert waits == [timedelta(0)] * 3
        assert timedelta(0) < wait_of(another, account) <= TIMES.kept

    def test_another_account_has_calls_of_its_own(self, worlds: Worlds) -> None:
        budget = worlds.budget("one", patience=NOT_AT_ALL)
        one, another = worlds.account(1), worlds.account(1)
        use(budget, one)
        use(budget, another)
        assert wait_of(budget, one)

    def test_no_window_ever_has_more_calls_however_long_they_take(self, worlds: Worlds) -> None:
        account, service = worlds.account(12), StrictService(12)

        def work(name: str) -> None:
            budget, jitter = worlds.budget(name, patience=HOUR), random.Random(name)
            for _ in range(12):
                with budget.call(account):
                    service.call(name, jitter)

        names = [f"task-{number}" for number in range(5)]
        with ThreadPoolExecutor(5) as pool:
            list(pool.map(work, names))
        assert service.refused() == 0
        assert len(service.arrived) == 60

    def test_a_large_task_does_not_starve_a_small_one(self, worlds: Worlds) -> None:
        account, order = worlds.account(2), list[str]()
        use(worlds.budget("first"), account)
        use(worlds.budget("first"), account)
        begun = threading.Barrier(2)

        def work(name: str, calls: int) -> None:
            budget = worlds.budget(name, patience=HOUR)
            begun.wait(10)
            for _ in range(calls):
                with budget.call(account):
                    order.append(name)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(work, ("large", "small"), (6, 2)))
        assert "small" in order[:3], order
        assert order[:5].count("small") == 2, order

    def test_a_pause_holds_for_everyone_and_no_later_one_shortens_it(self, worlds: Worlds) -> None:
        account = worlds.account()
        one, another = (worlds.budget(name, patience=NOT_AT_ALL) for name in ("one", "another"))
        one.pause(account, timedelta(seconds=50))
        another.pause(account, timedelta(seconds=1))
        left = wait_of(another, account)
        assert timedelta(seconds=30) < left <= timedelta(seconds=50)
        one.pause(account, timedelta(seconds=90))
        assert wait_of(another, account) > timedelta(seconds=60)
        assert not wait_of(one, worlds.account())

    def test_a_pause_ends(self, worlds: Worlds) -> None:
        account, budget = worlds.account(), worlds.budget("one", patience=HOUR)
        budget.pause(account, timedelta(seconds=0.1))
        use(budget, account)

    def test_a_pause_of_a_group_holds_for_its_other_accounts(self, worlds: Worlds) -> None:
        place = f"place-{next(worlds.numbers)}-{id(worlds)}"
        asked = list[str]()

        def finds(group: str) -> Callable[[], str]:
            def find() -> str:
                asked.append(group)
                return group

            return find

        mine, theirs = worlds.account(9, finds(place)), worlds.account(9, finds(place))
        elsewhere, alone = worlds.account(9, finds(f"not {place}")), worlds.account(9, finds(""))
        budget = worlds.budget("one", patience=NOT_AT_ALL)
        for account in (mine, theirs, elsewhere, alone):
            use(budget, account)
        assert asked == []  # nobody has to know
        budget.pause(mine, timedelta(seconds=50), group=True)
        another = worlds.budget("another", patience=NOT_AT_ALL)
        assert wait_of(another, theirs) > timedelta(seconds=30)
        assert wait_of(another, theirs) > timedelta(seconds=30)
        assert [wait_of(another, account) for account in (elsewhere, alone, elsewhere)] == [timedelta(0)] * 3
        assert sorted(asked) == sorted([place, place, f"not {place}", ""])  # each of them once

    def test_a_group_that_cannot_be_asked_for_now_is_asked_for_after_the_pause(self, worlds: Worlds) -> None:
        refuses, asked = [True], list[str]()
        budget = worlds.budget("one", patience=HOUR)

        def find() -> str:
            asked.append("")
            use(budget, account)
            if refuses[0]:
                raise NotYetError("paused", wait=HOUR)
            return "place"

        account = worlds.account(9, find)
        budget.pause(account, timedelta(seconds=0.05), group=True)
        refuses[0] = False
        use(budget, account)
        use(budget, account)
        assert len(asked) == 2

    def test_writes_to_one_place_never_meet(self, worlds: Worlds) -> None:
        account, within, most = worlds.account(100), list[str](), list[int]()
        place = f"place-{id(worlds)}"

        def work(name: str) -> list[int]:
            budget = worlds.budget(name, patience=HOUR)
            for _ in range(5):
                with budget.call(account, place):
                    within.append(name)
                    most.append(len(within))
                    time.sleep(0.005)  # this plays a write
                    within.remove(name)
            return most

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(work, ("one", "two", "three")))
        assert len(most) == 15
        assert max(most) == 1

    def test_no_one_waits_for_the_writes_to_another_place_or_to_read(self, worlds: Worlds) -> None:
        account = worlds.account(100)
        one, another = (worlds.budget(name, patience=NOT_AT_ALL) for name in ("one", "another"))
        with one.call(account, f"place-{id(worlds)}"):
            use(another, account, f"other-{id(worlds)}")
            use(another, account)

    def test_a_call_that_failed_gives_its_place_of_writing_back(self, worlds: Worlds) -> None:
        account = worlds.account(100)
        one, another = (worlds.budget(name, patience=NOT_AT_ALL) for name in ("one", "another"))
        with pytest.raises(KeyError), one.call(account, f"place-{id(worlds)}"):
            raise KeyError
        use(another, account, f"place-{id(worlds)}")

    def test_what_cannot_be_left_for_later_is_waited_for(self, worlds: Worlds) -> None:
        account, budget = worlds.account(1), worlds.budget("one", patience=NOT_AT_ALL)
        with budget.patiently():
            use(budget, account)
            use(budget, account)
        assert wait_of(budget, account)

    def test_a_sleep_ends_when_the_run_has_to(self, worlds: Worlds) -> None:
        def heed() -> None:
            raise KeyError

        account, budget = worlds.account(1), worlds.budget("one", patience=HOUR, heed=heed)
        use(budget, account)
        with pytest.raises(KeyError):
            use(budget, account)
        with pytest.raises(KeyError):
            budget.sleep(HOUR)

    def test_who_waits_elsewhere_keeps_no_place_for_ever(self, worlds: Worlds) -> None:
        account, away = worlds.account(1), worlds.budget("away", patience=NOT_AT_ALL)
        use(away, account)
        assert wait_of(away, account)
        use(worlds.budget("here", patience=HOUR), account)
