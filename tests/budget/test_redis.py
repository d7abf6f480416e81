"""The budget that all workers share."""

from __future__ import annotations

import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from benchmarks.contention import contend
from sync_workers.errors import NotYetError, RedisUnreachableError
from sync_workers.redis.budget import RedisBudget, Usage, usage
from sync_workers.redis.connect import Client, connect
from sync_workers.redis.keys import BudgetKeys
from sync_workers.report import Trigger
from sync_workers.sandbox.embedded import EmbeddedRedis
from sync_workers.services.budget import AS_NOTION, Account, Budget, Times
from tests.contracts.budget_contract import HOUR, NOT_AT_ALL, TIMES, BudgetContract, Worlds, use, wait_of


class RedisWorlds(Worlds):
    def __init__(self, client: Client, url: str) -> None:
        self.client = client
        self.url = url
        self.own = secrets.token_hex(4)

    def budget(
        self, task: str, *, trigger: Trigger = Trigger.BEAT, times: Times = TIMES, **how: Any
    ) -> RedisBudget:
        return RedisBudget(self.client, f"{self.own}-{task}", trigger, times=times, **how)


@pytest.fixture
def worlds(redis_client: Client, redis_url: str) -> Iterator[RedisWorlds]:
    yield RedisWorlds(redis_client, redis_url)
    # Groups that are paused concern every account of this Redis that has one.
    redis_client.ask("DEL", BudgetKeys("").pauses)


class TestRedisBudget(BudgetContract):
    @pytest.fixture
    def worlds(self, worlds: RedisWorlds) -> Worlds:
        return worlds


def waits(budget: Budget, account: Account) -> bool:
    return wait_of(budget, account) > timedelta(0)


def free_places(client: Client, account: Account, number: int) -> None:
    """As if so many of its calls were older than a window."""
    client.ask("ZPOPMIN", BudgetKeys(account.name).used, number)


def test_a_request_of_a_person_comes_before_the_ticks_that_wait(
    worlds: RedisWorlds, redis_client: Client
) -> None:
    account = worlds.account(2)
    first, *ticks = (worlds.budget(f"tick-{n}", times=AS_NOTION, patience=NOT_AT_ALL) for n in range(4))
    person = worlds.budget("person", trigger=Trigger.AD_HOC, times=AS_NOTION, patience=NOT_AT_ALL)
    for _ in range(2):
        use(first, account)
    assert all(waits(tick, account) for tick in ticks)
    assert waits(person, account)

    free_places(redis_client, account, 1)
    assert all(waits(tick, account) for tick in ticks), "the free place is the person's"
    assert not waits(person, account)
    free_places(redis_client, account, 1)
    assert [waits(tick, account) for tick in ticks] == [False, True, True], "then they go in their order"


def test_many_requests_of_persons_let_a_tick_through_now_and_then(
    worlds: RedisWorlds, redis_client: Client
) -> None:
    account = worlds.account(1)
    tick = worlds.budget("tick", times=AS_NOTION, patience=NOT_AT_ALL)
    persons = [
        worlds.budget(f"person-{n}", trigger=Trigger.AD_HOC, times=AS_NOTION, patience=NOT_AT_ALL)
        for n in range(2)
    ]
    use(worlds.budget("first", times=AS_NOTION), account)
    went: list[str] = []
    for _ in range(22):
        names = {"tick": tick, "person-0": persons[0], "person-1": persons[1]}
        for budget in names.values():
            waits(budget, account)
        free_places(redis_client, account, 1)
        went += [name for name, budget in names.items() if not waits(budget, account)]
    assert len(went) == 22, went
    assert went.count("tick") == 2, went


def test_who_waits_elsewhere_finds_its_place_when_it_comes_back(
    worlds: RedisWorlds, redis_client: Client
) -> None:
    account = worlds.account(1)
    away, here = (worlds.budget(n, times=AS_NOTION, patience=NOT_AT_ALL) for n in ("away", "here"))
    use(here, account)
    assert waits(away, account)

    free_places(redis_client, account, 1)
    assert waits(here, account), "the place is kept for the one that waits longer"
    assert not waits(away, account)


def test_the_wait_is_told_by_the_place_in_the_queue(worlds: RedisWorlds) -> None:
    account = worlds.account(2)
    first = worlds.budget("first", patience=NOT_AT_ALL, times=AS_NOTION)
    for _ in range(2):
        use(first, account)
    told = [wait_of(worlds.budget(f"{n}", patience=NOT_AT_ALL, times=AS_NOTION), account) for n in range(5)]
    assert max(told[:2]) <= AS_NOTION.kept < told[2] <= 2 * AS_NOTION.kept < told[4], told


