"""A task between two fresh memory containers and a real Redis, for the commands of one test."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sync_workers.model import ID, Pair, Side
from sync_workers.redis.connect import Client
from sync_workers.redis.state_store import load
from sync_workers.services.memory import Container, container
from sync_workers.state import State

NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Scene:
    """A task between two fresh containers."""

    task: str
    left: Container
    right: Container
    client: Client

    @property
    def state(self) -> State:
        return load(self.client, self.task) or State()

    @property
    def containers(self) -> Pair[Container]:
        return Pair(self.left, self.right)

    def shown(self, side: Side) -> Mapping[ID, Mapping[str, object]]:
        return {record_id: dict(one.fields) for record_id, one in self.containers[side].records.items()}


def set_up(client: Client, task: str, *, more: str = "") -> Scene:
    """Write the task file of such a task into the working directory; `more` goes into its table."""
    left, right = (f"{side}-{task}-{next(NUMBERS)}" for side in ("left", "right"))
    Path("sync.toml").write_text(
        f"""
        [connections.scratch]
        kind = "memory"
        [tasks.{task}]
        match = ["title"]
        notion = {{ connection = "scratch", container = "{left}" }}
        other = {{ connection = "scratch", container = "{right}" }}
        {more}
        [tasks.{task}.fields]
        title = "title"
        note = "note"
        """,
        encoding="utf-8",
    )
    return Scene(task, container(left), container(right), client)


def titles(one: Container) -> list[str]:
    return sorted(record.fields["title"] for record in one.records.values())
