"""A side whose feed names changed records only, and some of them late: what a run makes of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace

import pytest

from sync_workers.engine.rules import FieldRule, OutOfScopePolicy, Rules
from sync_workers.model import ID, ConflictMode, Pair, Plan, Side
from sync_workers.runs.reading import Wish
from sync_workers.services.memory import FULL
from tests.runs.crashing import ATTRS, StoppedHereError, World
from tests.runs.late import LATE

RULES = Rules(tuple(FieldRule(Pair(*attrs)) for attrs in ATTRS), mode=ConflictMode.NOTION, key=("Name",))


@dataclass
class Watched:
    """One linked record, a side with such a feed, and one that shows all."""

    world: World = field(default_factory=lambda: World(RULES, Pair(LATE, FULL)))

    def __post_init__(self) -> None:
        self.page = self.world.containers.notion.add(Name="Bread", Text="two", Note=None).id
        self.world.containers.notion.add(Name="Milk", Text="one", Note=None)
        self.world.settle()
        self.world.catch_up()

    @property
    def other(self) -> ID:
        assert self.world.state is not None
        return self.world.state.ids[self.page]

    def run(self, *, full: bool = False, looks: bool = False) -> Plan:
        """A run a minute later."""
        self.world.minutes += 1
        self.world.wish = Wish(full, looks)
        return self.world.run()

    def shown(self, side: Side) -> object:
        name = Pair("Text", "text")[side]
        return self.world.containers[side].records[Pair(self.page, self.other)[side]].fields[name]


@pytest.fixture
def watched() -> Watched:
    return Watched()


def hold_back(watched: Watched, record_id: ID) -> None:
    """Listings keep showing what there was before the changes that come now."""
    index = watched.world.indexes.notion
    index.stuck[record_id] = index.rows[record_id]


def test_r2_a_row_that_we_wrote_and_that_is_listed_late_is_no_edit_back(watched: Watched) -> None:
    hold_back(watched, watched.page)
    watched.world.containers.other.edit(watched.other, text="three")
    watched.run()
    for _ in range(3):
        assert watched.run().operations == ()
        assert watched.run(full=True).operations == ()
    assert watched.shown(Side.NOTION) == watched.shown(Side.OTHER) == "three"


def test_r3_a_row_that_we_deleted_and_that_is_still_listed_is_not_copied_back(watched: Watched) -> None:
    hold_back(watched, watched.page)
    watched.world.containers.other.remove(watched.other)
    watched.run()
    for full in (False, True, False):
        assert watched.run(full=full).operations == ()
    assert watched.page not in watched.world.containers.notion.records


def test_r4_what_is_not_listed_any_more_is_only_gone_when_all_is_compared(watched: Watched) -> None:
    other = watched.other
    watched.world.containers.notion.remove(watched.page)
    assert watched.run().operations == ()
    watched.world.later += RULES.full_every
    watched.world.catch_up()
    watched.run()
    assert other not in watched.world.containers.other.records


def test_r4_what_was_not_listed_when_a_run_died_is_not_taken_for_gone_by_the_next_one(
    watched: Watched,
) -> None:
    other = watched.other
    watched.world.containers.notion.remove(watched.page)
    watched.world.catch_up()
    watched.world.later += RULES.full_every
    with suppress(StoppedHereError):
        watched.world.run(1)
    plan = watched.run()
    assert plan.operations == ()
    assert [hold.record_id for hold in plan.held] == [watched.page]
    watched.run(full=True)
    assert other not in watched.world.containers.other.records


@pytest.mark.parametrize("seen_since", [True, False], ids=["just made", "known for long"])
def test_r3_what_is_not_there_any_more_is_not_copied_where_the_other_side_is_another_container(
    watched: Watched, seen_since: bool
) -> None:
    """The feed of this side does not show what was deleted, and its link goes with the container."""
    world = watched.world
    page = watched.page
    if seen_since:
        world.containers.other.add(title="Rye", text="new", note=None)
        watched.run()
        page = max(world.containers.notion.records)
    world.catch_up()
    world.containers.notion.remove(page)
    world.catch_up()
    world.containers.other.name += "_moved"

    watched.run()
    world.settle()

    for side in Side:
        names = [
            record.fields[Pair("Name", "title")[side]] for record in world.containers[side].records.values()
        ]
        assert len(names) == len(set(names)) == 2 + seen_since


def test_r7_a_record_that_moved_is_decided_again_once_and_not_for_ever(watched: Watched) -> None:
    """Its change is not listed yet when the other side is edited, too."""
    hold_back(watched, watched.page)
    watched.world.containers.notion.edit(watched.page, Text="of notion")
    watched.world.containers.other.edit(watched.other, text="of other")
    watched.run()
    assert watched.shown(Side.OTHER) == "of other"  # nothing was overwritten unseen
    watched.run()
    assert watched.shown(Side.NOTION) == watched.shown(Side.OTHER) == "of notion"
    assert watched.run().operations == ()


@pytest.mark.parametrize("place", range(1, 12))
def test_r5_a_write_that_died_is_looked_at_by_its_id(watched: Watched, place: int) -> None:
    hold_back(watched, watched.page)
    watched.world.containers.other.edit(watched.other, text="three")
    with suppress(StoppedHereError):
        watched.world.run(place)
    for _ in range(2):
        watched.run()
    assert watched.run().operations == ()
    assert watched.shown(Side.NOTION) == watched.shown(Side.OTHER) == "three"


def test_what_is_out_of_scope_waits_without_being_asked_for_again(watched: Watched) -> None:
    container = watched.world.containers.notion
    container.archived[watched.page] = container.records[watched.page]
    container.remove(watched.page)
    watched.world.catch_up()
    watched.run(full=True)
    plan = watched.run()
    assert plan.operations == ()
    assert [hold.record_id for hold in plan.held] == [watched.page]
    assert "archived" in plan.held[0].reason


def test_a_look_finds_what_is_out_of_scope_and_unlinks_it_where_the_task_says_so(watched: Watched) -> None:
    watched.world.rules = replace(RULES, out_of_scope=OutOfScopePolicy.UNLINK)
    container = watched.world.containers.notion
    container.archived[watched.page] = container.records[watched.page]
    container.remove(watched.page)
    watched.world.mirrors.looks.add((Side.NOTION, watched.page))
    plan = watched.run(looks=True)
    assert [operation.ids.notion for operation in plan] == [watched.page]
    assert watched.world.state is not None
    assert watched.page not in watched.world.state.ids
    assert len(watched.world.containers.other.records) == 2


def test_a_record_that_came_back_is_there_again(watched: Watched) -> None:
    container = watched.world.containers.notion
    kept = container.archived[watched.page] = container.records[watched.page]
    container.remove(watched.page)
    watched.world.catch_up()
    watched.run(full=True)
    container.put(replace(kept, fields={**kept.fields, "Text": "back"}))
    del container.archived[watched.page]
    watched.world.catch_up()
    watched.run()
    assert watched.shown(Side.OTHER) == "back"
