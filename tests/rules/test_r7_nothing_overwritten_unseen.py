"""Nothing overwritten unseen (R7): before a write the target still is what the plan was made from; if
not, that record is decided again in the next run."""

from __future__ import annotations

import pytest

from sync_workers.model import Fields, Pair, Record, Side
from sync_workers.services.base import Capabilities
from sync_workers.services.memory import FULL
from tests.runs.here import BOTH, Guarded, Here, named
from tests.runs.situations import POOR


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
