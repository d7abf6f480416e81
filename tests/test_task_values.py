"""Services that keep something else than what they were sent, and objects that do not show it."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.task_worlds import Objects, Todo, World, world

KINDS = list(itertools.product(Objects, Objects))


@pytest.fixture(params=KINDS, ids="-".join)
def any_world(request: pytest.FixtureRequest) -> World:
    """Live objects or mere copies on either side."""
    return world(*request.param)


@pytest.mark.parametrize("objects", Objects)
def test_a_service_that_rounds_is_not_taken_for_an_editor(objects: Objects) -> None:
    here = world(other=objects)
    here.other.keep = lambda attr, value: round(value, 1) if attr == "done" and value else value
    task, state = here.linked("a")
    here.notion.edit("n1", Done=0.123)
    here.notion.add(Title="new", Done=0.567, Note="")

    state = task.sync(state)

    assert here.other.rows("title", "done") == [("a", 0.1), ("new", 0.6)]
    state = here.assert_quiet(task, state)
    assert here.notion.rows("Title", "Done") == [("a", 0.123), ("new", 0.567)]
    # An edit of something else leaves the richer value alone.
    here.other.edit("o1", note="edited")
    state = task.sync(state)
    assert here.notion.rows("Title", "Done", "Note") == [("a", 0.123, "edited"), ("new", 0.567, "")]
    here.assert_quiet(task, state)


@pytest.mark.parametrize(
    "keep",
    [
        lambda _attr, value: value[:5] if isinstance(value, str) else value,
        lambda _attr, value: value.strip().lower() if isinstance(value, str) else value,
        lambda _attr, value: value or None,
    ],
    ids=["cuts", "normalises", "empties"],
)
@pytest.mark.parametrize("objects", Objects)
def test_a_service_that_changes_values_is_not_taken_for_an_editor(objects: Objects, keep: Any) -> None:
    here = world(notion=objects)
    here.notion.keep = keep
    task, state = here.linked("a")
    here.other.edit("o1", note=" A Long Text ")
    here.other.add(title="Another Title ", done=False, note=" B Long Text ")

    state = task.sync(state)

    state = here.assert_quiet(task, state)
    assert here.other.rows("title", "note") == [("Another Title ", " B Long Text "), ("a", " A Long Text ")]


@pytest.mark.parametrize("objects", Objects)
def test_a_service_that_ignores_a_write_gets_it_once(objects: Objects) -> None:
    here = world(other=objects)
    here.other.ignore = {"note"}
    task, state = here.linked("a")
    here.notion.edit("n1", Note="never taken", Done=True)

    state = task.sync(state)

    assert here.other.rows("done", "note") == [(True, "")]
    here.assert_quiet(task, state)
    assert here.notion.rows("Note") == [("never taken",)]


def test_copies_are_read_back_by_one_more_listing_and_live_objects_by_none() -> None:
    for objects, listings in ((Objects.LIVE, 1), (Objects.COPIES, 2)):
        here = world(other=objects)
        task, state = here.linked("a", "b")
        here.notion.edit("n1", Note="x")
        here.notion.edit("n2", Note="x")

        task.sync(state)

        assert (here.notion.listings, here.other.listings) == (1, listings)


def test_a_failing_read_back_loses_nothing() -> None:
    here = world(other=Objects.COPIES)
    task, state = here.linked("a", "b")
    here.notion.edit("n1", Note="x")

    class FailsLater(Todo):
        def get_other_objects(self) -> list[Any]:
            if here.other.log:
                raise ConnectionError
            return super().get_other_objects()

    state = here.task(FailsLater).sync(state)

    assert here.sides_agree()
    here.forget()
    state = task.sync(state)
    assert here.writes() == {"notion": {}, "other": {}}
    here.assert_quiet(task, state)
