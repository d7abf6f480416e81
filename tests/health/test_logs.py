"""Records as JSON: each line is an object that says what it is about, also those of libraries."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_workers.logs import JsonFormatter, about
from tests.conftest import wait_until
from tests.worker.deployment import Deployment, deployed

PLANTED = "hunter2-the-planted-value"


def written(message: str = "said %s", *args: object, **extra: object) -> dict[str, Any]:
    logger = logging.getLogger("some.library")
    record = logger.makeRecord(
        "some.library", logging.INFO, "file", 1, message, args, None, extra=extra or None
    )
    found: dict[str, Any] = json.loads(JsonFormatter().format(record))
    return found


def test_a_record_says_when_who_and_what() -> None:
    found = written("said %s", "ä\nb", action="end", task="todo", values="not for the log")
    assert found["message"] == "said ä\nb"
    assert (found["logger"], found["level"], found["action"], found["task"]) == (
        "some.library", "info", "end", "todo",
    )  # fmt: skip
    assert found["time"].endswith("+00:00")
    assert "values" not in found


def test_what_is_logged_in_the_middle_of_a_phase_says_so_and_not_afterwards() -> None:
    with about(task="todo", run="1"):
        with about(phase="get"):
            found = written("x")
        assert (found["task"], found["run"], found["phase"]) == ("todo", "1", "get")
        assert "phase" not in written("x")
        assert written("x", run="2")["run"] == "2", "what a record says itself counts"
    assert "task" not in written("x")


def test_an_exception_is_told_by_its_kind_and_where_it_was_raised() -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        record = logging.LogRecord("x", logging.ERROR, "file", 1, "broken", None, sys.exc_info())
    found = json.loads(JsonFormatter().format(record))
    assert found["error"] == "ZeroDivisionError"
    assert "test_logs.py" in found["traceback"]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as deployment:
        deployment.environment["SYNC_WORKERS_LOG_FORMAT"] = "json"
        yield deployment


@pytest.mark.system
def test_every_line_of_a_worker_is_json_and_those_of_a_run_carry_its_id(here: Deployment) -> None:
    here.task.put("notion", Name=PLANTED, Done=False)
    worker = here.worker()
    run = here.enqueue(wait=60)["run"]
    wait_until(lambda: here.log(worker).count("succeeded in") >= 3, "all phases are logged")

    text = here.log(worker)
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    assert PLANTED not in text
    ended = [line for line in lines if line.get("action") == "end"]
    assert [(line["task"], line["run"], line["phase"]) for line in ended] == [("todo", run, "apply")]
    # What Celery says of its own start goes past every log.
    plain = [line for line in text.partition("ready.")[2].splitlines()[1:] if not line.startswith("{")]
    assert plain == []
