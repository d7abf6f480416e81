"""One task with its Redis, and phases called as a worker would call them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sync_workers.redis.connect import Client
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.report import Trigger
from sync_workers.worker import phases
from sync_workers.worker.delivery import Delivery, Done
from sync_workers.worker.process import Process
from tests.worker.json_task import JsonTask

PLANTED = "hunter2-the-planted-value"


class TrickyTask(JsonTask):
    """Does something of the test's own when a word is done, once each time it was asked to."""

    def __init__(self, name: str, folder: Path, mode: str = "newer") -> None:
        self.tricks: dict[str, Callable[[], object]] = {}
        super().__init__(name, folder, mode)

    def did(self, word: str) -> None:
        super().did(word)
        trick = self.tricks.pop(word, None)
        if trick is not None:
            trick()


@dataclass
class Stage:
    """One task with its Redis, and phases called as a worker would call them."""

    client: Client
    task: TrickyTask
    told: list[dict[str, Any]] = field(default_factory=list)

    @property
    def runs(self) -> RunsStore:
        return RunsStore(self.client, self.task.name)

    @property
    def process(self) -> Process:
        return Process(self.client, {self.task.name: self.task})

    def delivery(self, trigger: Trigger = Trigger.AD_HOC, run: str = "", **names: Any) -> Delivery:
        return Delivery(self.task.name, run or new_run_id(), trigger, **names)

    def phase(self, name: str, delivery: Delivery, **how: Any) -> Done:
        done: Done = getattr(phases, name)(delivery, self.process, self.told.append, **how)
        return done

    def run(self, delivery: Delivery | None = None) -> Done:
        """What the chain does."""
        delivery = delivery or self.delivery()
        for name in ("get", "diff"):
            done = self.phase(name, delivery)
            if not done.goes_on:
                return done
        while (done := self.phase("apply", delivery)).again:
            pass
        return done

    def words(self) -> list[str]:
        return [word for _, word in self.task.log()]


def raising(error: Exception) -> Callable[[], object]:
    def trick() -> object:
        raise error

    return trick
