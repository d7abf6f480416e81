"""What a write can end as, and what the run and the next one make of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sync_workers.errors import (
    AccessError,
    LaterError,
    RejectedError,
    SyncError,
    UnknownOutcomeError,
)
from sync_workers.model import Fields, Pair, Record, Side
from sync_workers.report import Outcome
from sync_workers.services.base import Capabilities
from sync_workers.services.memory import FULL
from tests.runs.here import Guarded, Here, named
from tests.runs.situations import POOR

BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def here() -> Here:
    return Here()


# --- outcomes of a write ---


@pytest.mark.parametrize("method", ["update", "create", "delete"])
@pytest.mark.parametrize("error", [RejectedError, UnknownOutcomeError, LaterError, AccessError])
def test_r8_what_happens_to_one_record_is_reported_and_done_in_the_next_run(
    here: Here, method: str, error: type[SyncError]
) -> None:
    ids = here.linked()
    situation: dict[str, Callable[[], object]] = {
        "update": lambda: here.edit(Side.NOTION, ids.notion, text="three"),
        "create": lambda: here.add(Side.NOTION, title="Milk"),
        "delete": lambda: here.remove(Side.NOTION, ids.notion),
    }
    situation[method]()
    here.services.other.errors[method] = lambda: error("not now")

    report = here.run()

    (failure,) = report.failures
    assert (failure.side, failure.action, failure.unknown) == (
        Side.OTHER,
        method,
        error is UnknownOutcomeError,
    )
    assert report.outcome is Outcome.PARTIAL
    assert report.counts == {}

    here.open()
    here.world.later = timedelta(minutes=5)  # a record that is refused waits so long
    assert here.run().outcome is Outcome.DONE
    assert here.report.writes == 1
    assert here.is_quiet()


def test_r8_a_rejected_record_stops_itself_only(here: Here) -> None:
    class Picky(Guarded):
        def create(self, fields: Fields, idempotency: str) -> Record:
            if fields["title"] == "Milk":
                msg = "the service takes no milk"
                raise RejectedError(msg)
            return super().create(fields, idempotency)

    here.services = Pair(here.services.notion, Picky(here.services.other))
    for name in ("Bread", "Milk", "Wine"):
        here.add(Side.NOTION, title=name)
    report = here.run()
    assert report.counts == {"other.create": 2}
    assert [failure.reason for failure in report.failures] == ["the service takes no milk"]
    assert not here.state.pending[Side.OTHER]


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


@BOTH
@pytest.mark.parametrize("capabilities", [FULL, POOR], ids=["versions", "re-reads"])
@pytest.mark.parametrize("what", ["edited", "deleted"])
def test_r7_a_record_that_moved_since_it_was_read_is_decided_again_in_the_next_run(
    side: Side, capabilities: Capabilities, what: str
) -> None:
    here = Here(capabilities=Pair(capabilities, capabilities))
    ids = here.linked()

    class Late(Guarded):
        def update(self, record: Record, fields: Fields) -> Record:
            if what == "edited":
                here.edit(side, ids[side], note="somebody was faster")
            else:
                here.remove(side, ids[side])
            return super().update(record, fields)

    here.edit(side.opposite, ids[side.opposite], text="three")
    here.services = Pair.of(side, Late(here.services[side]), here.services[side.opposite])
    report = here.run()
    assert (report.counts, report.failures) == ({}, [])
    assert [hold.record_id for hold in report.held] == [ids[side.opposite]]

    here.open()
    here.run()
    for each in Side:
        (record,) = here.world.containers[each].records.values()
        note = "somebody was faster" if what == "edited" else None
        assert record.fields == named(each, {"title": "Bread", "text": "three", "note": note})
    assert here.is_quiet()


@BOTH
def test_r7_a_record_that_moved_is_not_deleted(here: Here, side: Side) -> None:
    ids = here.linked()

    class Late(Guarded):
        def delete(self, record: Record) -> None:
            here.edit(side, ids[side], note="still needed")
            super().delete(record)

    here.remove(side.opposite, ids[side.opposite])
    here.services = Pair.of(side, Late(here.services[side]), here.services[side.opposite])
    here.run()
    here.open()
    assert here.run().counts == {f"{side.opposite}.create": 1}
    assert here.is_quiet()


def test_r3_a_refused_retry_does_not_forget_that_an_earlier_create_may_have_worked(here: Here) -> None:
    """The record of the first attempt shows up late, as behind an index that lags."""
    source = here.add(Side.NOTION, text="two")  # without a key: only the journal knows it

    class Lagging(Guarded):
        def create(self, fields: Fields, idempotency: str) -> Record:
            made = super().create(fields, idempotency)
            self.hidden.add(made.id)
            msg = "the reply was lost"
            raise UnknownOutcomeError(msg)

    here.services = Pair(here.services.notion, Lagging(here.services.other))
    here.run()
    here.services.other.errors["create"] = lambda: LaterError("wait")
    here.run()  # looks, sees nothing, tries again, is refused
    assert source in here.state.pending[Side.OTHER]

    here.open()
    assert here.run().counts == {"link": 1}
    assert [len(here.world.containers[side].records) for side in Side] == [1, 1]
    assert here.is_quiet()
