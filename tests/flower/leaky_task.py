"""A task whose listing raises with a value of a field in its message, once a file says so."""

from __future__ import annotations

from typing import Any

from tests.worker.json_task import JsonTask


class LeakyTask(JsonTask):
    def get_other_objects(self) -> list[Any]:
        objects = super().get_other_objects()
        if (self.folder / "leak").exists():
            raise ValueError(f"cannot make sense of {objects}")
        return objects
