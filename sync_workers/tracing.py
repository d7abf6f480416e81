"""Traces of runs, by OpenTelemetry: one trace for each run, whichever workers carry out its phases.

    run todo                 from when the run began until its report was stored
    ├── get                  each attempt of a phase, by whichever worker
    │   ├── call notion      each call to a service, with how long it waited for its turn
    │   └── ...
    ├── diff
    └── apply

The ids of the trace and of its root are made of the run's id. So phases find their trace without any message
carrying it, also when one is delivered twice. It is on where the extra `otel` is installed and
OTEL_EXPORTER_OTLP_ENDPOINT names a collector; the other OTEL_ variables count as their own pages say. Names,
ids and counts go into spans; of an error its kind alone.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

_log = logging.getLogger(__name__)

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

FLUSH = 3000
"""Milliseconds that one try to reach the collector takes at most, as long as nobody says otherwise."""

_made: dict[int, TracerProvider | None] = {}
_lock = threading.Lock()
_forced = threading.local()


@contextmanager
def phase(run: str, name: str, attributes: Mapping[str, str | int]) -> Iterator[None]:
    """One attempt of a phase of a run."""
    provider = _provider()
    if provider is None:
        yield
        return
    from opentelemetry import trace
    from opentelemetry.sdk.trace.sampling import Decision

    trace_id, span_id = _ids(run)
    sampled = provider.sampler.should_sample(None, trace_id, name).decision is not Decision.DROP
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if sampled else trace.TraceFlags.DEFAULT)
    root = trace.NonRecordingSpan(trace.SpanContext(trace_id, span_id, is_remote=True, trace_flags=flags))
    with _span(_tracer(provider), name, attributes, trace.set_span_in_context(root), trace.SpanKind.CONSUMER):
        yield


@contextmanager
def call(service: str) -> Iterator[None]:
    """One call to a service, from when it asks for its turn; within a phase."""
    provider = _provider()
    if provider is None:
        yield
        return
    from opentelemetry import trace

    with _span(_tracer(provider), f"call {service}", {"sync.service": service}, None, trace.SpanKind.CLIENT):
        yield


def turn_came(waited: float) -> None:
    """The call that is asked for may be made now, after so many seconds."""
    if _provider() is not None:
        from opentelemetry import trace

        trace.get_current_span().set_attribute("sync.waited_seconds", round(waited, 3))


def ended(run: str, task: str, started: datetime | None, attributes: Mapping[str, str | int]) -> None:
    """A run is over: the root of its trace."""
    provider = _provider()
    if provider is None:
        return
    from opentelemetry import context, trace

    _forced.ids = _ids(run)
    try:
        begun = time.time_ns() if started is None else int(started.timestamp() * 1e9)
        span = _tracer(provider).start_span(
            f"run {task}", context.Context(), attributes=dict(attributes), start_time=begun
        )
    finally:
        _forced.ids = None
    if attributes.get("sync.outcome") == "failed":
        span.set_status(trace.StatusCode.ERROR)
    span.end()


def shut_down() -> None:
    """Send what was not sent yet; the process ends."""
    provider = _made.get(os.getpid())
    if provider is not None:
        provider.force_flush(FLUSH)


@contextmanager
def _span(tracer: Tracer, name: str, attributes: Mapping[str, Any], parent: Any, kind: Any) -> Iterator[None]:
    from opentelemetry import trace

    with tracer.start_as_current_span(
        name, parent, kind, dict(attributes), record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield
        except BaseException as error:
            # What an exception says may hold values.
            span.set_status(trace.StatusCode.ERROR, type(error).__name__)
            raise


def _provider() -> TracerProvider | None:
    """The one of this process, made after the fork: threads that send do not survive one."""
    pid = os.getpid()
    if pid not in _made:
        with _lock:
            if pid not in _made:
                _made[pid] = _make()
    return _made[pid]


def _make() -> TracerProvider | None:
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
    except ImportError:
        _log.error("traces are asked for by %s: pip install 'sync-workers[otel]'", " or ".join(ENDPOINTS))
        return None

    class Ids(RandomIdGenerator):
        """Those of a run for its root, else new ones."""

        def generate_trace_id(self) -> int:
            ids = getattr(_forced, "ids", None)
            return ids[0] if ids else super().generate_trace_id()

        def generate_span_id(self) -> int:
            ids = getattr(_forced, "ids", None)
            return ids[1] if ids else super().generate_span_id()

    named = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "sync-workers"}
    # At its end the process flushes by itself, and never waits long for a collector that is away.
    provider = TracerProvider(id_generator=Ids(), resource=Resource.create(named), shutdown_on_exit=False)
    seconds = None if "OTEL_EXPORTER_OTLP_TIMEOUT" in os.environ else FLUSH / 1000
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=seconds)))
    return provider


def _tracer(provider: TracerProvider) -> Tracer:
    return provider.get_tracer("sync_workers")


def _ids(run: str) -> tuple[int, int]:
    """Of a run's trace and of its root; neither may be nought."""
    digest = hashlib.sha256(run.encode()).digest()
    return int.from_bytes(digest[:16]) or 1, int.from_bytes(digest[16:24]) or 1
