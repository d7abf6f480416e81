"""The state: taken on from the original, left alone, empty, kept as JSON."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from sync_workers import State
from sync_workers.values import DateRange
from tests.task_worlds import Objects, World, world

KINDS = list(itertools.product(Objects, Objects))


@pytest.fixture(params=KINDS, ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    """Live objects or mere copies on either side."""
    return world(*request.param)


@pytest.mark.parametrize("ours", [True, False])
def test_a_state_of_the_older_form_is_taken_on_without_writes(any_world: World, ours: bool) -> None:
    task, state = any_world.linked("a", "b")
    older = State(ids=dict(state.ids), objs={i: dict(base) for i, base in state.objs.items()})
    if ours:
        older = State.model_validate({"ids": older.ids, "objs": older.objs})

    taken_on = task.sync(older)

    assert any_world.writes() == {"notion": {}, "other": {}}
    assert not older.other_objs
    any_world.assert_quiet(task, taken_on)


def test_edits_and_deletions_are_told_from_a_state_of_the_older_form(any_world: World) -> None:
    task, state = any_world.linked("a", "b", "c")
    older = State(ids=state.ids, objs=state.objs)
    any_world.notion.edit("n1", Note="x")
    any_world.other.edit("o2", note="y")
    any_world.notion.remove("n3")

    state = task.sync(older)

    assert any_world.sides_agree()
    assert len(any_world.other.things) == 2
    any_world.assert_quiet(task, state)


def test_sync_leaves_the_state_it_was_given_alone(any_world: World) -> None:
    task, state = any_world.linked("a", "b")
    before = state.model_copy(deep=True)
    any_world.notion.edit("n1", Note="x")
    any_world.other.remove("o2")

    after = task.sync(state)

    assert state == before
    assert after != before


def test_an_empty_state_is_no_first_run_but_links_all_the_same() -> None:
    here = world()
    here.notion.add(Title="a", Done=False, Note="")
    here.other.add(title="a", done=False, note="")

    state = here.task().sync(State())

    assert state.ids == {"n1": "o1"}
    assert here.writes() == {"notion": {}, "other": {}}


VALUES = {
    "text": 'a "text"\nwith é',
    "number": 1.5,
    "large": 2**70,
    "day": date(2026, 2, 3),
    "moment": datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=UTC),
    "offset": datetime(2026, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=5, minutes=30))),
    "zone": datetime(2026, 7, 3, 4, 5, tzinfo=ZoneInfo("Europe/Berlin")),
    "naive": datetime(2026, 2, 3, 4, 5),  # noqa: DTZ001 - some services show these
    "time": time(4, 5, 6),
    "duration": timedelta(days=2, microseconds=5),
    "span": DateRange(date(2026, 1, 1), date(2026, 1, 2)),
    "choices": ["a", "b"],
    "nested": {"a": [{"b": date(2026, 1, 1)}], "$tag": (1, {"x"})},
    "money": Decimal("1.10"),
    "id": UUID(int=5),
    "raw": b"\x00\xff",
}


@pytest.mark.parametrize("name", VALUES)
def test_every_value_crosses_and_survives_json(any_world: World, name: str) -> None:
    value = VALUES[name]
    task, state = any_world.linked("a")
    any_world.notion.edit("n1", Note=value)
    any_world.other.add(title="new", done=value, note="")

    state = task.sync(state)

    assert any_world.sides_agree()
    read = State.model_validate_json(state.model_dump_json())
    assert read == state
    assert read.objs["n1"]["Note"] == value
    any_world.assert_quiet(task, read)


def test_a_zone_keeps_its_rules_through_json() -> None:
    state = State(objs={"n1": {"When": VALUES["zone"]}})

    read = State.model_validate_json(state.model_dump_json()).objs["n1"]["When"]

    assert (read + timedelta(days=180)).utcoffset() == timedelta(hours=1)
    assert read.utcoffset() == timedelta(hours=2)


class Status(Enum):
    OPEN = "open"
    DONE = "done"


class Whole(float):
    """A client's own kind of number."""


def test_hooks_get_the_members_and_kinds_that_the_other_side_s_hooks_gave(any_world: World) -> None:
    task, state = any_world.linked("a")
    any_world.notion.edit("n1", Done=Status.DONE, Note=Whole(2.5))
    any_world.other.add(title="new", done=Status.OPEN, note=[1])

    state = task.sync(state)

    sent = {attr: value for _, _, changes in any_world.other.log for attr, value in changes.items()}
    assert sent["done"] is Status.DONE
    assert type(sent["note"]) is Whole
    assert any_world.notion.rows("Title", "Done") == [("a", Status.DONE), ("new", Status.OPEN)]
    assert state.objs["n1"]["Done"] == "done"
    assert type(state.objs["n1"]["Note"]) is float
    any_world.assert_quiet(task, State.model_validate_json(state.model_dump_json()))
