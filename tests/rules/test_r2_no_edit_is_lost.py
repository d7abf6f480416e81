"""No edit is lost (R2): a field that a person changed on one side since its base reaches the other
side, or the conflict policy decided against it and the losing value is in the history of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given

from sync_workers.engine.rules import Direction, FieldRule
from sync_workers.errors import LaterError, UnknownOutcomeError
from sync_workers.model import ID, NOTHING, ConflictMode, Fields, Pair, Record, Side
from sync_workers.services.base import Fetched
from sync_workers.services.memory import FULL
from sync_workers.state import Pending, State
from sync_workers.values import same
from tests.runs.crashing import World
from tests.runs.here import BOTH, RULES, Guarded, Here, named
from tests.runs.situations import CHANCE, MODES, POOR, situation_by


@given(CHANCE, MODES)
def test_r2_no_edit_is_lost(chance: Random, mode: ConflictMode) -> None:
    """R2: every value that differs from its base reaches the other side, or a conflict names it."""
    world = situation_by(chance, mode=mode)
    edits = edits_of(world)
    world.run()
    values = world.values()
    for value in edits:
        assert value in values


def edits_of(world: World) -> list[Any]:
    """The values that people wrote since the last run and that are to cross."""
    state = world.state or State()
    return [
        record.fields[rule.attrs[side]]
        for side in Side
        for record in world.containers[side].records.values()
        for rule in world.rules.fields
        if rule.direction.reaches(side.opposite)
        and record.fields.get(rule.attrs[side]) is not None
        and not same(
            state.bases(side).get(record.id, {}).get(rule.attrs[side]), record.fields[rule.attrs[side]]
        )
    ]


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


@BOTH
def test_r2_an_edit_beats_a_deletion_and_the_record_is_made_again(here: Here, side: Side) -> None:
    ids = here.linked()
    here.remove(side, ids[side])
    here.edit(side.opposite, ids[side.opposite], text="three")

    report = here.run()

    assert report.counts == {f"{side}.create": 1}
    (again,) = here.world.containers[side].records.values()
    assert again.fields == named(side, {"title": "Bread", "text": "three", "note": None})
    assert dict(here.state.links()) == {
        Pair.of(side, again.id, ids[side.opposite]).notion: Pair.of(side, again.id, ids[side.opposite]).other
    }
    assert ids[side] not in here.state.bases(side)
    assert here.is_quiet()


@BOTH
def test_r2_an_old_copy_that_a_create_gives_back_does_not_undo_an_edit(side: Side) -> None:
    """All state is lost, the source is edited, and the reply of the create that finds the copy is lost."""
    here = Here()
    source = here.add(side, title="Bread", text="one")
    here.run()
    here.world.state = None
    here.edit(side, source, title="Rye bread")

    class Losing(Guarded):
        def create(self, fields: Fields, idempotency: str) -> Record:
            super().create(fields, idempotency)
            raise UnknownOutcomeError("cut")

    here.open()
    here.services[side].errors["create"] = lambda: LaterError("not now")
    here.services = Pair.of(side, here.services[side], Losing(here.services[side.opposite]))
    here.run()
    here.open()
    here.world.settle()

    records = [one for each in Side for one in here.world.containers[each].records.values()]
    stands = any("Rye bread" in one.fields.values() for one in records)
    named = any("Rye bread" in (one.values.notion, one.values.other) for one in here.world.conflicts)
    assert stands or named
    assert [len(here.world.containers[each].records) for each in Side] == [1, 1]


@BOTH
def test_r2_an_old_copy_that_waits_itself_does_not_hide_an_edit_when_a_create_gives_it_back(
    side: Side,
) -> None:
    """All state is lost but for the copy's own create, of which nobody can see now what it made."""
    here = Here(capabilities=Pair.of(side, POOR, FULL))
    source = here.add(side, text="one")
    here.run()
    (copy,) = here.world.containers[side.opposite].records
    sent, made_of = (
        named(each, {"title": None, "text": "one", "note": None}) for each in (side, side.opposite)
    )
    here.world.state = State(pending={side: {copy: Pending(source=made_of, sent=sent)}})
    here.edit(side, source, text="two")

    class Hiding(Guarded):
        def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:
            fetched: Fetched = super().fetch(cursor, known)
            return replace(fetched, unreadable={"another": "it is broken"})

    here.open()
    here.services = Pair.of(side, Hiding(here.services[side]), here.services[side.opposite])
    here.run()
    assert [hold.record_id for hold in here.plan.held] == [copy]
    here.open()
    here.world.settle()

    assert [len(here.world.containers[each].records) for each in Side] == [1, 1]
    assert here.fields(side, source) == named(side, {"title": None, "text": "two", "note": None}) or any(
        "two" in (one.values.notion, one.values.other) for one in here.world.conflicts
    )
    assert here.is_quiet()
