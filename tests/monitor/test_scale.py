"""How many slots are wanted: by what waits, how long, and whether calls may be made at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.monitor.scale import PATIENCE, Load, headroom, load, scale
from sync_workers.monitor.view import Calls, View
from sync_workers.redis.budget import Usage
from sync_workers.redis.queues import Taken, Waiting
from sync_workers.services.budget import Account

LOADS = st.builds(
    Load,
    st.integers(0, 10_000),
    st.timedeltas(timedelta(0), timedelta(hours=5)),
    st.integers(0, 500),
    st.integers(0, 500),
)


def test_nothing_to_do_wants_no_worker() -> None:
    assert Load().wanted(1.0) == 0
    assert Load(later=5).wanted(1.0) == 0, "what waits for a service needs no slot"


def test_what_has_just_come_wants_one_and_what_has_waited_wants_a_slot_for_each() -> None:
    assert Load(waiting=40, oldest=timedelta(seconds=0.1)).wanted(1.0) == 1
    assert Load(waiting=40, oldest=PATIENCE / 2).wanted(1.0) == 20
    assert Load(waiting=40, oldest=PATIENCE * 9).wanted(1.0) == 40


def test_what_works_is_not_taken_away() -> None:
    assert Load(working=7).wanted(1.0) == 7
    assert Load(waiting=2, oldest=PATIENCE, working=7).wanted(1.0) == 9


def test_without_calls_left_no_worker_is_added() -> None:
    assert Load(waiting=900, oldest=timedelta(hours=1), working=3).wanted(0.0) == 3
    assert Load(waiting=900, oldest=timedelta(hours=1)).wanted(0.0) == 1, "somebody has to find out"


@given(LOADS, st.floats(0, 1), st.integers(1, 100), st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_more_work_or_a_longer_wait_never_wants_fewer(
    found: Load, left: float, more: int, longer: timedelta
) -> None:
    wanted = found.wanted(left)

    assert found.working <= wanted <= found.working + max(found.waiting, 0)
    assert Load(found.waiting + more, found.oldest, found.working, found.later).wanted(left) >= wanted
    assert Load(found.waiting, found.oldest + longer, found.working, found.later).wanted(left) >= wanted
    assert (wanted == 0) == (found.waiting == found.working == 0)


def calls(used: int, paused: datetime | None = None) -> Calls:
    return Calls(Account("kind:x", 180), Usage(used, 0, paused_until=paused))


def test_one_connection_with_calls_left_is_enough_to_go_on() -> None:
    soon = datetime(2026, 11, 26, tzinfo=UTC)
    assert headroom(View()) == 1.0
    assert headroom(View(calls={"a": calls(90)})) == 0.5
    assert headroom(View(calls={"a": calls(0, soon), "b": calls(180)})) == 0.0
    assert headroom(View(calls={"a": calls(0, soon), "b": calls(135)})) == pytest.approx(0.25)


def test_all_queues_of_a_phase_count_together() -> None:
    view = View(
        waiting={
            "sync.get": Waiting(3, timedelta(seconds=9)),
            "sync.get.urgent@acme": Waiting(2, timedelta(seconds=60)),
            "sync.apply": Waiting(),
            "celeryev.x": Waiting(50, timedelta(hours=9)),
        },
        taken={"sync.get@acme": Taken(2, 1), "sync.apply": Taken(1, 4)},
    )
    assert load(view, "get") == Load(5, timedelta(seconds=60), 2, 1)
    told = scale(view)
    assert told["phases"]["get"] == {
        "waiting": 5, "oldest_seconds": 60.0, "working": 2, "later": 1, "wanted": 7,
    }  # fmt: skip
    assert {name: told[name] for name in ("waiting", "working", "later", "wanted")} == {
        "waiting": 5, "working": 3, "later": 5, "wanted": 8,
    }  # fmt: skip
    assert (told["oldest_seconds"], told["headroom"]) == (60.0, 1.0)
