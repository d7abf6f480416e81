"""`approve`: carry out a plan that a guard refused, exactly as it is and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sync_workers.errors import DecisionError, MovedError, StateError
from sync_workers.model import Plan, Side
from sync_workers.redis.connect import Client
from sync_workers.redis.links import related
from sync_workers.redis.plans_store import PlansStore
from sync_workers.report import Report, Trigger
from sync_workers.runs.diff import decide
from sync_workers.runs.get import Gathered
from sync_workers.runs.refused import Refusal, RefusedPlan, standing
from sync_workers.runs.setup import settled
from sync_workers.runs.task import Task
from sync_workers.state import State
from sync_workers.turn import Choice, Progress, Turn, carry, take_turn


def approve(task: Task, client: Client, refusal: Refusal, *, progress: Progress | None = None) -> Report:
    """Carry out a refused plan in this process, if all of it would still be the same now.

    Both sides are read and decided anew. What is decided besides is left for the next run, and the plan is
    kept no longer. An approval that was cut short goes on when it is asked for again.

    Raises:
        DecisionError: what the task does cannot be held to a plan; nothing was done.
        GuardError: a side listed an id twice; nothing was done.
        MovedError: something changed since the plan was refused; nothing was done.
        ConflictError: conflicts of the plan wait for a person; all else was done and stored.
        SyncError: the set-up, the store or a service as a whole failed.
    """
    if not task.keeps_to_plan:
        msg = (
            f"task {task.name} overrides steps, so that nobody knows what it would do besides the plan: look "
            f"at `sync-workers plan {task.name}`, then `sync-workers run {task.name} --accept-guards`"
        )
        raise DecisionError(msg)
    approval = _Approval(PlansStore(client, task.name), refusal)

    def work(turn: Turn) -> State:
        state = carry(turn, approval.choose, progress)
        _restrict(turn.report, approval.plan)
        approval.plans.discard(refusal.id)
        return state

    # Past change feeds: it is rare, and what it is about is looked at anew.
    return take_turn(task, client, Trigger.APPROVAL, work, full=True)


@dataclass(slots=True)
class _Approval:
    plans: PlansStore
    refusal: Refusal
    plan: Plan = Plan()

    def choose(self, turn: Turn, state: State | None, gathered: Gathered) -> Choice:
        """The operations of the plan as they are decided now."""
        refused = self._refused(turn)
        report, rules = turn.report, turn.task.sync_rules
        known = state.setup if state is not None else {}
        # Without the time: what a person approves waits in no quarantine.
        links = related(turn.client, rules, turn.task.name)
        fresh = decide(rules, state, gathered, report, accept_guards=True, links=links)
        try:
            found = standing(refused, fresh, gathered.setup, known, self.plans.begun(self.refusal))
        except MovedError as moved:
            raise MovedError(self._not_now(turn.task.name, moved)) from None
        self.plan = plan = replace(fresh, operations=tuple(one for one in found if one is not None))
        # Whoever goes on after a stop finds what was left to do, in the order of this run's journal.
        pairs = zip(refused.plan, found, strict=True)
        left = tuple(operation for operation, now in pairs if now is not None)
        self.plans.begin(
            turn.lease, self.refusal, replace(refused, plan=replace(refused.plan, operations=left))
        )
        report.planned = len(plan)
        taken = set(map(id, plan))
        beside = tuple(operation for operation in fresh if id(operation) not in taken)
        is_whole = not beside or fresh.setup is not None
        return Choice(plan, gathered.setup if is_whole else settled(known, gathered.setup), beside)

    def _refused(self, turn: Turn) -> RefusedPlan:
        found = self.plans.load(self.refusal.id)
        if found is None:
            msg = (
                f"plan {self.refusal.id} of task {turn.task.name} is not kept any more: "
                "`sync-workers plans` shows those that are"
            )
            raise StateError(msg)
        return found

    def _not_now(self, task: str, moved: MovedError) -> str:
        return (
            f"task {task}: plan {self.refusal.id} does not hold any more, so nothing was done: {moved}. "
            f"Look at `sync-workers plan {task}`, make a new one by `sync-workers run {task}`, "
            f"or forget this one by `sync-workers discard {self.refusal.id}`"
        )


def _restrict(report: Report, plan: Plan) -> None:
    """Tell of nothing that this run left alone."""
    ids = {operation.ids[side] for operation in plan for side in Side}
    report.ambiguous.clear()
    report.ignored.clear()
    report.held[:] = [hold for hold in report.held if hold.record_id in ids]
    report.conflicts[:] = [one for one in report.conflicts if ids & {one.ids.notion, one.ids.other}]
    report.settle()
