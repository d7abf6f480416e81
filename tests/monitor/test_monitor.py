"""The monitor as a process beside a real deployment, and its pages on a Redis that goes away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sync_workers.health.server import Page, Server
from sync_workers.monitor.collector import exposition
from sync_workers.monitor.serve import pages
from sync_workers.monitor.view import View
from sync_workers.redis.connect import connect
from sync_workers.sandbox.embedded import EmbeddedRedis, _free_port
from tests.conftest import wait_until
from tests.worker.deployment import Deployment, deployed

DOCS = Path(__file__).parents[2] / "docs" / "monitoring.md"


def fetched(url: str) -> tuple[int, str]:
    try:
        with urlopen(url, timeout=10) as reply:  # noqa: S310 - our own, on loopback
            return reply.status, reply.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


class Monitor:
    """A monitor process."""

    def __init__(self, on: Deployment) -> None:
        self.url = f"http://127.0.0.1:{_free_port()}"
        port = self.url.rpartition(":")[2]
        self.process = on.command("monitor", "--port", port, "--no-restart")
        wait_until(lambda: "metrics at" in on.log(self.process), lambda: on.log(self.process), 30)

    def metrics(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """Each sample by name and labels."""
        status, text = fetched(f"{self.url}/metrics")
        assert status == 200
        return {
            (sample.name.removeprefix("sync_workers_"), frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path, ".run_every(hours=1)") as deployment:
        yield deployment


@pytest.mark.system
def test_a_monitor_shows_what_all_workers_did_and_a_second_one_shows_the_same(here: Deployment) -> None:
    here.task.put("notion", Name="Bread", Done=False)
    here.worker("-c", "2")
    beat = here.beat()
    wait_until(lambda: here.runs.counters().get("done") == 1, "the first tick's run ends")
    here.enqueue(wait=60)
    monitors = [Monitor(here), Monitor(here)]
    wait_until(lambda: monitors[0].metrics()[key("beat_leads")] == 1, "the beat that ticks is seen")

    found, other = (monitor.metrics() for monitor in monitors)

    assert found[key("runs_total", task="todo", trigger="beat", outcome="done")] == 1
    assert found[key("runs_total", task="todo", trigger="ad-hoc", outcome="done")] == 1
    created = key("operations_total", task="todo", side="other", action="create", outcome="done")
    assert found[created] == 1
    assert found[key("phases_total", task="todo", phase="get")] == 2
    assert 0 <= found[key("lag_seconds", task="todo")] < 60
    assert found[key("interval_seconds", task="todo")] == 3600
    assert found[key("linked_records", task="todo")] == 1
    assert found[key("queue_messages", queue="sync.get")] == 0
    assert found[key("slots_wanted", phase="apply")] == 0
    assert found[key("worker_slots")] == 2
    assert found[key("processes", kind="worker", version="0.1.0")] == 1
    assert found[key("task_files")] == 1
    assert found[key("redis_up")] == 1
    counters = {name for name in found if name[0].endswith("_total")}
    assert {name: found[name] for name in counters} == {name: other[name] for name in counters}
    assert json.loads(fetched(f"{monitors[0].url}/scale")[1])["wanted"] == 0

    # It ends when it is told to, and is missed by nobody.
    monitors[1].process.terminate()
    assert monitors[1].process.wait(20) == 0
    beat.kill()
    wait_until(lambda: monitors[0].metrics()[key("beat_leads")] == 0, "no beat ticks any more", 30)


def test_a_redis_that_is_away_is_told_and_not_waited_for_long() -> None:
    with (
        EmbeddedRedis() as redis,
        closing(connect(redis.url)) as client,
        Server("127.0.0.1", 0, pages(client, client)) as server,
    ):
        url = f"http://127.0.0.1:{server.port}"
        assert fetched(f"{url}/readyz") == (200, "ok\n")
        redis.kill()

        status, text = fetched(f"{url}/metrics")
        assert (status, "sync_workers_redis_up 0" in text, "_runs" in text) == (200, True, False)
        assert fetched(f"{url}/scale")[0] == fetched(f"{url}/readyz")[0] == 503
        assert fetched(f"{url}/healthz")[0] == 200
        assert fetched(f"{url}/nothing")[0] == 404


def test_a_page_that_breaks_answers_and_the_server_lives_on(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Page:
        raise ZeroDivisionError

    with Server("127.0.0.1", 0, {"/broken": broken, "/fine": lambda: Page("fine")}) as server:
        url = f"http://127.0.0.1:{server.port}"
        assert fetched(f"{url}/broken")[0] == 500
        assert fetched(f"{url}/fine?x=1") == (200, "fine")
    assert "a page could not be made" in caplog.text


def test_the_docs_name_every_metric() -> None:
    documented = re.findall(r"^\| `(sync_workers_\w+)` \|", DOCS.read_text(), re.MULTILINE)
    families = list(text_string_to_metric_families(exposition(View())))
    exported = {f.name + ("_total" if f.type == "counter" else "") for f in families}

    assert set(documented) == exported | {"sync_workers_redis_up"}
