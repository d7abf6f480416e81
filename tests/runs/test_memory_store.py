from __future__ import annotations

from collections.abc import Callable

import pytest

from sync_workers.runs.store import MemoryStore, Store
from tests.contracts.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def open_store(self) -> Callable[[], Store]:
        store = MemoryStore()  # attempts in one process share it
        return lambda: store
