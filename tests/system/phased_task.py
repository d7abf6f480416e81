"""A `JsonTask` that a test can stop in each of the three phases, and within a write after it was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sync_workers.engine.rules import Rules
from sync_workers.model import NOTHING, Pair
from sync_workers.services.budget import Budget
from sync_workers.services.hooks import HooksService
from tests.worker.json_task import JsonTask

WORDS = {"get": "list-other", "diff": "decide", "apply": "create-other"}
"""What is done in the middle of each phase."""


class PhasedTask(JsonTask):
    """Says also `decide` when a run decides, and `made-SIDE`, `wrote-SIDE` when a write was sent."""

    _reads_or_writes = False

    @contextmanager
    def sync_services(
        self, budget: Budget | None = None, known: Mapping[str, str] = NOTHING, /
    ) -> Iterator[Pair[HooksService]]:
        self._reads_or_writes = True
        try:
            with super().sync_services(budget, known) as services:
                yield services
        finally:
            self._reads_or_writes = False

    @property
    def sync_rules(self) -> Rules:
        if not self._reads_or_writes:
            self.did("decide")
        return super().sync_rules

    def notion_create_obj(self, **kwargs: Any) -> Any:
        made = super().notion_create_obj(**kwargs)
        self.did("made-notion")
        return made

    def other_create_obj(self, **kwargs: Any) -> Any:
        made = super().other_create_obj(**kwargs)
        self.did("made-other")
        return made

    def notion_update_obj(self, obj: Any, attr: str, value: Any) -> None:
        super().notion_update_obj(obj, attr, value)
        self.did("wrote-notion")

    def other_update_obj(self, obj: Any, attr: str, value: Any) -> None:
        super().other_update_obj(obj, attr, value)
        self.did("wrote-other")
