"""Quiet (R1): after a run that ended without failures, a second run without outside edits plans nothing
and calls no write."""

from __future__ import annotations

import itertools
from random import Random

import pytest
from hypothesis import given

from sync_workers.model import ConflictMode, Fields, Pair, Plan, Record, Side
from sync_workers.report import Outcome
from tests.runs.here import BOTH, Guarded, Here, named
from tests.runs.situations import CHANCE, MODES, situation_by
from tests.task_worlds import Objects, busy, world


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


@given(CHANCE, MODES)
def test_r1_after_one_run_the_second_plans_nothing_at_all(chance: Random, mode: ConflictMode) -> None:
    world = situation_by(chance, mode=mode)
    world.run()
    assert world.run().operations == ()


@pytest.mark.parametrize("kinds", list(itertools.product(Objects, Objects)), ids="-".join)
def test_r1_a_class_task_is_quiet_after_one_sync(kinds: tuple[Objects, Objects]) -> None:
    here = world(*kinds)
    task, state = busy(here)
    here.assert_quiet(task, task.sync(state))


@BOTH
def test_r1_a_side_that_keeps_values_in_another_form_is_not_answered(here: Here, side: Side) -> None:
    class Shouting(Guarded):
        def create(self, fields: Fields, idempotency: str) -> Record:
            return super().create(shouted(fields), idempotency)

        def update(self, record: Record, fields: Fields) -> Record:
            return super().update(record, shouted(fields))

    here.services = Pair.of(side, Shouting(here.services[side]), here.services[side.opposite])
    source = here.add(side.opposite, title="Bread", text="two")
    here.run()
    assert here.run().planned == 0

    here.edit(side.opposite, source, text="three")
    here.run()
    assert here.run().planned == 0
    assert here.fields(side.opposite, source)[named(side.opposite, {"text": 0}).popitem()[0]] == "three"


def shouted(fields: Fields) -> Fields:
    return {attr: value.upper() if isinstance(value, str) else value for attr, value in fields.items()}
