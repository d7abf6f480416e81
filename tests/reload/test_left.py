"""A task file that has reached only some machines: who does not know a task leaves it to others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.worker.deployment import deployed

pytestmark = pytest.mark.system


def test_a_run_of_a_task_that_one_worker_does_not_know_is_carried_out_by_another(tmp_path: Path) -> None:
    with deployed(tmp_path) as here:
        # Given: a worker whose task file has another task alone.
        known = here.environment["SYNC_WORKERS_CONFIG"]
        (tmp_path / "others.py").write_text(
            "from pathlib import Path\nfrom tests.worker.json_task import JsonTask\n"
            f"JsonTask('another', Path({str(tmp_path)!r})).run_every(hours=9).schedule()\n"
        )
        (tmp_path / "others.toml").write_text('imports = ["others"]\n')
        here.environment["SYNC_WORKERS_CONFIG"] = str(tmp_path / "others.toml")
        ignorant = here.worker()
        here.environment["SYNC_WORKERS_CONFIG"] = known

        # When: a run comes to it, and then a worker that knows the task is there.
        here.task.put("notion", Name="Bread", Done=False)
        run = here.enqueue()
        wait_until(lambda: "Retry in" in here.log(ignorant), "the run is handed over", 30)
        here.worker()

        # Then: that one gets it, as often as one comes, and nothing is done twice.
        assert here.report(run, 30)["outcome"] == "done"
        for _ in range(2):
            assert here.enqueue(wait=30)["outcome"] == "done"
        assert here.task.shown("other") == [("Bread", False)]
        assert ignorant.poll() is None
