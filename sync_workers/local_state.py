"""Takes a state over from elsewhere, and compares a state with both sides; in the caller's own process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sync_workers.errors import LaterError, StateError
from sync_workers.model import ID, Pair
from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.connect import Client
from sync_workers.redis.links import related
from sync_workers.redis.runs_store import RunsStore, new_run_id
from sync_workers.redis.state_store import load, load_setup
from sync_workers.report import Report, Trigger
from sync_workers.runs.diff import changed_setup
from sync_workers.runs.get import Gathered, get
from sync_workers.runs.imported import Fit, completed, crossings, fit
from sync_workers.runs.task import Task
from sync_workers.runs.verify import Finding, verify
from sync_workers.state import State
from sync_workers.state_file import files
from sync_workers.turn import Turn, take_turn


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Attributes:
        backup: where the state is that was there before; None when there was none.
        absent: the linked records that are not listed, per side.
        changed: names of what is not as it was when the state was made.
    """

    links: int
    backup: Path | None
    absent: Pair[frozenset[ID]]
    changed: tuple[str, ...]


def stored(task: Task, client: Client) -> State:
    """The state of a task.

    Raises:
        StateError: there is none yet, or it cannot be read.
    """
    state = load(client, task.name)
    if state is None:
        raise StateError(
            f"task {task.name} has no state yet: its first run makes one (`sync-workers run {task.name}`)"
        )
    return state


def findings(task: Task, client: Client) -> tuple[Finding, ...]:
    """How the state of a task stands to both sides; reads them and changes nothing.

    Raises: as `stored`, and as a run.
    """
    state = stored(task, client)
    links = {**related(client, task.sync_rules, task.name), task.name: state.ids}
    return verify(task.sync_rules, state, _gathered(task, client, Report(task.name)), links)


def import_state(task: Task, client: Client, path: Path, *, replace: bool) -> Imported:
    """Make the state in a file the task's, completed by what both sides show.

    With `replace` a state that is there is written to a file beside `path` first, and then replaced. No run
    works on the task from the look at both sides to the end.

    Raises:
        LaterError: another run works on the task, or a service is to be left alone.
        StateError: the file holds none, it does not fit this task, or there is a state already.
    """
    given = files.read(path)
    _expect_none(task, load(client, task.name), replace=replace)
    done: list[Imported] = []

    def work(turn: Turn) -> State:
        old = turn.store.load()
        _expect_none(task, old, replace=replace)
        gathered = _gathered(task, client, turn.report)
        found = fit(given, gathered.snapshot, task.sync_rules.limits)
        _expect_fit(task, path, found)
        links = {**related(client, task.sync_rules, task.name), task.name: given.ids}
        state = completed(given, crossings(task.sync_rules, gathered, links), gathered.snapshot)
        # The original knows no set-up: what it was made with is what was just compared.
        state.setup = given.setup or dict(gathered.setup)
        backup = _backed_up(task, old, path) if old is not None else None
        turn.store.replace(state)
        RunsStore(client, task.name).drop_mirrors()
        changed = tuple(sorted(changed_setup(state, gathered)))
        done.append(Imported(len(state.ids), backup, found.absent, changed))
        turn.report.settle()
        turn.report.reason = "a state was imported"
        turn.report.finished = datetime.now(UTC)
        return state

    report = take_turn(task, client, Trigger.IMPORT, work)
    if not done:  # another run works, or a connection is paused
        raise LaterError(f"task {task.name}: nothing was changed, since {report.reason}")
    return done[0]


def _expect_none(task: Task, old: State | None, *, replace: bool) -> None:
    if old is not None and not replace:
        raise StateError(
            f"task {task.name} has a state of {len(old.ids)} link(s) already, and nothing was changed: "
            "import with --replace, which writes that one to a file first"
        )


def _expect_fit(task: Task, path: Path, found: Fit) -> None:
    if found.reasons:
        raise StateError(
            f"{path} does not look like the state of task {task.name}: {' and '.join(found.reasons)}. "
            "Nothing was changed. Is it the right file, and the right container? Without a state the "
            "first run links by key and deletes nothing"
        )


def _gathered(task: Task, client: Client, report: Report) -> Gathered:
    """Both sides as a run reads them, all anew."""
    RunsStore(client, task.name).expect_rested()
    known = load_setup(client, task.name)
    with task.sync_services(RedisBudget(client, task.name, Trigger.LOCAL), known) as services:
        return get(services, task.sync_rules, report, known=known)


def _backed_up(task: Task, state: State, beside: Path) -> Path:
    path = beside.with_name(f"{task.name}-before-{new_run_id()}.json")
    files.write(path, state)
    return path
