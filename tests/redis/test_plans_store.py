"""Where refused plans are kept: how long, how many, under whose lease, and that nothing else has values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sync_workers.errors import LeaseLostError, StateError
from sync_workers.model import Action, Operation, Pair, Part, Plan, Record, Side
from sync_workers.redis.keys import Keys
from sync_workers.redis.plans_store import KEPT, MOST, PlansStore
from sync_workers.redis.runs_store import new_run_id
from sync_workers.report import Trigger
from sync_workers.runs.refused import RefusedPlan
from tests.redis.task import Task

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PLANTED = "hunter2-the-planted-value"


def refused(number: int = 0) -> RefusedPlan:
    record = Record(f"n{number}", {"Name": PLANTED})
    operation = Operation(
        Part.NOTION_CREATED, Action.CREATE, Side.OTHER, Pair(record.id, None), "new on notion",
        Pair(record, None), {"title": PLANTED},
    )  # fmt: skip
    return RefusedPlan(Plan((operation,)), {"fields": "a"}, {"fields": "a"})


def plans(task: Task) -> PlansStore:
    return PlansStore(task.client, task.name)


def keep(
    task: Task, plan: RefusedPlan, at: datetime = NOON, run: str = "", reasons: Sequence[str] = ("odd",)
) -> str:
    """Keep a plan that a run was refused."""
    lease = task.lease(run or new_run_id())
    lease.take(Trigger.BEAT, first=True)
    name = plans(task).keep(lease, Trigger.BEAT, plan, reasons, at)
    lease.end(task.summary(lease.run))
    return name


def keys(task: Task) -> set[str]:
    found = task.client.ask("KEYS", f"{Keys(task.name).prefix}:plan*")
    return {key.decode().removeprefix(Keys(task.name).prefix) for key in found}


def test_what_is_kept_comes_back_with_what_is_told_about_it(task: Task) -> None:
    name = keep(task, refused(), run="one", reasons=("odd", "and big"))
    (told,) = plans(task).kept()
    assert (told.id, told.reasons, told.counts) == (name, ("odd", "and big"), {"other.create": 1})
    assert (told.first, told.last, told.times, told.run) == (NOON, NOON, 1, "one")
    assert (told.trigger, told.approved_by) == (Trigger.BEAT, None)
    assert plans(task).load(name) == refused()


def test_the_same_plan_in_every_interval_is_one_that_moves_on(task: Task) -> None:
    for number in range(5):
        keep(task, refused(), NOON + timedelta(minutes=number), run=f"run {number}")
    (told,) = plans(task).kept()
    assert (told.times, told.run) == (5, "run 4")
    assert (told.first, told.last) == (NOON, NOON + timedelta(minutes=4))


def test_a_run_that_is_delivered_twice_counts_once(task: Task) -> None:
    lease = task.working("one")
    for _ in range(2):
        plans(task).keep(lease, Trigger.BEAT, refused(), ["odd"], NOON)
    assert [told.times for told in plans(task).kept()] == [1]


def test_the_one_that_was_refused_last_comes_first(task: Task) -> None:
    for number in (1, 3, 2):
        keep(task, refused(number), NOON + timedelta(minutes=number))
    minutes = [(told.last - NOON) / timedelta(minutes=1) for told in plans(task).kept()]
    assert minutes == [3, 2, 1]


def test_only_the_newest_ten_are_kept(task: Task) -> None:
    names = [keep(task, refused(number), NOON + timedelta(minutes=number)) for number in range(MOST)]
    keep(task, refused(0), NOON + timedelta(hours=1))  # the first one is refused again
    assert len(plans(task).kept()) == MOST
    newest = keep(task, refused(MOST), NOON + timedelta(hours=2))

    kept = [told.id for told in plans(task).kept()]
    assert kept == [newest, names[0], *reversed(names[2:])]
    assert keys(task) == {":plans", *(f":plan:{name}" for name in kept)}


def test_a_plan_ends_by_itself_thirty_days_after_it_was_refused_last(task: Task) -> None:
    name = keep(task, refused())
    key = Keys(task.name).plan(name)
    for each in (key, Keys(task.name).plans):
        left = timedelta(seconds=task.client.ask("TTL", each))
        assert KEPT - timedelta(minutes=5) < left <= KEPT
    task.client.ask("PEXPIRE", key, 60_000)
    keep(task, refused())
    assert task.client.ask("TTL", key) > timedelta(days=29).total_seconds()


def test_a_plan_that_ended_by_itself_is_not_told_of_and_makes_room(task: Task) -> None:
    old = keep(task, refused(1))
    task.client.ask("DEL", Keys(task.name).plan(old))
    assert plans(task).kept() == []
    assert plans(task).load(old) is None
    keep(task, refused(2))
    assert task.client.ask("HLEN", Keys(task.name).plans) == 1
    # One that comes again begins anew.
    keep(task, refused(1), NOON + timedelta(days=40))
    assert {told.times for told in plans(task).kept()} == {1}


def test_what_another_version_wrote_is_not_told_of_and_stands_in_nobodys_way(task: Task) -> None:
    name = keep(task, refused(1))
    task.client.ask("HSET", Keys(task.name).plans, name, '{"$Refusal": ["what", "is", "this"]}')
    assert plans(task).kept() == []
    again = keep(task, refused(1))
    assert [told.id for told in plans(task).kept()] == [again]


def test_a_damaged_plan_is_named_with_the_remedy(task: Task) -> None:
    name = keep(task, refused())
    task.client.ask("SET", Keys(task.name).plan(name), b"x")
    with pytest.raises(StateError, match="delete it"):
        plans(task).load(name)


def test_a_discarded_plan_leaves_nothing(task: Task) -> None:
    name = keep(task, refused())
    plans(task).discard(name)
    plans(task).discard(name)
    assert plans(task).kept() == []
    assert keys(task) == set()


def test_an_older_attempt_keeps_nothing(task: Task) -> None:
    older, newer = task.working("one"), task.working("one")
    assert newer.fence > older.fence
    with pytest.raises(LeaseLostError, match="kept no plan"):
        plans(task).keep(older, Trigger.BEAT, refused(), ["odd"], NOON)
    name = plans(task).keep(newer, Trigger.BEAT, refused(), ["odd"], NOON)
    (told,) = plans(task).kept()
    with pytest.raises(LeaseLostError):
        plans(task).begin(older, told, replace(refused(), plan=Plan()))
    assert plans(task).load(name) == refused()


def test_r11_values_stand_in_the_plans_own_key_only(task: Task) -> None:
    name = keep(task, refused())
    (told,) = plans(task).kept()
    assert PLANTED not in str(told)
    found = task.client.ask("KEYS", f"{Keys(task.name).prefix}:*")
    assert len(found) > 3
    for key in found:
        if key.decode() != Keys(task.name).plan(name):
            assert PLANTED.encode() not in task.client.ask("DUMP", key)
    assert PLANTED.encode() not in task.client.ask("HGET", Keys(task.name).plans, name)


def test_what_an_approval_began_is_known_from_its_journal_and_from_the_history(task: Task) -> None:
    name = keep(task, refused())
    lease = task.working("approval")
    (told,) = plans(task).kept()
    assert plans(task).begun(told) == frozenset()
    plans(task).begin(lease, told, refused())
    (told,) = plans(task).kept()
    assert (told.id, told.approved_by) == (name, "approval")
    task.client.ask("HSET", Keys(task.name).journal("approval"), "3", "attempt", "5", "done")
    assert plans(task).begun(told) == {3, 5}
    # When it is refused once more, whoever approves it then begins anew.
    lease.end(task.summary("approval"))
    keep(task, refused())
    (told,) = plans(task).kept()
    assert plans(task).begun(told) == frozenset()
