"""Traces of runs, as a collector gets them from real workers."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sync_workers.sandbox.embedded import _free_port
from tests.conftest import wait_until
from tests.worker.deployment import Deployment, deployed

pytestmark = pytest.mark.system

PLANTED = "hunter2-the-planted-value"


class Collector:
    """What was sent to it, a span each."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.raw = b""

    def take(self, body: bytes) -> None:
        self.raw += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def of(self, run: str) -> list[Any]:
        return [span for span in self.spans if attributes(span).get("sync.run") == run]


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Nothing to tell."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield collector, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Deployment]:
    with deployed(tmp_path) as deployment:
        deployment.environment["OTEL_BSP_SCHEDULE_DELAY"] = "200"
        yield deployment


def test_a_run_over_several_workers_is_one_trace(here: Deployment) -> None:
    with collecting() as (collector, url):
        here.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = url
        here.task.put("notion", Name=PLANTED, Done=False)
        here.worker("-Q", "sync.get,sync.diff")
        here.worker("-Q", "sync.apply")
        run = here.enqueue(wait=60)["run"]
        wait_until(lambda: len(collector.of(run)) >= 4, lambda: str([s.name for s in collector.spans]), 20)
        # A failing one: of what a hook says, its kind alone.
        (here.folder / "notion.json").write_text(f"{PLANTED}, which is no JSON")
        failed = here.enqueue(wait=60)["run"]
        wait_until(lambda: len(collector.of(failed)) >= 2, "the failed run is told", 20)

    spans = {span.name: span for span in collector.of(run)}
    assert set(spans) == {"run todo", "get", "diff", "apply"}
    root = spans.pop("run todo")
    assert root.parent_span_id == b""
    for span in spans.values():
        assert (span.trace_id, span.parent_span_id) == (root.trace_id, root.span_id)
        assert root.start_time_unix_nano <= span.end_time_unix_nano
    told = attributes(root)
    assert (told["sync.outcome"], told["sync.trigger"], told["sync.operations"]) == ("done", "ad-hoc", 1)
    assert attributes(spans["apply"])["sync.attempt"] == 3
    broken = {span.name: span for span in collector.of(failed)}["run todo"]
    assert broken.status.code == broken.status.STATUS_CODE_ERROR
    assert broken.trace_id != root.trace_id
    assert PLANTED.encode() not in collector.raw


CALLS = """
import os, sys
from sync_workers import tracing
from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.connect import connect
from sync_workers.report import Trigger
from sync_workers.services.budget import Account
budget = RedisBudget(connect(os.environ["SYNC_WORKERS_REDIS_URL"]), "todo", Trigger.BEAT)
try:
    with tracing.phase("the-run", "get", {"sync.run": "the-run"}):
        with budget.call(Account("notion:secret-fingerprint", 5)):
            pass
        with budget.call(Account("notion:secret-fingerprint", 5)):
            raise ValueError(sys.argv[1])
except ValueError:
    pass
tracing.shut_down()
"""


def test_calls_to_services_stand_below_their_phase_with_how_they_ended(here: Deployment) -> None:
    with collecting() as (collector, url):
        here.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = url
        here.program(CALLS, PLANTED)

    fine, broken, phase = sorted(collector.spans, key=lambda span: (span.name, span.start_time_unix_nano))
    assert (phase.name, fine.name, broken.name) == ("get", "call notion", "call notion")
    assert fine.parent_span_id == broken.parent_span_id == phase.span_id
    assert {one.key for one in fine.attributes} == {"sync.service", "sync.waited_seconds"}
    assert broken.status.message == "ValueError"
    assert PLANTED.encode() not in collector.raw
    assert b"fingerprint" not in collector.raw


def test_a_collector_that_is_away_stops_nobody(here: Deployment) -> None:
    here.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = f"http://127.0.0.1:{_free_port()}"
    worker = here.worker()
    for _ in range(3):
        assert here.enqueue(wait=30)["outcome"] == "done"
    worker.terminate()
    assert worker.wait(30) == 0


def test_without_a_collector_nothing_is_imported() -> None:
    program = (
        "import sys, sync_workers.worker.tasks, sync_workers.tracing as t\n"
        "with t.phase('1', 'get', {}), t.call('notion'): t.turn_came(1.0)\n"
        "t.ended('1', 'todo', None, {}); t.shut_down()\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"
