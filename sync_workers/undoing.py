"""`undo`: take back a run, or what it did to one record, in this process; what came later stays.

It is a run like any other: it takes the lease, covers each write by the journal, is told in the history, and
can be taken back itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from sync_workers.ending import end_paused
from sync_workers.engine.guard import refusals_of_undo
from sync_workers.engine.paused import leave_alone
from sync_workers.errors import DecisionError, GuardError, SettingsError
from sync_workers.model import ID, Pair, Part, Plan, Side
from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.connect import Client
from sync_workers.redis.history import entries
from sync_workers.report import Report, Trigger
from sync_workers.runs.apply import Application, SliceOverError
from sync_workers.runs.diff import changed_setup
from sync_workers.runs.get import Gathered, get, spent
from sync_workers.runs.history import Entry
from sync_workers.runs.task import Task
from sync_workers.runs.undo import Found, concerned
from sync_workers.runs.undo import undo as undone
from sync_workers.services.base import ReadResult, Service
from sync_workers.state import State
from sync_workers.turn import Progress, Turn, take_turn


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants taken back.

    Attributes:
        record: the id of one record on either side; None takes back the whole run.
    """

    run: ID
    record: ID | None = None

    def admits(self, entry: Entry) -> bool:
        wanted = self.record is None or self.record in {entry.ids[side] for side in Side}
        return entry.run == self.run and wanted


def runs_named(tasks: Mapping[str, Task], client: Client, name: str) -> Iterator[tuple[Task, ID]]:
    """The runs whose ids begin like that and that changed something, with their tasks."""
    for task in tasks.values():
        for run in dict.fromkeys(entry.run for entry in entries(client, task.name)):
            if run.startswith(name):
                yield task, run


def plan_undo(task: Task, client: Client, wish: Wish) -> Plan:
    """What taking it back would do now; changes nothing."""
    from sync_workers.redis.state_store import load, load_setup

    report = Report(task.name, started=datetime.now(UTC))
    told = _entries(task, client, wish)
    budget = RedisBudget(client, task.name, Trigger.UNDO)
    with task.sync_services(budget, load_setup(client, task.name)) as services:
        return _planned(task, services, load(client, task.name) or State(), told, report)


def undo(
    task: Task, client: Client, wish: Wish, *, accept_guards: bool = False, progress: Progress | None = None
) -> Report:
    """Take back a run, or what it did to one record.

    Raises:
        SettingsError: the history knows no such run or record.
        DecisionError: their ids mean something else by now.
        GuardError: it would delete many records; nothing was changed.
        SyncError: a service as a whole or the store failed.
    """
    told = _entries(task, client, wish)

    def work(turn: Turn) -> State:
        with task.sync_services(turn.budget, turn.store.setup()) as services:
            state = turn.store.load() or State()
            plan = _planned(task, services, state, told, turn.report)
            reasons = refusals_of_undo(task.sync_rules.limits, state, plan)
            if reasons and not accept_guards:
                raise GuardError(plan, reasons)
            with spent(turn.report, "apply"):
                application = Application(
                    task.name, services, plan, state, turn.store, turn.report,
                    stop=turn.is_stopped, progress=progress, check=turn.lease.check,
                )  # fmt: skip
                with suppress(SliceOverError):  # paused
                    application.run(Part.UNDONE)
        if turn.watch.found is not None:
            end_paused(turn.report, turn.watch.found)
        else:
            turn.report.settle()
            turn.report.finished = datetime.now(UTC)
        return application.state

    return take_turn(task, client, Trigger.UNDO, work)


def _entries(task: Task, client: Client, wish: Wish) -> list[Entry]:
    told = [entry for entry in entries(client, task.name, wish.run) if wish.admits(entry)]
    if told:
        return told
    what = f"run {wish.run}" if wish.record is None else f"run {wish.run} that concerns record {wish.record}"
    msg = f"task {task.name}: nothing is kept of {what}: take ids from `sync-workers history {task.name}`"
    raise SettingsError(msg)


def _planned(task: Task, services: Pair[Service], state: State, told: list[Entry], report: Report) -> Plan:
    gathered = get(services, task.sync_rules, report)
    if moved := [name for name in changed_setup(state, gathered) if name.endswith(".container")]:
        msg = (
            f"task {task.name}: {', '.join(sorted(moved))} is another one than when its state was made, so "
            "the ids of earlier runs mean nothing there: put the old one back into the task file first"
        )
        raise DecisionError(msg)
    plan = undone(told, state, gathered.snapshot, _found(services, gathered, told, report), gathered.fields)
    plan = leave_alone(plan, state, task.name)
    report.planned = len(plan)
    report.held.extend(plan.held)
    return plan


def _found(services: Pair[Service], gathered: Gathered, told: list[Entry], report: Report) -> Found:
    """What the records are now: listed, or else asked for by their ids."""
    ids = concerned(told)

    def on(side: Side) -> Mapping[ID, ReadResult]:
        listed = gathered.snapshot[side].records
        missing = [record_id for record_id in ids[side] if record_id not in listed]
        asked: Mapping[ID, ReadResult] = {}
        if missing:
            report.count_call(side)
            asked = services[side].read(missing)
        return {**{i: listed[i] for i in ids[side] if i in listed}, **asked}

    return Pair.each(on)
