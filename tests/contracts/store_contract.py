"""The contract of a `Store` as tests: where the state of a task is kept, in memory or in Redis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from sync_workers.model import Action, Fields, Pair, Side
from sync_workers.remarks import Decision, HeldConflict, Memory, Quarantined, Trail
from sync_workers.runs.history import Entry
from sync_workers.runs.store import Store
from sync_workers.state import Change, Pending, State

LINK = Change(links={"n1": ("o1", {"Name": "Bread"}, {"summary": "Bread"})})


def settled(state: State | None) -> State | None:
    """The state without empty leftovers, which say the same as nothing."""
    if state is None:
        return None
    return state.model_copy(
        update={
            "pending": {side: dict(waiting) for side, waiting in state.pending.items() if waiting},
            "quarantine": {side: dict(known) for side, known in state.quarantine.items() if known},
            "unlinked": {side: set(ids) for side, ids in state.unlinked.items() if ids},
            "paused": {side: set(ids) for side, ids in state.paused.items() if ids},
        }
    )


def entry(store: Store, number: int) -> Entry:
    """What an update of this run is to do."""
    fields: Pair[Fields | None] = Pair({"Name": "Bread", "Due": date(2026, 3, 1)}, {"summary": None})
    bases: Pair[Fields] = Pair({}, {"summary": "Bread"})
    run: str = getattr(store, "_run", "run")
    return Entry(run, number, Action.UPDATE, Side.OTHER, Pair("n1", "o1"), "edited", fields, fields, bases)


class StoreContract:
    """A subclass gives `open_store`: each call is a new attempt of one and the same run of one task."""

    @pytest.fixture
    def store(self, open_store: Callable[[], Store]) -> Store:
        return open_store()

    def test_a_task_that_never_ran_has_no_state(self, store: Store) -> None:
        assert store.load() is None
        assert store.done() == frozenset()

    def test_an_empty_change_still_makes_a_state(self, store: Store) -> None:
        store.commit(None, Change())
        assert store.load() == State()

    def test_a_committed_link_is_loaded_with_both_bases(self, store: Store) -> None:
        store.commit(None, LINK)
        state = store.load()
        assert state is not None
        assert state.ids == {"n1": "o1"}
        assert state.objs == {"n1": {"Name": "Bread"}}
        assert state.other_objs == {"o1": {"summary": "Bread"}}

    @pytest.mark.parametrize(
        "value",
        [
            None, True, 0, -1.5, "", "Bröt 🥖", date(2026, 3, 1), datetime(2026, 3, 1, 8, 30, tzinfo=UTC),
            ["a", ["b"]], {"$date": "no date"}, {"nested": {"day": date(2026, 3, 1)}}, ("x", 1), {"y", "z"},
        ],
    )  # fmt: skip
    def test_values_come_back_as_they_were(self, store: Store, value: Any) -> None:
        store.commit(None, Change(links={"n": ("o", {"A": value}, {"b": value})}))
        state = store.load()
        assert state is not None
        assert state.objs["n"] == {"A": value}
        assert state.other_objs["o"] == {"b": value}

    def test_a_link_moves_to_another_record_and_goes(self, store: Store) -> None:
        store.commit(None, LINK)
        store.commit(None, Change(links={"n1": ("o2", {"Name": "Milk"}, {"summary": "Milk"})}))
        moved = store.load()
        assert moved is not None
        assert moved.other_objs == {"o2": {"summary": "Milk"}}

        store.commit(None, Change(links={"n1": None, "never there": None}))
        assert settled(store.load()) == State()

    def test_the_memory_of_a_record_comes_back_moves_with_it_and_goes_with_its_link(
        self, store: Store
    ) -> None:
        memory = {"Status": Memory(last={Side.NOTION: [(False, "Doing"), (1, "One")]})}
        store.commit(None, replace(LINK, memory={"n1": memory}))
        store.commit(None, Change(links={"n1": ("o1", {"Name": "Rye"}, {"summary": "Rye"})}))
        state = store.load()
        assert state is not None
        assert state.memory == {"n1": memory}

        store.commit(None, Change(links={"n1": None, "n2": ("o1", {}, {})}, memory={"n2": memory}))
        state = store.load()
        assert state is not None
        assert state.memory == {"n2": memory}
        store.commit(None, Change(links={"n2": None}))
        assert settled(store.load()) == State()

    def test_pending_creates_wait_until_their_end_is_known(self, store: Store) -> None:
        begun = Pending(source={"Due": date(2026, 3, 1)}, sent={"due": date(2026, 3, 1)}, key="bread")
        store.commit(None, Change(pending={(Side.OTHER, "n:1"): begun}))
        state = store.load()
        assert state is not None
        assert state.pending == {Side.OTHER: {"n:1": begun}}

        store.commit(None, Change(pending={(Side.OTHER, "n:1"): None}))
        assert settled(store.load()) == State()

    def test_records_are_left_alone_until_told_otherwise(self, store: Store) -> None:
        store.commit(None, Change(unlinked={(Side.NOTION, "n1"): True, (Side.OTHER, "o1"): True}))
        store.commit(None, Change(unlinked={(Side.OTHER, "o1"): False}))
        state = settled(store.load())
        assert state is not None
        assert state.unlinked == {Side.NOTION: {"n1"}}

    def test_the_setup_stays_until_it_is_replaced(self, store: Store) -> None:
        store.commit(None, Change(setup={"container": "a", "filter": "x"}))
        store.commit(None, LINK)
        store.commit(None, Change(setup={"container": "b"}))
        state = store.load()
        assert state is not None
        assert state.setup == {"container": "b"}

    def test_the_intent_is_stored_with_its_change(self, store: Store) -> None:
        assert store.begin(0, LINK)
        state = store.load()
        assert state is not None
        assert state.ids == {"n1": "o1"}
        assert store.done() == frozenset()

    def test_only_ended_operations_are_done(self, store: Store) -> None:
        for number in (0, 1, 2):
            assert store.begin(number, Change())
        store.commit(0, Change())
        store.commit(2, Change())
        assert store.done() == {0, 2}

    def test_an_operation_that_an_earlier_attempt_began_is_not_begun_again(
        self, open_store: Callable[[], Store]
    ) -> None:
        assert open_store().begin(7, Change())
        # ... and the process died between the intent and the end

        attempt = open_store()
        assert not attempt.begin(7, LINK)
        assert settled(attempt.load()) == State()
        assert attempt.done() == frozenset()

    def test_an_ended_operation_is_known_to_the_next_attempt(self, open_store: Callable[[], Store]) -> None:
        first = open_store()
        first.begin(7, Change())
        first.commit(7, LINK)

        attempt = open_store()
        assert attempt.done() == {7}
        assert not attempt.begin(7, Change())

    def test_an_intent_is_known_until_the_end_of_its_operation(self, store: Store) -> None:
        begun = entry(store, 3)
        store.begin(3, Change(), begun)
        assert store.intents() == {begun.intent: begun}

        store.commit(3, Change(), begun)
        assert store.intents() == {}
        assert store.carried_out() == store.done() == {3}

    def test_the_intent_of_what_did_not_happen_goes_without_an_entry(self, store: Store) -> None:
        store.begin(3, Change(), entry(store, 3))
        store.commit(3, Change())
        assert store.intents() == {}
        assert store.done() == {3}
        assert store.carried_out() == frozenset()

    def test_a_change_beside_an_operation_leaves_its_intent(self, store: Store) -> None:
        begun = entry(store, 3)
        store.begin(3, Change(), begun)
        store.commit(None, LINK)
        assert store.intents() == {begun.intent: begun}

    def test_the_intent_of_an_earlier_run_goes_with_its_entry(self, store: Store) -> None:
        begun = replace(entry(store, 3), run="earlier")
        store.begin(3, Change(), begun)
        store.commit(None, Change(), replace(begun, lost=True))
        assert store.intents() == {}
        assert store.done() == frozenset()

    def test_all_that_is_said_of_single_records_comes_back(self, store: Store) -> None:
        moment = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
        held = HeldConflict(
            other_id="o1", other_attr="due", values={Side.NOTION: date(2026, 3, 1), Side.OTHER: None},
            changed={Side.NOTION: moment}, authors={Side.NOTION: "ada"}, since=moment,
        )  # fmt: skip
        said = Change(
            held={"n1": {"Due": held}},
            decisions={("n1", "Due"): Decision(value=("x", 1), seen=held.values, at=moment)},
            trails={"n1": {"Due": Trail(last=Side.OTHER, written=["a", "b"], turns=1)}},
            quarantine={
                (Side.OTHER, "n:1"): Quarantined(reason="why", action="create", since=moment, due=moment)
            },
            paused={(Side.NOTION, "n1"): True},
        )
        store.commit(None, said)
        expected = State()
        said.apply(expected)
        assert settled(store.load()) == expected

        gone = Change(
            held={"n1": None}, decisions={("n1", "Due"): None}, trails={"n1": None},
            quarantine={(Side.OTHER, "n:1"): None}, paused={(Side.NOTION, "n1"): False},
        )  # fmt: skip
        store.commit(None, gone)
        assert settled(store.load()) == State()

    def test_what_was_loaded_is_the_callers_own(self, store: Store) -> None:
        store.commit(None, LINK)
        state = store.load()
        assert state is not None
        state.unlink("n1")
        again = store.load()
        assert again is not None
        assert again.ids == {"n1": "o1"}

    def test_an_operation_that_is_taken_back_may_begin_again(self, open_store: Callable[[], Store]) -> None:
        store = open_store()
        begun = Change(pending={(Side.OTHER, "n1"): Pending(source={}, sent={})})
        assert store.begin(3, begun, entry(store, 3))
        store.take_back(3, Change(pending={(Side.OTHER, "n1"): None}))
        assert not store.intents()
        assert settled(store.load()) == State()
        assert 3 not in open_store().done()
        assert open_store().begin(3, begun, entry(store, 3))

    def test_an_operation_that_ended_is_not_taken_back(self, store: Store) -> None:
        store.begin(3, Change())
        store.commit(3, LINK)
        store.take_back(3, Change())
        assert 3 in store.done()
