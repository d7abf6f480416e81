"""Messages that nobody of ours sent: they start nothing, run no code, and stop no worker."""

from __future__ import annotations

import base64
import json
import pickle
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync_workers.redis.keys import queue_key
from tests.conftest import wait_until
from tests.worker.deployment import Deployment, deployed

pytestmark = pytest.mark.system


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as deployment:
        yield deployment


class Bomb:
    """What a pickle does when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def message(body: bytes, kind: str = "application/json", task: str = "sync.get", **headers: Any) -> bytes:
    """A message as kombu puts it into Redis."""
    made = str(uuid.uuid4())
    told = {
        "lang": "py", "task": task, "id": made, "root_id": made, "parent_id": None, "group": None,
        "argsrepr": "()", "kwargsrepr": "{}", "retries": 0, "timelimit": [None, None],
        "eta": None, "expires": None,
    }  # fmt: skip
    properties = {
        "correlation_id": made, "delivery_mode": 2,
        "delivery_info": {"exchange": "sync", "routing_key": "sync.get"}, "priority": 0,
         "body_encoding": "base64", "delivery_tag": made,
    }  # fmt: skip
    whole = {
        "body": base64.b64encode(body).decode(), "content-encoding": "utf-8", "content-type": kind,
        "headers": told | headers, "properties": properties,
    }  # fmt: skip
    return json.dumps(whole).encode()


def arguments(**names: Any) -> bytes:
    return json.dumps(
        [[], names, {"callbacks": None, "errbacks": None, "chain": None, "chord": None}]
    ).encode()


def test_a_worker_survives_whatever_stands_in_its_queue(here: Deployment, tmp_path: Path) -> None:
    bomb = tmp_path / "the-bomb-went-off"
    forged = {
        "a pickle": message(pickle.dumps([[Bomb(bomb)], {}, {}]), "application/x-python-serialize"),
        "an unknown Celery task": message(arguments(), task="os.system"),
        "no arguments": message(arguments()),
        "wrong arguments": message(arguments(task=["todo"], run={}, trigger=7, full="yes")),
        "an unknown trigger": message(arguments(task="todo", run="x", trigger="forged", full=False)),
        "no list": message(b'"text"'),
        "a number": message(b"7"),
        "an empty list": message(b"[]"),
        "nothing": message(b"null"),
        "headers of the wrong kind": message(arguments(), timelimit="soon", retries=[], eta="yesterday"),
        "no JSON inside": message(b"\xff\x00"),
        "a body of a megabyte": message(arguments(task="x" * 1_000_000)),
    }
    worker = here.worker()
    for body in forged.values():
        here.client.ask("LPUSH", queue_key("sync.get"), body)

    here.task.put("notion", Name="Bread", Done=False)
    assert here.enqueue(wait=60)["outcome"] == "done"
    wait_until(lambda: not here.client.ask("LLEN", queue_key("sync.get")), "all were taken")

    assert worker.poll() is None
    assert not bomb.exists()
    assert here.task.shown("other") == [("Bread", False)]
    assert here.runs.counters() == {"done": 1}
    assert "x" * 5000 not in here.log(worker), "what is long is cut in the log"
