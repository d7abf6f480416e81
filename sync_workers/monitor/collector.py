"""From a `View` to Prometheus metrics. Names, ids and counts; never a value of a field."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sync_workers.monitor.scale import PHASES, headroom, load
from sync_workers.monitor.view import Calls, View
from sync_workers.redis.totals import Totals

KIND = "text/plain; version=0.0.4; charset=utf-8"

Samples = Iterable[tuple[Sequence[str], float]]


class ViewCollector(Collector):
    """The metrics of one view."""

    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterator[Metric]:
        yield from _of_runs(self._view)
        yield from _of_tasks(self._view)
        yield from _of_queues(self._view)
        yield from _of_calls(self._view)
        yield from _of_processes(self._view)


def exposition(view: View) -> str:
    """The metrics as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(ViewCollector(view))
    return generate_latest(registry).decode()


def _of_runs(view: View) -> Iterator[Metric]:
    for name, told, labels in _COUNTED:
        found = CounterMetricFamily(f"sync_workers_{name}", told, labels=("task", *labels))
        for task, totals in view.tasks.items():
            for rest, number in totals.of(name):
                found.add_metric((task, *rest) if labels else (task,), number)
        yield found
    ticks = CounterMetricFamily(
        "sync_workers_ticks_not_run", "Ticks of beat that started no run, by why.", labels=("task", "why")
    )
    for task, totals in view.tasks.items():
        for counter, why in _NOT_RUN.items():
            ticks.add_metric((task, why), totals.counters.get(counter, 0))
    yield ticks


_COUNTED = (
    ("runs", "Runs that ended, by why they began and how they ended.", ("trigger", "outcome")),
    ("phases", "Phases of runs that ended.", ("phase",)),
    ("phase_seconds", "Time that phases worked.", ("phase",)),
    (
        "operations",
        "Operations, by how they ended; with an empty side those that write the state alone.",
        ("side", "action", "outcome"),
    ),
    ("conflicts", "Conflicts, by whether they were decided or held for a person.", ("decision",)),
    ("held", "Records that were left to wait on purpose.", ()),
    ("calls", "Calls of the service contract, by side.", ("side",)),
    ("lease_waits", "Requests that had to wait for another run of their task.", ()),
    ("lease_wait_seconds", "Time that requests waited for another run of their task.", ()),
)

_NOT_RUN = {
    "dropped": "another run worked",
    "paused": "the task was paused",
    "skipped": "the last tick still waited",
}


def _of_tasks(view: View) -> Iterator[Metric]:
    for name, told, value in _OF_TASKS:
        numbers = ((task, value(totals)) for task, totals in view.tasks.items())
        yield _gauge(
            name, told, ("task",), (((task,), number) for task, number in numbers if number is not None)
        )
    every = {task: timing.every for task, timing in view.schedules.items()}
    intervals = (((task,), length.total_seconds()) for task, length in every.items() if length is not None)
    yield _gauge("interval_seconds", "The interval of a task that has one.", ("task",), intervals)
    by = (((task, totals.paused), 1.0) for task, totals in view.tasks.items() if totals.paused)
    told = "1 while a task, or a connection that it uses, is paused, by whom."
    yield _gauge("paused", told, ("task", "by"), by)


