from __future__ import annotations

from collections.abc import Callable

import pytest

from sync_workers.model import Action, Pair, Side
from sync_workers.runs.history import Entry
from sync_workers.runs.store import MemoryStore, Store
from sync_workers.state import Change
from tests.contracts.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def open_store(self) -> Callable[[], Store]:
        store = MemoryStore()  # attempts in one process share it
        return lambda: store


def test_the_end_of_an_operation_leaves_the_intent_of_another_run_with_its_number() -> None:
    store, late = MemoryStore(), intent("dead")
    store.opened[late.intent] = late
    store.begin(0, Change(), intent("this"))
    store.commit(0, Change())
    assert dict(store.intents()) == {late.intent: late}


def intent(run: str) -> Entry:
    return Entry(run, 0, Action.UPDATE, Side.OTHER, Pair("n", "o"), "edited on notion")
