"""An approval that dies at every place: approved again, or left to the next run, nothing is doubled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from sync_workers.errors import GuardError, MovedError
from sync_workers.model import Pair, Side
from sync_workers.redis.connect import Client
from sync_workers.report import Outcome
from sync_workers.runs.refused import Refusal
from sync_workers.services.memory import Container
from tests.approval.stage import MemoryTask, Stage
from tests.conftest import remove_task


@pytest.fixture(autouse=True)
def quiet_log() -> Iterator[None]:
    """Hundreds of runs fail here on purpose."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def many_lost(stage: Stage) -> Refusal:
    return stage.situation()


def another_container(stage: Stage) -> Refusal:
    """Records are dropped from their links and made in another container, where one is already."""
    stage.link("Rice", "Salt", "Tea")
    stage.task.containers = Pair(stage.task.containers.notion, Container("another"))
    stage.add(Side.OTHER, title="Rice", text="as it was")
    return stage.kept()


SITUATIONS = pytest.mark.parametrize("situation", [many_lost, another_container])
Situation = Callable[[Stage], Refusal]


def stages(client: Client, name: str, situation: Situation) -> Iterator[Stage]:
    """The same situation once for each place at which an approval dies, or loses a request or a reply."""
    whole = Stage(client, MemoryTask(name))
    for place in range(1, whole.die_at(10_000, situation(whole)) + 1):
        remove_task(client, name)
        stage = Stage(client, MemoryTask(name))
        stage.die_at(place, situation(stage))
        yield stage


def in_step(stage: Stage) -> None:
    """Run, and approve what is refused, until nothing is left to do: all is there, and once."""
    for _ in range(5):
        try:
            if stage.run().planned == 0:
                break
        except GuardError as error:
            (refusal,) = [one for one in stage.plans.kept() if one.id == error.kept]
            stage.approve(refusal)
    titles = Pair.each(lambda side: sorted(content[0] for content in stage.shown(side).elements()))
    assert titles == Pair(["Rice", "Salt", "Tea"], ["Rice", "Salt", "Tea"])
    assert stage.is_quiet()


@SITUATIONS
def test_r3_r5_an_approval_that_died_goes_on_when_it_is_asked_for_again(
    redis_client: Client, task_name: str, situation: Situation
) -> None:
    went_on = 0
    for stage in stages(redis_client, task_name, situation):
        for refusal in stage.plans.kept():
            report = stage.approve(refusal)
            assert report.outcome is Outcome.DONE
            went_on += report.planned < sum(refusal.counts.values())
        assert stage.plans.kept() == []
        in_step(stage)
    assert went_on > 10


@SITUATIONS
def test_r3_r5_what_an_approval_that_died_left_undone_the_next_runs_do(
    redis_client: Client, task_name: str, situation: Situation
) -> None:
    for stage in stages(redis_client, task_name, situation):
        in_step(stage)


def test_r3_r5_an_approval_that_died_twice_goes_on(redis_client: Client, task_name: str) -> None:
    """The second attempt numbers the operations that were left, so the third must count from those."""
    for number, stage in enumerate(stages(redis_client, task_name, many_lost)):
        for refusal in stage.plans.kept():
            stage.die_at(3 + number % 17, refusal)
        for refusal in stage.plans.kept():
            assert stage.approve(refusal).outcome is Outcome.DONE
        assert stage.plans.kept() == []
        in_step(stage)


def test_r7_an_approval_that_goes_on_still_looks_whether_the_rest_holds(
    redis_client: Client, task_name: str
) -> None:
    refused = 0
    for stage in stages(redis_client, task_name, many_lost):
        stage.edit(Side.OTHER, stage.rice.other, note="mine")
        before = stage.shown(Side.OTHER)
        for refusal in stage.plans.kept():
            with suppress(MovedError):
                stage.approve(refusal)
                continue
            refused += 1
            assert stage.shown(Side.OTHER) == before
        assert stage.task.containers.other.records[stage.rice.other].fields["note"] == "mine"
    assert refused > 10
