"""Every write is covered (R5): intent before the write, base after its acknowledgement, both atomic
with the fencing check. A stop at any instant leaves too much rather than too little, and the next run
finishes it."""

from __future__ import annotations

import pytest

from sync_workers.errors import UnknownOutcomeError
from sync_workers.model import Fields, Pair, Record, Side
from sync_workers.report import Report
from sync_workers.runs.apply import Application, SliceOverError
from sync_workers.runs.history import Entry
from sync_workers.runs.store import MemoryStore
from sync_workers.services.base import Capabilities
from sync_workers.services.memory import FULL
from sync_workers.state import Change, State
from tests.runs.here import BOTH, Guarded, Here, application, carry_out, named
from tests.runs.situations import POOR


class Told(MemoryStore):
    """A store that notes what it is told, and what the services had been asked by then."""

    def __init__(self, here: Here) -> None:
        super().__init__(here.world.state)
        self.here, self.steps = here, []  # type: ignore[var-annotated]

    def begin(self, operation: int, change: Change, intent: Entry | None = None) -> bool:
        self.steps.append(("begin", sum(len(s.asked) for s in self._services())))
        return super().begin(operation, change, intent)

    def commit(self, operation: int | None, change: Change, entry: Entry | None = None) -> None:
        self.steps.append(("commit", sum(len(s.asked) for s in self._services())))
        super().commit(operation, change, entry)

    def _services(self) -> tuple[Guarded, Guarded]:
        return self.here.services.notion, self.here.services.other


@BOTH
def test_r5_the_intent_is_stored_before_the_write_and_the_base_after_it(here: Here, side: Side) -> None:
    ids = here.linked()
    here.edit(side, ids[side], text="three")
    store = Told(here)
    carry_out(application(here, store))
    assert store.steps == [("begin", 0), ("commit", 1)]
    assert here.state.bases(side.opposite)[ids[side.opposite]] == here.fields(
        side.opposite, ids[side.opposite]
    )


@BOTH
def test_r5_a_create_is_pending_from_its_intent_to_its_end(here: Here, side: Side) -> None:
    source = here.add(side, title="Bread", text="two")
    store = Told(here)
    here.services[side.opposite].errors["create"] = lambda: UnknownOutcomeError("cut")
    carry_out(application(here, store))
    assert store.state is not None
    begun = store.state.pending[side.opposite][source]
    assert begun.sent == named(side.opposite, {"title": "Bread", "text": "two", "note": None})
    assert begun.source == named(side, {"title": "Bread", "text": "two", "note": None})

    here.world.state = store.state
    here.open()
    here.run()
    assert not here.state.pending[side.opposite]


def test_r5_the_base_is_what_the_service_shows_after_the_write(here: Here) -> None:
    """A side that rounds or trims is not taken for an editor."""

    class Shouting(Guarded):
        def create(self, fields: Fields, idempotency: str) -> Record:
            return super().create({**fields, "title": str(fields["title"]).upper()}, idempotency)

        def update(self, record: Record, fields: Fields) -> Record:
            return super().update(record, {name: str(value).upper() for name, value in fields.items()})

    here.services = Pair(here.services.notion, Shouting(here.services.other))
    source = here.add(Side.NOTION, title="Bread")
    here.run()
    here.edit(Side.NOTION, source, title="Milk")
    here.run()
    assert here.state.objs[source]["Name"] == "Milk"
    assert here.state.other_objs[here.state.ids[source]]["title"] == "MILK"
    assert here.is_quiet()


def test_r5_a_plan_stops_between_two_operations_and_goes_on_where_it_was(here: Here) -> None:
    for name in ("Bread", "Milk", "Wine"):
        here.add(Side.NOTION, title=name)
    store, told = MemoryStore(), []
    carried = application(here, store, progress=lambda done, count: told.append((done, count)))
    carried.stop = lambda: len(carried.ended) == 2
    with pytest.raises(SliceOverError):
        carry_out(carried)
    assert len(here.services.other.asked) == 2

    carried.stop = lambda: False
    carry_out(
        Application("apply", carried.services, carried.plan, store.load() or State(), store, Report("x"))
    )
    assert len(here.services.other.asked) == 3
    assert told == [(1, 3), (2, 3)]


@BOTH
@pytest.mark.parametrize("capabilities", [FULL, POOR], ids=["versions", "re-reads"])
@pytest.mark.parametrize("found", ["done", "not done", "edited by someone else"])
def test_r5_an_update_that_an_attempt_began_is_looked_at_first(
    side: Side, capabilities: Capabilities, found: str
) -> None:
    here = Here(capabilities=Pair(capabilities, capabilities))
    ids = here.linked()
    here.edit(side.opposite, ids[side.opposite], text="three")
    store = MemoryStore(here.world.state)
    carried = application(here, store)
    store.begin(0, Change())
    # ... and the attempt was killed before or after its write, or a person came between
    if found != "not done":
        here.edit(side, ids[side], text="three" if found == "done" else "four")

    carry_out(carried)

    written = [asked for asked in here.services[side].asked if asked.startswith("update")]
    assert len(written) == (found == "not done")
    assert here.fields(side, ids[side])[named(side, {"text": 0}).popitem()[0]] == (
        "four" if found.startswith("edited") else "three"
    )
    assert carried.report.failures == []
    assert bool(carried.report.held) == found.startswith("edited")
    assert bool(carried.report.counts) != found.startswith("edited")
    here.world.state = store.state
    here.open()
    here.world.settle()
    assert here.is_quiet()
