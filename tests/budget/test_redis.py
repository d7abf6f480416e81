from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import BudgetKeys
from sync_workers.report import Trigger
from sync_workers.services.budget import Account, Budget, Times
from tests.contracts.budget_contract import TIMES, BudgetContract, Worlds


class RedisWorlds(Worlds):
    def __init__(self, client: Client) -> None:
        self.client = client
        self.made: list[Account] = []
        self.own = secrets.token_hex(4)

    def budget(
        self, task: str, *, trigger: Trigger = Trigger.BEAT, times: Times = TIMES, **how: Any
    ) -> Budget:
        return RedisBudget(self.client, f"{self.own}-{task}", trigger, times=times, **how)


@pytest.fixture
def worlds(redis_client: Client) -> Iterator[RedisWorlds]:
    yield RedisWorlds(redis_client)
    # Groups that are paused concern every account of this Redis that has one.
    redis_client.ask("DEL", BudgetKeys("").pauses)


class TestRedisBudget(BudgetContract):
    @pytest.fixture
    def worlds(self, worlds: RedisWorlds) -> Worlds:
        return worlds
