"""Two tasks of one task file on a real Redis: the one reads the links of the other from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from sync_workers.config.read import read
from sync_workers.fields import Field, Kind
from sync_workers.local import plan_of, run_here
from sync_workers.local_state import findings
from sync_workers.model import Side
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.runs_store import new_run_id
from sync_workers.report import Outcome, Trigger
from sync_workers.runs.task import Task
from sync_workers.service_task import ServiceTask
from sync_workers.services.memory import Container, container
from sync_workers.worker import phases
from sync_workers.worker.delivery import Delivery
from sync_workers.worker.process import Process

TEXT = """\
[connections.here]
kind = "memory"
[tasks.projects-{id}]
match = ["Name"]
notion = {{ connection = "here", container = "np-{id}" }}
other = {{ connection = "here", container = "op-{id}" }}
fields = {{ Name = "title" }}
[tasks.tasks-{id}]
match = ["Name"]
notion = {{ connection = "here", container = "nt-{id}" }}
other = {{ connection = "here", container = "ot-{id}" }}
[tasks.tasks-{id}.fields]
Name = "title"
Project = {{ other = "project_id", relation = "projects-{id}" }}
Above = {{ other = "above_id", relation = "tasks-{id}" }}
"""


@dataclass
class Desk:
    client: Client
    id: str
    tasks: dict[str, Task]

    def place(self, name: str) -> Container:
        return container(f"{name}-{self.id}")

    def task(self, name: str) -> Task:
        return self.tasks[f"{name}-{self.id}"]

    def shown(self) -> dict[str, tuple[object, object]]:
        """By title the titles of what each task of the other side names."""
        titles = {r.id: r.fields["title"] for n in ("op", "ot") for r in self.place(n).records.values()}
        return {
            str(r.fields["title"]): (
                titles.get(r.fields.get("project_id", "")), titles.get(r.fields.get("above_id", ""))
            )
            for r in self.place("ot").records.values()
        }  # fmt: skip


@pytest.fixture
def desk(redis_client: Client) -> Iterator[Desk]:
    number = uuid4().hex[:10]
    file = read(TEXT.format(id=number), Path("/there/sync.toml"))
    made = Desk(redis_client, number, {name: ServiceTask(config) for name, config in file.tasks.items()})
    one = Field("project_id", Kind.TEXT)
    made.place("ot").fields |= {"title": Field("title", Kind.TEXT), "project_id": one}
    made.place("ot").fields["above_id"] = Field("above_id", Kind.TEXT)
    garden = made.place("np").add(Name="Garden").id
    spade = made.place("nt").add(Name="Find a spade", Project=[garden], Above=[]).id
    dig = made.place("nt").add(Name="Dig", Project=[garden], Above=[]).id
    made.place("nt").edit(spade, Above=[dig])
    yield made
    for name in made.tasks:
        keys = redis_client.ask("KEYS", f"{Keys(name).prefix}*")
        for key in keys:
            redis_client.ask("DEL", key)


def in_phases(desk: Desk, name: str) -> str:
    """As workers do: each phase stores what the next one takes up."""
    task = desk.task(name)
    delivery = Delivery(task.name, new_run_id(), Trigger.AD_HOC)
    process = Process(desk.client, {task.name: task})
    done = phases.get(delivery, process)
    for phase in (phases.diff, phases.apply):
        if done.goes_on:
            done = phase(delivery, process)
    return str(done.shown["outcome"])


def in_process(desk: Desk, name: str) -> str:
    return str(run_here(desk.task(name), desk.client).outcome.value)


@pytest.mark.parametrize("run", [in_phases, in_process])
def test_tasks_find_the_links_of_their_projects_in_redis(desk: Desk, run: Callable[[Desk, str], str]) -> None:
    assert run(desk, "tasks") == Outcome.DONE.value
    assert desk.shown() == {"Find a spade": (None, "Dig"), "Dig": (None, None)}
    assert run(desk, "projects") == Outcome.DONE.value

    plan, _, _ = plan_of(desk.task("tasks"), desk.client)
    assert [op.side for op in plan] == [Side.OTHER, Side.OTHER]
    assert run(desk, "tasks") == Outcome.DONE.value

    assert desk.shown() == {"Find a spade": ("Garden", "Dig"), "Dig": ("Garden", None)}
    plan, report, _ = plan_of(desk.task("tasks"), desk.client)
    assert (plan.operations, plan.held) == ((), ())
    assert findings(desk.task("tasks"), desk.client) == ()
    assert report.conflicts == []
