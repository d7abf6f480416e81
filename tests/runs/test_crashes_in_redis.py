"""The phases of a worker that dies right before or right after each write and each step in a real Redis.

Taking the lease, leaving and ending it, handing on snapshot and plan, keeping what change feeds showed, the
intent and the end of each operation: each is one place, before it and after it. Then either another run
begins once the lease has ended, or the message is delivered again and another attempt goes on with a new
fence.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync_workers.errors import GuardError
from sync_workers.model import Side
from sync_workers.redis.connect import Client
from sync_workers.report import Report
from sync_workers.runs.diff import decide
from sync_workers.runs.get import get
from tests.figures import Figures
from tests.runs.crashing import Places, World
from tests.runs.situations import situations
from tests.runs.stored import StoredWorld
from tests.sizes import UNHURRIED, sized

pytestmark = UNHURRIED


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Thousands of runs fail here on purpose."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def is_let_through(world: World) -> bool:
    """Whether no guard refuses the plan: a worker asks nobody to accept it."""
    report = Report("crash")
    try:
        decide(world.rules, world.state, get(world.services(Places()), world.rules, report), report)
    except GuardError:
        return False
    return True


@sized(12, nightly=300)
@given(situations().filter(is_let_through), st.booleans())
def test_after_a_stop_at_any_step_in_redis_the_next_attempts_finish_the_work(
    redis_client: Client, figures: Figures, start: World, redelivered: bool
) -> None:
    """R2, R3, R4, R5: as in memory, with what workers really store."""
    expected = StoredWorld(redis_client, start.copy())
    done = expected.run()
    places = expected.places
    expected.settle()
    assert done is not None
    figures["situations in which a worker's run was stopped at every step in Redis"] += 1
    for place in range(1, places + 1):
        figures["steps in Redis and writes at which a worker's run was stopped"] += 1
        here = StoredWorld(redis_client, start.copy())
        here.crash(place, redelivered=redelivered)
        quiet = here.settle()

        assert quiet.operations == ()
        assert here.world.disagreements(quiet) == []
        assert expected.world.values() - here.world.values() == set()
        for side in Side:
            records, most = (len(one.world.containers[side].records) for one in (here, expected))
            assert records <= most
        here.close()
    expected.close()
