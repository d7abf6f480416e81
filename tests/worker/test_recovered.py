"""A worker that was killed in the middle of an update, and a person who edits meanwhile (rule R2)."""

from __future__ import annotations

from typing import Any

import pytest

from sync_workers.redis.keys import Keys
from tests.worker.stage import Stage


class KilledError(BaseException):
    """The process ends here."""


def test_an_edit_made_while_a_worker_was_killed_in_its_write_is_not_lost(stage: Stage) -> None:
    """What the worker had written is no edit of the other side, and wins no conflict."""
    page = stage.task.put("notion", Name="Bread", Done=False)
    stage.task.put("notion", Name="Milk", Done=False)
    assert stage.run().shown["outcome"] == "done"
    stage.task.put("notion", page, Done="one")
    delivery = stage.delivery()
    for phase in ("get", "diff"):
        stage.phase(phase, delivery)
    stage.task.put("notion", page, Done="two")  # the person goes on before our write
    write = stage.task.other_update_obj

    def killed(obj: Any, attr: str, value: Any) -> None:
        write(obj, attr, value)
        raise KilledError

    stage.task.other_update_obj = killed  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        stage.phase("apply", delivery)
    stage.task.other_update_obj = write  # type: ignore[method-assign]
    stage.client.ask("DEL", Keys(stage.task.name).lease)  # it ended

    done = stage.run()

    assert done.shown["conflicts"] == 0
    assert ("Bread", "two") in stage.task.shown("notion")
    assert stage.task.shown("notion") == stage.task.shown("other")
    assert stage.run().shown["planned"] == 0
