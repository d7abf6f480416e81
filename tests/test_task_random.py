"""Random edits by people, random faults of both services, and in the end nothing is lost or doubled."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sync_workers import GuardError, Limits, State
from tests.task_worlds import LostReplyError, Objects, Server, Todo, World, world

TITLES = ("a", "b", "c", "d")
SIDES = st.sampled_from(["notion", "other"])
EDIT = st.tuples(
    st.sampled_from(["add", "edit", "remove"]), SIDES, st.sampled_from(TITLES), st.integers(0, 3)
)
FAULT = st.tuples(
    # Without the key of a new object nobody can tell whose counterpart it is, so "hash" is not among them.
    st.sampled_from(["create", "update", "delete", "id", "to_dict", "timestamp", "lost"]),
    SIDES,
    st.sampled_from(TITLES),
)
ROUND = st.tuples(st.lists(EDIT, max_size=4), st.lists(FAULT, max_size=3))


class Lenient(Todo):
    guard_limits = Limits(lost_share=1)


def server(here: World, side: str) -> Server:
    return here.notion if side == "notion" else here.other


def attrs(side: str, note: int) -> dict[str, Any]:
    return {("Note" if side == "notion" else "note"): f"{side} {note}"}


def edit(here: World, removed: set[tuple[str, str]], kind: str, side: str, title: str, note: int) -> None:
    """What a person does; a title is given once on each side and never changes."""
    at, name = server(here, side), ("Title" if side == "notion" else "title")
    found = [thing.id for thing in at.things.values() if thing.values[name] == title]
    if kind == "add" and not found and (side, title) not in removed:
        done = "Done" if side == "notion" else "done"
        at.add(**{name: title, done: False}, **attrs(side, note))
    elif kind == "edit" and found:
        at.edit(found[0], **attrs(side, note))
    elif kind == "remove" and found:
        at.remove(found[0])
        removed.add((side, title))


def break_it(here: World, kind: str, side: str, title: str) -> None:
    if kind == "lost":
        server(here, side).lost += 1
    else:
        server(here, side).faults[kind, title] = LostReplyError()


def mend(here: World) -> None:
    for at in (here.notion, here.other):
        at.faults.clear()
        at.lost = 0


@settings(max_examples=150, deadline=None)
@given(
    objects=st.tuples(st.sampled_from(Objects), st.sampled_from(Objects)), rounds=st.lists(ROUND, max_size=4)
)
def test_whatever_happens_both_sides_agree_in_the_end(objects: tuple[Objects, Objects], rounds: Any) -> None:
    here = world(*objects)
    task = here.task(Lenient)
    state: State | None = None
    removed: set[tuple[str, str]] = set()
    for edits, faults in rounds:
        for step in edits:
            edit(here, removed, *step)
        for fault in faults:
            break_it(here, *fault)
        try:
            state = task.sync(state)
        except GuardError:
            assert task.report.writes == 0
        if state is not None:
            state = State.model_validate_json(state.model_dump_json())
        mend(here)

    try:
        state = task.sync(state)
    except GuardError:
        return  # everything is gone on one side: a person has to say whether that is meant
    assert here.sides_agree(), (here.notion.rows("Title", "Note"), here.other.rows("title", "note"))
    assert not task.report.ambiguous
    titles = [title for (title,) in here.notion.rows("Title")]
    assert len(titles) == len(set(titles))
    here.assert_quiet(task, state)
