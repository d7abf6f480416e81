"""The phase `apply` over memory services: what is written, stored and reported, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sync_workers.engine.rules import AmbiguousPolicy, Direction, FieldRule
from sync_workers.errors import (
    LeaseLostError,
    UnknownOutcomeError,
)
from sync_workers.model import Fields, Pair, Part, Plan, Record, Side
from sync_workers.report import Outcome, Report
from sync_workers.runs.apply import Application, SliceOverError
from sync_workers.runs.diff import decide
from sync_workers.runs.get import get
from sync_workers.runs.history import Entry
from sync_workers.runs.store import MemoryStore
from sync_workers.state import Change, Pending, State
from tests.runs.here import RULES, Guarded, Here, named
from tests.runs.situations import POOR

BOTH = pytest.mark.parametrize("side", list(Side))


@pytest.fixture
def here() -> Here:
    return Here()


# --- R1: silence ---


def test_r1_after_a_run_without_failures_the_next_one_writes_and_reads_nothing(here: Here) -> None:
    """Silence: the services of the second run fail the test when asked for anything but a listing."""
    ids, gone, edited = here.linked("Bread"), here.linked("Milk"), here.linked("Wine")
    here.edit(Side.NOTION, ids.notion, text="edited")
    here.edit(Side.OTHER, ids.other, note="edited, too")
    here.remove(Side.OTHER, gone.other)
    here.remove(Side.NOTION, edited.notion)
    here.edit(Side.OTHER, edited.other, text="stronger than a deletion")
    here.add(Side.OTHER, title="new")
    here.add(Side.NOTION, title="pair")
    here.add(Side.OTHER, title="pair", text="filled")
    assert here.run().outcome is Outcome.DONE
    assert here.report.writes > 5

    here.open()
    for side in Side:
        for method in ("read", "create", "update", "delete", "archive"):
            here.services[side].errors[method] = lambda: AssertionError("the second run is not silent")
    report = here.run()

    assert here.plan == Plan(links=len(here.state.ids))
    assert (report.outcome, report.calls) == (Outcome.DONE, {"notion": 1, "other": 1})


@BOTH
def test_r10_one_write_for_each_changed_record(here: Here, side: Side) -> None:
    ids = here.linked()
    here.linked("Milk")
    here.edit(side, ids[side], title="Brot", text="three", note="four")
    here.run()
    assert here.services[side.opposite].asked == [f"update {ids[side.opposite]}"]
    assert here.services[side].asked == []
    assert here.report.calls == {side: 1, side.opposite: 2}


# --- R5: intents and bases ---


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


def application(here: Here, store: MemoryStore, **more: Any) -> Application:
    report = Report("apply")
    here.world.reports.append(report)
    services = Pair(here.services.notion, here.services.other)
    gathered = get(services, here.rules, report)
    plan = decide(here.rules, here.world.state, gathered, report, accept_guards=True)
    more.setdefault("now", lambda: here.world.now)
    return Application("apply", services, plan, store.load() or State(), store, report, **more)


def carry_out(application: Application) -> None:
    for part in Part:
        application.run(part)


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


def test_r6_a_lease_that_has_gone_stops_the_run_before_the_write(here: Here) -> None:
    class Lost(MemoryStore):
        def begin(self, operation: int, change: Change, intent: Entry | None = None) -> bool:
            raise LeaseLostError(f"another run has it {operation} {change} {intent}")

    here.add(Side.NOTION, title="Bread")
    here.add(Side.NOTION, title="Milk")
    with pytest.raises(LeaseLostError):
        carry_out(application(here, Lost(here.world.state)))
    assert here.services.other.asked == []


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


def test_r3_a_create_that_an_attempt_began_is_not_repeated_blindly() -> None:
    here = Here(capabilities=Pair(POOR, POOR))
    here.add(Side.NOTION, title="Bread")
    store = MemoryStore()
    store.begin(0, Change())
    carried = application(here, store)
    carry_out(carried)
    assert here.services.other.asked == []
    assert [failure.unknown for failure in carried.report.failures] == [True]


# --- other ---


@BOTH
def test_r2_a_copy_does_not_empty_a_field_that_never_crosses_to_it(side: Side) -> None:
    """The copy is made without the field; the emptiness of it there is no edit."""
    way = Direction.TO_NOTION if side is Side.NOTION else Direction.TO_OTHER
    rules = replace(RULES, fields=(*RULES.fields[:2], FieldRule(Pair("Note", "note"), direction=way)))
    here = Here(rules)
    record_id = here.add(side, title="Bread", note="mine")
    here.run()
    assert here.is_quiet()
    assert here.fields(side, record_id)[named(side, {"note": 0}).popitem()[0]] == "mine"


def test_r3_a_safe_create_that_gives_back_a_record_somebody_edited_makes_no_second_one(here: Here) -> None:
    """R2: the edit reaches the other side or is named in a conflict."""
    source = here.add(Side.OTHER, text="two")  # without a key
    here.services.notion.errors["create"] = lambda: UnknownOutcomeError("cut")
    here.run()
    here.services.notion.errors.clear()
    made = here.services.notion.create({"Text": "two"}, f"crash/notion/{source}")
    here.edit(Side.NOTION, made.id, text="edited by a person")

    here.open()
    quiet = here.world.settle()

    assert here.world.disagreements(quiet) == []
    assert [len(here.world.containers[side].records) for side in Side] == [1, 1]
    assert here.state.ids == {made.id: source}
    assert "edited by a person" in here.world.values()


def test_ambiguous_records_are_copied_once_if_the_task_says_so() -> None:
    here = Here(replace(RULES, ambiguous=AmbiguousPolicy.COPY))
    here.add(Side.NOTION, title="Bread", text="one")
    here.add(Side.NOTION, title="Bread", text="two")
    here.add(Side.OTHER, title="Bread", text="three")
    assert here.run().counts == {"other.create": 2, "notion.create": 1}
    assert here.is_quiet()


def test_a_value_that_looks_like_stored_json_is_sent_as_it_is(here: Here) -> None:
    """R8: it must not end the run when the intent is written."""
    value = {"$date": "no date"}
    here.add(Side.NOTION, title="Bread", text=value)
    here.run()
    (copy,) = here.world.containers.other.records.values()
    assert copy.fields["text"] == value
    begun = Pending.model_construct(source={"a": value}, sent={}, key=None)
    state = State(pending={Side.OTHER: {"n": begun}})
    assert State.model_validate_json(state.model_dump_json()).pending[Side.OTHER]["n"].source == {"a": value}


def test_r11_log_lines_carry_ids_and_reasons_but_no_values(
    here: Here, caplog: pytest.LogCaptureFixture
) -> None:
    here.add(Side.NOTION, title="a secret name")
    with caplog.at_level("INFO"):
        here.run()
    assert "create notion-1 on other" in caplog.text
    assert "a secret name" not in caplog.text
