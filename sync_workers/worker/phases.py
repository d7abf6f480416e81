"""The three phases of a run as a worker carries them out. Knows Redis, but nothing of Celery.

    get ──────────────> diff ──────────────> apply ─────────> the end: report stored, lease free
     │ snapshot          │ plan                │ journal
     ├ slice over: get again, from the parts that it has
     ├ held: no run      └ empty plan: the end ├ slice over: apply again
     └ paused: no run                          └ paused meanwhile: the end

Every phase can be delivered twice and can be killed anywhere. What it hands on it stores under the number of
its attempt, the last piece last; an attempt that finds that piece there has nothing left to do.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from sync_workers.errors import NotYetError, StateError
from sync_workers.model import Listing, Pair, Plan, Side
from sync_workers.redis.links import related
from sync_workers.report import Report
from sync_workers.runs import get as reading
from sync_workers.runs.apply import Application, SliceOverError
from sync_workers.runs.diff import decide
from sync_workers.runs.entries import settle_intents
from sync_workers.runs.finish import finish
from sync_workers.runs.get import Gathered, spent
from sync_workers.runs.mirrors import KeptMirrors
from sync_workers.runs.parts import KeptParts
from sync_workers.runs.quarantine import Key
from sync_workers.runs.reading import Wish
from sync_workers.runs.refused import keeping_refused
from sync_workers.runs.task import Task
from sync_workers.state import State
from sync_workers.worker.attempt import Attempt, attempt
from sync_workers.worker.delivery import Delivery, Done, Send, Tell, never, no_one, nowhere
from sync_workers.worker.process import Process


def get(
    delivery: Delivery,
    process: Process,
    tell: Tell = no_one,
    stopping: Callable[[], bool] = never,
    send: Send = nowhere,
) -> Done:
    """The first phase: begin the run, or say that another one works; read both sides."""
    return attempt(_get, delivery, process, tell, stopping, send, first=True)


def diff(
    delivery: Delivery,
    process: Process,
    tell: Tell = no_one,
    stopping: Callable[[], bool] = never,
    send: Send = nowhere,
) -> Done:
    """The second phase: decide; an empty plan ends the run."""
    return attempt(_diff, delivery, process, tell, stopping, send)


def apply(
    delivery: Delivery,
    process: Process,
    tell: Tell = no_one,
    stopping: Callable[[], bool] = never,
    send: Send = nowhere,
) -> Done:
    """The third phase: carry out the plan, in slices."""
    return attempt(_apply, delivery, process, tell, stopping, send)


def _get(made: Attempt) -> Done:
    if not made.has("snapshot"):
        made.tell({"phase": "get"})
        mirrors = KeptMirrors(made.runs, made.lease.run, made.lease.fence)
        made.report.started = datetime.now(UTC)
        made.runs.expect_rested()
        made.runs.note_setup(made.task.sync_setup)
        known = made.store.setup()
        with made.task.sync_services(made.budget, known) as services:
            wish = Wish(made.full, made.only_looks, datetime.now(UTC))
            parts = KeptParts(made.runs, made.lease.run, made.lease.fence, lambda: _is_slice_over(made))
            try:
                gathered = reading.get(
                    services, made.task.sync_rules, made.report,
                    mirrors=mirrors, parts=parts, wish=wish, known=known,
                )  # fmt: skip
            except SliceOverError:
                return made.hand_on({"phase": "get"}, again=True)
        made.put("snapshot", gathered, made.report)
        counted = {side.value: len(gathered.snapshot[side].records) for side in Side}
        return made.hand_on({"phase": "get", "records": counted})
    return made.hand_on({"phase": "get"})


def _diff(made: Attempt) -> Done:
    if not made.has("plan"):
        _expect_same_setup(made)
        gathered, made.report = made.fetch("snapshot", Gathered, Report)
        counted = sum(len(gathered.snapshot[side].records) for side in Side)
        made.tell({"phase": "diff", "records": counted})
        state = made.store.load()
        settle_intents(
            made.store, made.lease.run, made.task.sync_rules, state, gathered.snapshot, gathered.fields
        )
        with keeping_refused(state, gathered, made.keep):
            links = related(made.lease.client, made.task.sync_rules, made.task.name)
            plan = decide(
                made.task.sync_rules, state, gathered, made.report, now=datetime.now(UTC), links=links
            )
        if not plan.operations:
            finish(made.report, made.store, state, gathered, plan, made.task.sync_rules)
            return made.end()
        light = replace(gathered, snapshot=Pair(Listing({}), Listing({})))
        made.put("plan", plan, light, made.report)
        return made.hand_on({"phase": "diff", "planned": len(plan), "operations": plan.counts()})
    return made.hand_on({"phase": "diff"})


def _apply(made: Attempt) -> Done:
    plan, gathered, made.report = made.fetch("plan", Plan, Gathered, Report)
    _expect_same_setup(made)
    ended, resting, stopped = _taken_up(made)
    known = made.store.load() or State()
    opened = made.task.sync_services(made.budget, gathered.setup)
    with spent(made.report, "apply"), opened as services:
        application = Application(
            made.task.name, services, plan, known, made.store, made.report,
            stop=lambda: _is_slice_over(made), progress=partial(_tell_progress, made),
            ended=ended, resting=resting, stopped=stopped, check=made.lease.check,
        )  # fmt: skip
        _tell_progress(made, len(application.ended), len(plan))
        try:
            slice_over = _is_cut_short(made.task, application)
        except NotYetError:
            _put_slice(made, application)
            raise
    if slice_over:
        _put_slice(made, application)
        shown = {"phase": "apply", "done": len(application.ended), "of": len(plan)}
        return made.hand_on(shown, again=True)
    finish(made.report, made.store, application.state, gathered, plan, made.task.sync_rules)
    return made.end()


def _expect_same_setup(made: Attempt) -> None:
    """Make sure that the task file did not change under the run: what it planned was for another set-up.

    Raises:
        StateError: it did.
    """
    noted = made.runs.setup()
    if noted is not None and noted != made.task.sync_setup:
        raise StateError(
            f"task {made.task.name}: its set-up changed after run {made.lease.run} had read both sides; "
            "the next run reads them anew"
        )


def _put_slice(made: Attempt, application: Application) -> None:
    made.put("slice", made.report, application.ended, application.resting, application.stopped)


def _is_cut_short(task: Task, application: Application) -> bool:
    try:
        task.carry_out(application)
    except SliceOverError:
        return True
    return False


def _tell_progress(made: Attempt, done: int, of: int) -> None:
    made.tell({"phase": "apply", "done": done, "of": of})


def _is_slice_over(made: Attempt) -> bool:
    made.lease.check()
    worked = time.monotonic() - made.begun
    return made.stopping() or worked >= made.process.slice.total_seconds() or made.watch.is_paused()


def _taken_up(made: Attempt) -> tuple[set[int], dict[Side, str], set[Key]]:
    """What earlier slices know besides the journal: what failed is not tried, counted and told again."""
    if not made.has("slice"):
        return set(), {}, set()
    made.report, ended, resting, stopped = made.fetch("slice", Report, set, dict, set)
    return ended, {Side(side): reason for side, reason in resting.items()}, stopped
