"""What a write can end as, and what the run and the next one make of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_workers.errors import (
    AccessError,
    LaterError,
    SyncError,
)
from sync_workers.model import Side
from tests.runs.here import Here

BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def here() -> Here:
    return Here()


# --- outcomes of a write ---


@pytest.mark.parametrize("error", [LaterError("wait", wait=timedelta(minutes=1)), AccessError("no access")])
def test_a_side_that_asks_for_patience_or_refuses_us_is_left_alone_for_the_rest(
    here: Here, error: SyncError
) -> None:
    ids = here.linked()
    here.edit(Side.OTHER, ids.other, text="three")
    for name in ("Milk", "Wine", "Corn"):
        here.add(Side.NOTION, title=name)
    here.services.other.errors["create"] = lambda: error

    report = here.run()

    assert len(here.services.other.asked) == 1
    assert report.counts == {"notion.update": 1}  # the other side goes on
    assert len(report.failures) == 3


def test_a_side_that_asks_for_patience_when_it_is_read_is_the_one_that_rests(here: Here) -> None:
    """Before a delete on one side the other one is asked: its wait is not that of the written side."""
    one, two, three = here.linked("Bread"), here.linked("Milk"), here.linked("Wine")
    here.remove(Side.NOTION, one.notion)
    here.remove(Side.NOTION, two.notion)
    here.edit(Side.NOTION, three.notion, text="three")
    here.services.notion.errors["read"] = lambda: LaterError("wait", wait=timedelta(minutes=1))

    report = here.run()

    assert here.services.notion.asked == [f"read {one.notion}"]
    assert here.services.other.asked == [f"update {three.other}"]
    assert len(report.failures) == 2