def killed_in_a_call(worlds: RedisWorlds, account: Account, place: str, times: Times) -> None:
    """A process that takes a turn and is killed before its call is over."""
    program = (
        "import os, sys\n"
        "from datetime import timedelta\n"
        "from sync_workers.redis.budget import RedisBudget\n"
        "from sync_workers.redis.connect import connect\n"
        "from sync_workers.report import Trigger\n"
        "from sync_workers.services.budget import Account, Times\n"
        "url, name, limit, place, longest, lease, window = sys.argv[1:]\n"
        "times = Times(*(timedelta(seconds=float(t)) for t in (window, 0, longest, lease)))\n"
        "budget = RedisBudget(connect(url), 'killed', Trigger.BEAT, times=times)\n"
        "with budget.call(Account(name, int(limit)), place):\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    seconds = [str(t.total_seconds()) for t in (times.longest_call, times.write_lease, times.window)]
    ended = subprocess.run(
        [sys.executable, "-c", program, worlds.url, account.name, str(account.limit), place, *seconds],
        check=False, timeout=60,
    )  # fmt: skip
    assert ended.returncode == -signal.SIGKILL


def test_what_a_killed_worker_held_is_free_again_after_a_while(worlds: RedisWorlds) -> None:
    account, place = worlds.account(2), f"place-{worlds.own}"
    times = replace(TIMES, longest_call=timedelta(seconds=2), write_lease=timedelta(seconds=1))
    budget = worlds.budget("next", times=times, patience=NOT_AT_ALL)
    killed_in_a_call(worlds, account, place, times)

    with pytest.raises(NotYetError) as told:
        use(budget, account, place)
    assert "write" in str(told.value)
    use(budget, account)  # the other place in the window
    assert waits(budget, account), "the killed one's place is held"

    patient = worlds.budget("next", times=times, patience=HOUR)
    use(patient, account, place)
    use(patient, account)


def test_a_killed_worker_leaves_no_window_with_more_calls(worlds: RedisWorlds) -> None:
    """Its call may have arrived at any time until the longest call would have ended."""
    account = worlds.account(1)
    killed_in_a_call(worlds, account, "", AS_NOTION)
    left = usage(worlds.client, account)
    assert left.calls == 1


def test_a_question_that_is_asked_twice_takes_one_turn(worlds: RedisWorlds) -> None:
    account, budget = worlds.account(1), worlds.budget("one")
    for _ in range(3):
        assert not budget._ask(account, "the same turn", "", knows_group=True).wait
    assert usage(worlds.client, account).calls == 1


def test_without_redis_nothing_is_called() -> None:
    called: list[str] = []
    with EmbeddedRedis() as server:
        client = connect(server.url)
        budget = RedisBudget(client, "one", Trigger.BEAT)
        account = Account("test:alone", 5)
        use(budget, account)
    with pytest.raises(RedisUnreachableError), budget.call(account):
        called.append("service")
    assert not called
    client.close()


def test_a_reply_is_no_failure_where_redis_went_away_meanwhile() -> None:
    """The write was made; what its turn held ends by itself."""
    with EmbeddedRedis() as server:
        client = connect(server.url)
        budget = RedisBudget(client, "one", Trigger.BEAT)
        with budget.call(Account("test:alone", 5), "place"):
            server.kill()
    client.close()


def test_how_it_stands_is_told(worlds: RedisWorlds, redis_client: Client) -> None:
    account, budget = worlds.account(2), worlds.budget("one", patience=NOT_AT_ALL, times=AS_NOTION)
    assert usage(redis_client, account) == Usage(0, 0)
    for _ in range(3):
        waits(budget, account)
    assert usage(redis_client, account) == Usage(2, 1, ever=2)
    budget.pause(account, timedelta(seconds=50))
    told = usage(redis_client, account)
    assert told.paused_until is not None
    assert not told.is_group_paused


def test_many_processes_keep_to_one_window() -> None:
    """A service that counts strictly, behind a network that takes its time, and four processes."""
    found = contend(processes=4, windows=4, limit=20, window=1.0, delay=0.05)
    assert found.refused == 0, found
    assert min(found.by_process) > 0, found  # how much of the window is used is for `make bench`
