"""One bad record stops itself only (R8): it is quarantined with its reason; every other record flows.
One bad task stops no other task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from sync_workers.errors import AccessError, LaterError, RejectedError, SyncError, UnknownOutcomeError
from sync_workers.model import Fields, Pair, Record, Side
from sync_workers.report import Outcome
from tests.runs.here import BOTH, Guarded, Here


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


def test_r8_a_record_that_was_refused_waits_longer_after_each_time(here: Here) -> None:
    here.add(Side.NOTION, title="Bread")
    here.services.other.errors["create"] = lambda: RejectedError("no bread here")
    waits = []
    for _ in range(4):
        here.world.later += timedelta(days=1)
        here.run()
        ((record_id, one),) = here.state.quarantine[Side.OTHER].items()
        waits.append(one.due - here.world.now)
        assert (record_id, one.reason, one.action) == ("notion-1", "no bread here", "create")
    assert waits == [timedelta(minutes=5 * 3**n) for n in range(4)]
    assert one.count == 4
    assert len(here.services.other.asked) == 4


def test_r8_while_it_waits_nothing_is_called_and_the_report_says_so(here: Here) -> None:
    here.add(Side.NOTION, title="Bread")
    here.services.other.errors["create"] = lambda: RejectedError("no bread here")
    here.run()
    here.open()
    here.add(Side.NOTION, title="Milk")

    report = here.run()

    assert here.services.other.asked == ["create crash/other/notion-2"]
    assert [hold.record_id for hold in report.quarantined] == ["notion-1"]
    assert "no bread here" in report.quarantined[0].reason
    assert report.outcome == "partial"


@BOTH
def test_r8_it_is_tried_at_once_when_its_content_changed(side: Side) -> None:
    here = Here()
    record_id = here.add(side, title="Bread")
    here.services[side.opposite].errors["create"] = lambda: RejectedError("no bread here")
    here.run()
    here.open()
    here.edit(side, record_id, title="Rolls")

    assert here.run().counts == {f"{side.opposite}.create": 1}
    assert not any(here.state.quarantine.values())
    assert here.is_quiet()
