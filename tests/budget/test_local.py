from __future__ import annotations

from typing import Any

import pytest

from sync_workers.services.budget import Budget
from sync_workers.services.local_budget import Ledger, LocalBudget
from tests.contracts.budget_contract import TIMES, BudgetContract, Worlds


class LocalWorlds(Worlds):
    def __init__(self) -> None:
        self.ledger = Ledger()

    def budget(self, task: str, **how: Any) -> Budget:
        del task  # a thread's calls are its own here
        return LocalBudget(self.ledger, times=TIMES, **how)


class TestLocalBudget(BudgetContract):
    @pytest.fixture
    def worlds(self) -> Worlds:
        return LocalWorlds()
