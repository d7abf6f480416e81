"""What only a person can mend at Notion pauses the task: told once, and not asked for again at each tick."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.model import NOTHING, Pair
from sync_workers.redis.connect import Client
from sync_workers.redis.pauses import By, pause_of_task
from sync_workers.redis.runs_store import new_run_id
from sync_workers.report import Trigger
from sync_workers.sandbox.notion import TOKEN
from sync_workers.services.base import Mapped, Service
from sync_workers.services.budget import Budget
from sync_workers.services.memory import Container, MemoryService
from sync_workers.worker import phases
from sync_workers.worker.delivery import Delivery, Done
from sync_workers.worker.process import Process
from tests.runs.phased import PhasedTask
from tests.services.notion.world import NotionWorld, notion_world


@dataclass
class NotionTask(PhasedTask):
    """A task between the sandbox and records in memory."""

    world: NotionWorld
    place: Container
    sync_rules: Rules = Rules((FieldRule(Pair("Name", "name")),))

    @contextmanager
    def sync_services(
        self, budget: Budget | None = None, _known: Mapping[str, str] = NOTHING, /
    ) -> Iterator[Pair[Service]]:
        self.world.budget = budget
        with closing(self.world.open(Mapped(("Name",), key="Name"))) as service:
            yield Pair(service, MemoryService(self.place, Mapped(("name",), key="name")))


@dataclass
class Scene:
    client: Client
    task: NotionTask

    def __post_init__(self) -> None:
        self.process = Process(self.client, {self.task.name: self.task})
        self.notion = self.task.world.notion

    def run(self, trigger: Trigger = Trigger.BEAT) -> Done:
        delivery = Delivery(self.task.name, new_run_id(), trigger)
        for name in ("get", "diff", "apply"):
            done: Done = getattr(phases, name)(delivery, self.process)
            if not done.goes_on:
                break
        return done


@pytest.fixture
def scene(redis_client: Client, task_name: str, tmp_path: Path) -> Iterator[Scene]:
    with notion_world(tmp_path) as world:
        place = Container("place")
        place.add(name="Bread")
        yield Scene(redis_client, NotionTask(task_name, world, place))


def bad_token(scene: Scene) -> Callable[[], None]:
    bot = scene.notion.tokens.pop(TOKEN)
    return lambda: scene.notion.tokens.update({TOKEN: bot})


def failing(kind: str, method: str, path: str, **more: str) -> Callable[[Scene], Callable[[], None]]:
    def fail(scene: Scene) -> Callable[[], None]:
        scene.notion.faults.add(kind, method, path, times=1000, **more)
        return scene.notion.faults.clear

    return fail


REFUSALS = {
    "401": (bad_token, "token"),
    "403 of a listing": (failing("forbidden", "POST", "query"), "403"),
    "403 of a write": (failing("forbidden", "POST", "/v1/pages$"), "403"),
    "blocked": (failing("rate_limited", "GET", "/", reason="public_api_request_blocked"), "blocked"),
    "blocked in a write": (
        failing("rate_limited", "POST", "/v1/pages$", reason="public_api_request_blocked"),
        "blocked",
    ),
    "no blocks left": (failing("block_limit", "POST", "/v1/pages$"), "Free plan"),
}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_it_pauses_the_task_is_told_once_and_ends_when_it_works_again(
    scene: Scene, refusal: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    refuse, word = REFUSALS[refusal]
    mend = refuse(scene)

    first = scene.run()
    assert word in str(first.shown), first
    pause = pause_of_task(scene.client, scene.task.name)
    assert pause is not None
    assert pause.by is By.SERVICE
    assert word in pause.reason

    asked = len(scene.notion.seen_requests())
    for _ in range(3):
        assert scene.run().shown["outcome"] == "paused"
    assert len(scene.notion.seen_requests()) == asked, "a dropped tick calls nobody"
    alerts = [record for record in caplog.records if getattr(record, "action", "") == "alert"]
    assert len(alerts) == 1

    scene.run(Trigger.AD_HOC)  # a person tries before it is mended
    alerts = [record for record in caplog.records if getattr(record, "action", "") == "alert"]
    assert len(alerts) == 1

    mend()
    assert scene.run(Trigger.AD_HOC).shown["outcome"] == "done"
    assert pause_of_task(scene.client, scene.task.name) is None
    assert [row.values["Name"] for row in scene.notion.pages(scene.task.world.source)] == ["Bread"]


@pytest.mark.parametrize("kind", ["html", "broken", "cut_json", "timeout"])
def test_what_passes_by_itself_pauses_nothing(scene: Scene, kind: str) -> None:
    times = 3 if kind == "timeout" else 1  # fewer rows are asked for first
    scene.notion.faults.add(kind, "POST", "query", times=times)
    scene.run()
    assert pause_of_task(scene.client, scene.task.name) is None
    scene.notion.faults.clear()
    assert scene.run().shown["outcome"] in {"done", "partial"}
    assert [row.values["Name"] for row in scene.notion.pages(scene.task.world.source)] == ["Bread"]


@pytest.mark.parametrize("kind", ["html", "cut_json", "saved", "not_saved", "overload", "conflict"])
def test_a_create_that_met_a_fault_is_made_once(scene: Scene, kind: str) -> None:
    scene.notion.faults.add(kind, "POST", "/v1/pages$")
    for _ in range(3):
        scene.run()
    assert [row.values["Name"] for row in scene.notion.pages(scene.task.world.source)] == ["Bread"]
    assert pause_of_task(scene.client, scene.task.name) is None
