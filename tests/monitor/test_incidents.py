"""What is wrong, by what the monitor sees: each kind when it is, and not when something else explains it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sync_workers.config.alerts import AlertsForm
from sync_workers.monitor.incidents import incidents
from sync_workers.monitor.view import View
from sync_workers.redis.beat import Leader
from sync_workers.redis.presence import ProcessInfo
from sync_workers.redis.queues import Waiting
from sync_workers.redis.totals import Totals
from sync_workers.schedule import Schedule

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WELL = Totals(last_run=NOW - MINUTE, last_success=NOW - MINUTE, now=NOW)
DOCS = Path(__file__).parents[2] / "docs" / "alerts.md"


def process(kind: str, fingerprint: str = "f", problem: str = "") -> ProcessInfo:
    return ProcessInfo(
        kind=kind,
        name=kind,
        host="h",
        pid=1,
        version="1",
        since=NOW,
        fingerprint=fingerprint,
        problem=problem,
    )


ALL_WELL = View(
    {"todo": WELL},
    {"todo": Schedule(every=5 * MINUTE)},
    {"sync.get": Waiting(3, MINUTE)},
    processes=(process("worker"), process("beat")),
    leader=Leader("b", NOW),
)


def todo(**totals: object) -> View:
    return replace(ALL_WELL, tasks={"todo": replace(WELL, **totals)})  # type: ignore[arg-type] # by name


RULES = AlertsForm(waiting="1d", patience="5m")  # type: ignore[arg-type] # as text, like in the task file

SITUATIONS: dict[str, tuple[View, timedelta]] = {
    "paused todo": (todo(paused="service"), timedelta(0)),
    "refused todo": (todo(plans=1), timedelta(0)),
    "failing todo": (todo(last_success=NOW - 2 * MINUTE), 5 * MINUTE),
    "late todo": (todo(last_run=NOW - 17 * MINUTE, last_success=NOW - 17 * MINUTE), 5 * MINUTE),
    "quarantine todo": (todo(quarantined=5), 5 * MINUTE),
    "conflicts todo": (todo(held=1), timedelta(days=1)),
    "no-beat": (replace(ALL_WELL, leader=None), 5 * MINUTE),
    "no-worker": (replace(ALL_WELL, processes=(process("beat"),)), 5 * MINUTE),
    "task-files": (replace(ALL_WELL, processes=(process("worker", "g"), process("beat"))), 5 * MINUTE),
    "task-file": (
        replace(ALL_WELL, processes=(process("worker", problem="line 3"), process("beat"))),
        5 * MINUTE,
    ),
}


def found(view: View) -> list[str]:
    return [incident.key for incident, _ in incidents(view, RULES)]


def test_nothing_is_wrong_where_all_is_well() -> None:
    assert found(ALL_WELL) == []
    assert found(todo(last_run=None, last_success=None)) == [], "it has not run yet"
    assert found(todo(quarantined=4)) == [], "some records may fail"


@pytest.mark.parametrize("kind", SITUATIONS)
def test_each_situation_is_one_incident(kind: str) -> None:
    view, lasts = SITUATIONS[kind]
    ((incident, after),) = incidents(view, RULES)

    assert (incident.key, after) == (kind, lasts)
    assert incident.command.startswith("sync-workers ")
    assert "line 3" not in incident.summary


def test_the_docs_name_each_of_them() -> None:
    documented = re.findall(r"^\| `([\w-]+)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert documented == [kind.split()[0] for kind in SITUATIONS]


def test_a_task_that_never_had_a_success_fails() -> None:
    assert found(todo(last_success=None)) == ["failing todo"]


def test_a_person_who_pauses_a_task_need_not_be_told() -> None:
    long_ago = NOW - timedelta(days=3)
    assert found(todo(paused="person", last_success=long_ago)) == []
    assert found(todo(paused="person", last_run=long_ago, last_success=long_ago)) == []
    assert found(todo(paused="person", plans=1)) == ["refused todo"], "it still waits for a decision"


def test_what_fails_is_not_late_besides() -> None:
    assert found(todo(last_success=NOW - timedelta(days=3))) == ["failing todo"]


def test_tasks_are_not_late_one_by_one_while_nothing_runs() -> None:
    long_ago = NOW - timedelta(days=1)
    late = replace(WELL, last_run=long_ago, last_success=long_ago)
    tasks = {f"t{number}": late for number in range(1000)}
    every = {name: Schedule(every=5 * MINUTE) for name in tasks}
    view = replace(ALL_WELL, tasks=tasks, schedules=every)

    assert len(found(view)) == 1000
    assert found(replace(view, leader=None)) == ["no-beat"]
    assert found(replace(view, processes=(process("beat"),))) == ["no-worker"]


def test_without_an_interval_or_before_its_time_a_task_is_not_late() -> None:
    assert found(todo(last_run=NOW - 16 * MINUTE, last_success=NOW - 16 * MINUTE)) == []
    old = todo(last_run=NOW - timedelta(days=9), last_success=NOW - timedelta(days=9))
    assert found(replace(old, schedules={"todo": Schedule()})) == []
    assert found(replace(old, schedules={})) == []


def test_no_worker_is_no_trouble_as_long_as_nothing_waits() -> None:
    idle = replace(ALL_WELL, processes=(process("beat"),), waiting={"sync.get": Waiting()})
    assert found(idle) == []


def test_a_monitor_or_receiver_may_have_another_task_file_for_a_while() -> None:
    view = replace(ALL_WELL, processes=(*ALL_WELL.processes, process("web", "g"), process("monitor", "g")))
    assert found(view) == []
