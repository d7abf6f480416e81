"""The delete policies of a `SyncTask`, for both sides or for each."""

from __future__ import annotations

import pytest

from sync_workers import DeletePolicy, OutOfScopePolicy, Pair, State
from sync_workers.report import Outcome
from tests.task_worlds import Todo, world

IGNORE, PROPAGATE, UNLINK = DeletePolicy.IGNORE, DeletePolicy.PROPAGATE, DeletePolicy.UNLINK


@pytest.mark.parametrize(
    ("policy", "writes", "left", "ignored"),
    [
        (PROPAGATE, {"notion": {"delete": 1}, "other": {"delete": 1}}, 1, 0),
        (UNLINK, {"notion": {}, "other": {}}, 1, 0),
        (IGNORE, {"notion": {}, "other": {}}, 3, 2),
        (Pair(notion=IGNORE, other=PROPAGATE), {"notion": {}, "other": {"delete": 1}}, 2, 1),
        (Pair(notion=PROPAGATE, other=UNLINK), {"notion": {"delete": 1}, "other": {}}, 1, 0),
    ],
)
def test_what_was_deleted_goes_as_the_policy_of_the_other_side_says(
    policy: DeletePolicy | Pair[DeletePolicy],
    writes: dict[str, dict[str, int]],
    left: int,
    ignored: int,
) -> None:
    here = world()
    task, state = here.linked("gone on notion", "gone on other", "stays")
    task.delete_policy = policy
    here.notion.remove("n1")
    here.other.remove("o2")

    state = task.sync(state)

    assert (here.writes(), len(state.ids), len(task.report.ignored)) == (writes, left, ignored)
    assert (task.report.outcome, task.report.held) == (Outcome.DONE, [])
    here.assert_quiet(task, state)


def test_a_deletion_that_is_ignored_ends_when_the_object_is_back() -> None:
    here = world()
    task, state = here.linked("a", "b")
    task.delete_policy = IGNORE
    taken = here.notion.things.pop("n1")
    here.other.edit("o1", note="meanwhile")
    state = task.sync(state)

    here.notion.things["n1"] = taken
    task.sync(state)

    assert here.writes() == {"notion": {"update": 1}, "other": {}}
    assert here.sides_agree()
    assert task.report.ignored == []


def test_a_step_that_is_called_by_itself_tells_what_it_ignores() -> None:
    here = world()
    task, state = here.linked("a", "b")
    task.delete_policy = IGNORE
    here.notion.remove("n1")
    objects = here.notion.things, here.other.things
    assert isinstance(task.sync_notion_deleted(state, *objects), State)
    assert [hold.record_id for hold in task.report.ignored] == ["o1"]
    task.sync_other_deleted(state, *objects)
    assert task.report.ignored == []


def test_a_subclass_sets_what_happens_to_what_is_out_of_scope() -> None:
    class Parting(Todo):
        out_of_scope_policy = OutOfScopePolicy.UNLINK

    here = world()
    assert here.task().sync_rules.out_of_scope is OutOfScopePolicy.WAIT
    assert here.task(Parting).sync_rules.out_of_scope is OutOfScopePolicy.UNLINK
