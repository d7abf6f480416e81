"""The records that the next run asks for by their ids."""

from __future__ import annotations

from collections.abc import Mapping

from sync_workers.model import ID, Side
from sync_workers.redis.looks import CHUNK, Looks
from sync_workers.redis.taking import Following, Taken
from sync_workers.report import Trigger
from tests.redis.task import Task


def used(task: Task, side: Side, looks: Mapping[ID, str]) -> None:
    """What a run does that has used them."""
    run = f"run {looks}"
    lease = task.lease(run)
    taken = lease.take(Trigger.LOCAL, first=True)
    assert isinstance(taken, Taken)
    task.runs.put_mirror(run, taken.fence, side, None, (), looks)
    lease.end(task.summary(run))


def test_looks_are_kept_by_side_and_twice_is_once(task: Task) -> None:
    looks = Looks(task.client, task.name)
    looks.add(Side.NOTION, ["a", "b", "a"])
    looks.add(Side.NOTION, ["b"])
    looks.add(Side.OTHER, [])
    assert set(looks.waiting(Side.NOTION)) == {"a", "b"}
    assert looks.waiting(Side.OTHER) == {}


def test_what_was_used_is_gone(task: Task) -> None:
    looks = Looks(task.client, task.name)
    looks.add(Side.NOTION, ["a", "b"])
    used(task, Side.NOTION, looks.waiting(Side.NOTION))
    assert looks.waiting(Side.NOTION) == {}


def test_what_is_added_while_a_run_works_waits_for_the_next_one(task: Task) -> None:
    looks = Looks(task.client, task.name)
    looks.add(Side.NOTION, ["a", "b"])
    seen = looks.waiting(Side.NOTION)
    looks.add(Side.NOTION, ["b", "c"])  # b was changed once more
    used(task, Side.NOTION, seen)
    assert set(looks.waiting(Side.NOTION)) == {"b", "c"}


def test_thousands_of_them_go_in_pieces(task: Task) -> None:
    looks = Looks(task.client, task.name)
    looks.add(Side.OTHER, (str(number) for number in range(2 * CHUNK + 1)))
    seen = looks.waiting(Side.OTHER)
    assert len(seen) == 2 * CHUNK + 1
    used(task, Side.OTHER, seen)
    assert looks.waiting(Side.OTHER) == {}


def test_a_run_of_looks_alone_says_so_in_all_its_attempts(task: Task) -> None:
    assert task.begin("one", Trigger.WEBHOOK, looks=True) == Taken(fence=1, full=False, looks=True)
    later = task.lease("one").take(Trigger.WEBHOOK, first=False)
    assert later == Taken(fence=2, full=False, looks=True)


def test_of_requests_that_wait_the_widest_counts(task: Task) -> None:
    one = task.working("one")
    task.begin("two", Trigger.WEBHOOK, looks=True)
    task.begin("three", Trigger.WEBHOOK, looks=True)
    assert one.end(task.summary("one")) == Following("two", full=False, looks=True, trigger=Trigger.WEBHOOK)
    assert task.begin("two", Trigger.WEBHOOK, looks=True) == Taken(fence=2, full=False, looks=True)

    task.begin("four", Trigger.WEBHOOK, looks=True)
    task.begin("five", Trigger.AD_HOC)
    two = task.lease("two")
    two.take(Trigger.WEBHOOK, first=False)
    assert two.end(task.summary("two")) == Following("four", full=False, looks=False)


def test_a_run_of_looks_that_takes_over_from_one_that_died_does_the_work_of_that_one(task: Task) -> None:
    task.working("one")
    task.client.ask("DEL", task.lease("one").keys.lease)
    assert task.begin("two", Trigger.WEBHOOK, looks=True) == Taken(fence=2, full=False)


def test_a_tick_that_answers_for_a_request_of_looks_is_a_run_like_any_other(task: Task) -> None:
    one = task.working("one")
    task.begin("two", Trigger.WEBHOOK, looks=True)
    one.end(task.summary("one"))
    assert task.begin("tick", Trigger.BEAT) == Taken(fence=2, full=False)
