from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from sync_workers import GuardError, Limits, Side
from sync_workers.report import Outcome
from tests.task_worlds import Objects, Todo, World, world

KINDS = list(itertools.product(Objects, Objects))


@pytest.fixture(params=KINDS, ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    """Live objects or mere copies on either side."""
    return world(*request.param)


def test_a_first_sync_links_equal_titles_and_copies_the_rest(any_world: World) -> None:
    any_world.notion.add(Title="both", Done=False, Note="")
    any_world.other.add(title="both", done=False, note="")
    any_world.notion.add(Title="notion only", Done=True, Note="a")
    any_world.other.add(title="other only", done=False, note="b")

    task = any_world.task()
    state = task.sync(None)

    assert any_world.sides_agree()
    assert any_world.writes() == {"notion": {"create": 1}, "other": {"create": 1}}
    assert task.report.outcome is Outcome.DONE
    any_world.assert_quiet(task, state)


def test_an_edit_crosses_in_either_direction(any_world: World) -> None:
    task, state = any_world.linked("a", "b")
    any_world.notion.edit("n1", Note="from notion", Done=True)
    any_world.other.edit("o2", note="from other")

    state = task.sync(state)

    assert any_world.sides_agree()
    assert any_world.writes() == {"notion": {"update": 1}, "other": {"update": 2}}
    any_world.assert_quiet(task, state)


def test_different_fields_of_one_record_are_merged(any_world: World) -> None:
    task, state = any_world.linked("a")
    any_world.notion.edit("n1", Note="from notion")
    any_world.other.edit("o1", done=True)

    state = task.sync(state)

    assert any_world.notion.rows("Title", "Done", "Note") == [("a", True, "from notion")]
    assert any_world.sides_agree()
    any_world.assert_quiet(task, state)


def test_the_same_edit_on_both_sides_writes_nothing(any_world: World) -> None:
    task, state = any_world.linked("a")
    any_world.notion.edit("n1", Note="x")
    any_world.other.edit("o1", note="x")

    state = task.sync(state)

    assert any_world.writes() == {"notion": {}, "other": {}}
    any_world.assert_quiet(task, state)


@pytest.mark.parametrize("side", Side)
def test_a_deletion_crosses(any_world: World, side: Side) -> None:
    task, state = any_world.linked("a", "b")
    server = any_world.notion if side is Side.NOTION else any_world.other
    server.remove(f"{server.prefix}1")

    state = task.sync(state)

    assert any_world.notion.rows("Title") == any_world.other.rows("title") == [("b",)]
    assert state.ids == {"n2": "o2"}
    assert set(state.objs) == {"n2"}
    assert set(state.other_objs) == {"o2"}
    any_world.assert_quiet(task, state)


@pytest.mark.parametrize("side", Side)
def test_an_edit_wins_over_a_deletion(any_world: World, side: Side) -> None:
    task, state = any_world.linked("a", "b")
    if side is Side.NOTION:
        any_world.notion.remove("n1")
        any_world.other.edit("o1", note="edited")
    else:
        any_world.other.remove("o1")
        any_world.notion.edit("n1", Note="edited")

    state = task.sync(state)

    assert any_world.sides_agree()
    assert len(any_world.notion.things) == 2
    any_world.assert_quiet(task, state)


def test_both_deleted_drops_the_link(any_world: World) -> None:
    task, state = any_world.linked("a", "b")
    any_world.notion.remove("n1")
    any_world.other.remove("o1")

    state = task.sync(state)

    assert state.ids == {"n2": "o2"}
    any_world.assert_quiet(task, state)


@pytest.mark.parametrize("mode", ["notion", "other", "newer"])
@pytest.mark.parametrize("later", Side)
def test_a_conflict_goes_by_the_mode(any_world: World, mode: str, later: Side) -> None:
    task, state = any_world.linked("a", mode=mode)
    if later is Side.OTHER:
        any_world.notion.edit("n1", Note="notion's")
    any_world.other.edit("o1", note="other's")
    if later is Side.NOTION:
        any_world.notion.edit("n1", Note="notion's")

    state = task.sync(state)

    winner = later if mode == "newer" else Side(mode)
    assert any_world.notion.rows("Note") == [(f"{winner}'s",)]
    assert any_world.sides_agree()
    (conflict,) = task.report.conflicts
    assert (conflict.values.notion, conflict.values.other) == ("notion's", "other's")
    assert conflict.winner is winner
    any_world.assert_quiet(task, state)


def test_all_conflicts_of_one_record_have_one_winner(any_world: World) -> None:
    task, state = any_world.linked("a")
    any_world.other.edit("o1", note="o", done="o")
    any_world.notion.edit("n1", Note="n", Done="n")

    state = task.sync(state)

    assert any_world.notion.rows("Title", "Done", "Note") == [("a", "n", "n")]
    assert any_world.writes() == {"notion": {}, "other": {"update": 2}}
    assert any_world.sides_agree()


@pytest.mark.parametrize("side", ["notion", "other"])
def test_a_listing_that_raises_changes_nothing(any_world: World, side: str) -> None:
    task, state = any_world.linked("a")
    before = state.model_copy(deep=True)
    any_world.notion.add(Title="new", Done=False, Note="")
    (any_world.notion if side == "notion" else any_world.other).faults["list", None] = OSError("SECRET-VALUE")

    with pytest.raises(OSError, match="SECRET-VALUE"):
        task.sync(state)

    assert any_world.writes() == {"notion": {}, "other": {}}
    assert state == before
    assert task.report.outcome is Outcome.FAILED
    assert "SECRET" not in str(task.report.summary())


@pytest.mark.parametrize("side", Side)
def test_an_empty_listing_is_refused(any_world: World, side: Side) -> None:
    task, state = any_world.linked("a", "b")
    before = state.model_copy(deep=True)
    (any_world.notion if side is Side.NOTION else any_world.other).things.clear()

    with pytest.raises(GuardError) as refused:
        task.sync(state)

    assert len(refused.value.plan) == 2
    assert any_world.writes() == {"notion": {}, "other": {}}
    assert state == before
    assert task.report.outcome is Outcome.REFUSED


def test_a_short_listing_is_refused_unless_the_task_allows_more(any_world: World) -> None:
    task, state = any_world.linked(*"abcdefghijklmnop")
    for number in range(1, 8):
        any_world.other.remove(f"o{number}")

    with pytest.raises(GuardError):
        task.sync(state)
    task.guard_limits = Limits(lost_share=0.5)
    task.sync(state)

    assert any_world.writes() == {"notion": {"delete": 7}, "other": {}}


def test_an_id_that_comes_twice_is_refused() -> None:
    here = world()
    task, state = here.linked("a", "b")

    class Twice(Todo):
        def get_other_objects(self) -> list[Any]:
            return [*super().get_other_objects(), here.other.things["o1"]]

    here.notion.edit("n1", Note="x")
    with pytest.raises(GuardError, match="twice"):
        here.task(Twice).sync(state)
    with pytest.raises(GuardError, match="twice"):
        here.task(Twice).sync(None)
    assert here.writes() == {"notion": {}, "other": {}}
    assert task.sync(state).ids == state.ids


def test_a_first_sync_fills_what_is_unset_on_one_side() -> None:
    here = world()
    here.notion.add(Title="a", Done=None, Note="kept")
    here.other.add(title="a", done=True, note="")

    state = here.task().sync(None)

    assert here.notion.rows("Title", "Done", "Note") == [("a", True, "kept")]
    assert here.sides_agree()
    here.assert_quiet(here.task(), state)


def test_a_title_that_is_not_unique_links_what_is_equal_and_reports_the_rest() -> None:
    here = world()
    for note in ("1", "2"):
        here.notion.add(Title="same", Done=False, Note=note)
    for note in ("2", "3"):
        here.other.add(title="same", done=False, note=note)

    task = here.task()
    state = task.sync(None)

    assert state.ids == {"n2": "o1"}
    assert here.writes() == {"notion": {}, "other": {}}
    assert len(task.report.ambiguous) == 1
    here.assert_quiet(task, state)


def test_an_attribute_that_is_mapped_later_deletes_nothing() -> None:
    here = world()
    task, state = here.linked("a", "b")
    here.notion.edit("n1", **{"Not mapped": "now"})
    here.other.remove("o2")
    task.attr_map["Not mapped"] = "not_mapped"

    state = task.sync(state)

    assert here.notion.rows("Title") == [("a",), ("b",)]
    assert here.other.rows("title", "not_mapped") == [("a", "now")]
    assert [hold.record_id for hold in task.report.held] == ["o2"]


def test_the_report_tells_counts_and_calls() -> None:
    here = world()
    task, state = here.linked("a", "b")
    here.notion.edit("n1", Note="x")
    here.other.remove("o2")

    task.sync(state)

    assert task.report.counts == {"other.update": 1, "notion.delete": 1}
    assert task.report.calls["notion"] >= 2
    assert task.report.writes == 2
    assert set(task.report.seconds) == {"get", "diff", "apply"}
    assert task.report.started is not None
    assert task.report.finished is not None


def test_a_refused_plan_is_carried_out_once_a_person_accepts_it(any_world: World) -> None:
    task, state = any_world.linked("a", "b")
    for record_id in ("n1", "n2"):
        any_world.notion.remove(record_id)

    with pytest.raises(GuardError, match="accept_guards"):
        task.sync(state)
    task.accept_guards = True
    state = task.sync(state)

    assert any_world.writes() == {"notion": {}, "other": {"delete": 2}}
    assert state.ids == {}


def test_an_attribute_may_be_called_as_anything(any_world: World) -> None:
    class Named(Todo):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.attr_map = {"Title": "name"}

        def other_hash(self, obj: Any) -> str:
            return str(obj.values["title"])

        def other_to_dict(self, obj: Any) -> dict[str, Any]:
            return {"name": obj.values["title"]}

        def other_create_obj(self, **kwargs: Any) -> Any:
            return super().other_create_obj(title=kwargs["name"], done=False, note="")

    any_world.notion.add(Title="a", Done=False, Note="")
    task = any_world.task(Named)
    task.sync(None)

    assert task.report.failures == []
    assert any_world.other.rows("title") == [("a",)]


def test_a_day_and_a_moment_of_it_do_not_overwrite_each_other() -> None:
    here = world()
    moment = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
    here.notion.add(Title="a", Done=False, Note=moment)
    here.other.add(title="a", done=False, note=moment.date())
    task = here.task()
    state = task.sync(None)

    assert here.writes() == {"notion": {}, "other": {}}
    here.assert_quiet(task, state)


def test_an_edit_that_beats_a_deletion_is_in_the_report(any_world: World) -> None:
    task, state = any_world.linked("a", "b")
    any_world.notion.remove("n1")
    any_world.other.edit("o1", note="edited")

    task.sync(state)

    assert task.report.remade == ["o1"]
