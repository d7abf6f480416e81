"""Records that failed wait, longer after each time, and stop nothing but themselves (rule R8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_workers.errors import RejectedError, UnknownOutcomeError
from sync_workers.model import Side
from sync_workers.runs.quarantine import LONGEST_PAUSE
from tests.runs.here import Here

BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def here() -> Here:
    return Here()


def test_r8_a_record_that_needs_nothing_any_more_leaves_the_quarantine(here: Here) -> None:
    ids = here.linked()
    here.edit(Side.NOTION, ids.notion, text="three")
    here.services.other.errors["update"] = lambda: RejectedError("never")
    here.run()
    assert here.state.quarantine[Side.OTHER]
    here.edit(Side.NOTION, ids.notion, text="two")

    here.open()
    here.run()
    assert not any(here.state.quarantine.values())


def test_a_lost_reply_is_looked_for_at_once_and_waits_only_when_it_goes_on(here: Here) -> None:
    here.add(Side.NOTION, title="Bread")
    here.services.other.errors["create"] = lambda: UnknownOutcomeError("cut")
    tries = 0
    for _ in range(6):
        here.run()
        tries = len(here.services.other.asked)
    assert tries == 3


def test_r8_what_belongs_under_a_record_that_failed_is_not_called(here: Here) -> None:
    parent = here.add(Side.NOTION, title="Bread")
    here.child(Side.NOTION, parent, title="Crumb")
    here.add(Side.NOTION, title="Milk")
    here.services.other.refused.add(f"create crash/other/{parent}")

    report = here.run()
    assert here.services.other.asked == [f"create crash/other/{parent}", "create crash/other/notion-3"]
    assert [hold.reason for hold in report.held] == [f"its parent {parent} failed in this run"]

    here.open()
    again = here.run()
    assert here.services.other.asked == []
    assert [hold.record_id for hold in again.quarantined] == [parent, "notion-2"]

    here.world.later = timedelta(days=1)
    assert here.run().counts == {"other.create": 2}


def test_a_parent_is_made_before_what_belongs_under_it(here: Here) -> None:
    late = "notion-3"
    here.child(Side.NOTION, late, title="Crumb")
    here.child(Side.NOTION, "notion-1", title="Half a crumb")
    here.add(Side.NOTION, title="Bread")
    here.run()
    assert here.services.other.asked == [f"create crash/other/notion-{number}" for number in (3, 1, 2)]


def test_the_longest_pause_is_a_day(here: Here) -> None:
    here.add(Side.NOTION, title="Bread")
    here.services.other.errors["create"] = lambda: RejectedError("no bread here")
    for _ in range(12):
        here.world.later += timedelta(days=2)
        here.run()
    (one,) = here.state.quarantine[Side.OTHER].values()
    assert (one.count, one.due - here.world.now) == (12, LONGEST_PAUSE)
    assert timedelta(hours=24) == LONGEST_PAUSE


def test_a_record_that_fails_with_another_content_is_counted_afresh(here: Here) -> None:
    record_id = here.add(Side.NOTION, title="Bread")
    here.services.other.errors["create"] = lambda: RejectedError("no bread here")
    here.run()
    here.world.later = timedelta(days=1)
    here.run()
    here.edit(Side.NOTION, record_id, title="Rolls")
    here.run()
    (one,) = here.state.quarantine[Side.OTHER].values()
    assert (one.count, one.due - here.world.now) == (1, timedelta(minutes=5))
    assert one.since == here.world.now