def _at(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _since(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max((now - moment).total_seconds(), 0.0)


_OF_TASKS: tuple[tuple[str, str, Callable[[Totals], float | None]], ...] = (
    ("last_run_timestamp_seconds", "When a run ended last.", lambda t: _at(t.last_run)),
    (
        "last_success_timestamp_seconds",
        "When a run ended last that read both sides and did its work.",
        lambda t: _at(t.last_success),
    ),
    ("lag_seconds", "Time since the last success.", lambda t: _since(t.last_success, t.now)),
    (
        "run_seconds",
        "How long the run has been going on that has the lease.",
        lambda t: _since(t.begun, t.now),
    ),
    ("run_follows", "Whether one more run was asked for.", lambda t: t.following),
    ("conflicts_held", "Records with conflicts that wait for a person.", lambda t: t.held),
    ("quarantined_records", "Records that failed and wait for their next try.", lambda t: t.quarantined),
    ("refused_plans", "Plans that a guard refused and that wait for a person.", lambda t: t.plans),
    ("linked_records", "Records that are linked.", lambda t: t.links),
    ("history_entries", "Operations in the history.", lambda t: t.history),
    ("webhook_waiting", "What webhook events want and no run was asked for yet.", lambda t: t.webhook),
)


def _of_queues(view: View) -> Iterator[Metric]:
    waiting = view.waiting.items()
    lengths = (((name,), found.length) for name, found in waiting)
    yield _gauge("queue_messages", "Messages that no worker has taken.", ("queue",), lengths)
    ages = (((name,), found.oldest.total_seconds() if found.oldest else 0.0) for name, found in waiting)
    yield _gauge("queue_oldest_seconds", "How long the oldest of them has waited.", ("queue",), ages)
    loads = {phase: load(view, phase) for phase in PHASES}
    slots = [
        item for phase, found in loads.items()
        for item in (((phase, "working"), found.working), ((phase, "later"), found.later))
    ]  # fmt: skip
    yield _gauge(
        "messages_taken", "Messages that a worker has: it works on them, or they wait for a service.",
        ("phase", "state"), slots,
    )  # fmt: skip
    left = headroom(view)
    wanted = (((phase,), found.wanted(left)) for phase, found in loads.items())
    yield _gauge("slots_wanted", "How many slots of workers there should be.", ("phase",), wanted)


def _of_calls(view: View) -> Iterator[Metric]:
    calls = CounterMetricFamily(
        "sync_workers_service_calls", "Calls to a service, by whose credential.", labels=("connection",)
    )
    for name, found in view.calls.items():
        calls.add_metric((name,), found.usage.ever)
    yield calls
    for name, told, value in _OF_CALLS:
        yield _gauge(name, told, ("connection",), (((c,), value(found)) for c, found in view.calls.items()))


_OF_CALLS: tuple[tuple[str, str, Callable[[Calls], float]], ...] = (
    ("calls_limit", "Calls that may be made in a window of 60 seconds.", lambda c: c.account.limit),
    ("calls_in_window", "Calls that count in the window now.", lambda c: c.usage.calls),
    ("calls_headroom", "Share of the window's calls that is left; 0 while paused.", lambda c: c.headroom),
    ("calls_tasks_waiting", "Tasks that wait for their turn to make a call.", lambda c: c.usage.waiting),
    (
        "calls_paused_until_timestamp_seconds",
        "Until when the service wants to be left alone; 0 when it does not.",
        lambda c: _at(c.usage.paused_until) or 0.0,
    ),
)


def _of_processes(view: View) -> Iterator[Metric]:
    counted: dict[tuple[str, ...], float] = {("worker", ""): 0.0, ("beat", ""): 0.0}
    for one in view.processes:
        counted.pop((one.kind, ""), None)
        counted[one.kind, one.version] = counted.get((one.kind, one.version), 0.0) + 1
    yield _gauge("processes", "Processes that live, by kind.", ("kind", "version"), counted.items())
    yield _gauge("beat_leads", "Whether there is a beat that ticks.", (), [((), view.leader is not None)])
    slots = sum(int(one.details.get("slots", 0)) for one in view.processes)
    yield _gauge("worker_slots", "Slots of all workers: phases at the same time.", (), [((), slots)])
    told = "Different task files that workers and beats go by."
    yield _gauge("task_files", told, (), [((), view.task_files)])
    told = "Processes for which the new task file is wrong."
    yield _gauge("task_file_refused", told, (), [((), view.refused)])
    used, most = view.memory
    yield _gauge("redis_used_bytes", "Memory that Redis uses.", (), [((), used)])
    yield _gauge("redis_max_bytes", "The most that it may use; 0 when there is no limit.", (), [((), most)])


def _gauge(name: str, told: str, labels: Sequence[str], samples: Samples) -> GaugeMetricFamily:
    found = GaugeMetricFamily(f"sync_workers_{name}", told, labels=labels)
    for values, number in samples:
        found.add_metric(values, number)
    return found
