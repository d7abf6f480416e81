"""`refusals`: whether a plan looks like an accident. Pure; nothing is changed when one refuses."""

from __future__ import annotations

from collections.abc import Iterator

from sync_workers.engine.rules import Limits
from sync_workers.model import ID, Action, Operation, Part, Plan, Side, Snapshot
from sync_workers.state import State

NEXT_STEP = "accept it only if that is meant"


def refusals(limits: Limits, state: State, snapshot: Snapshot, plan: Plan) -> list[str]:
    """One sentence for each reason not to carry out the plan; empty when it looks sane."""
    return [
        reason
        for side in Side
        for reason in (
            *_twice(side, snapshot),
            *_losing(side, limits, state, snapshot, plan),
            *_changing(side, limits, state, snapshot, plan),
            *_creating(side, limits, plan),
        )
    ]


def refusals_of_undo(limits: Limits, state: State, plan: Plan) -> list[str]:
    """Likewise for a plan that takes back a run: what that run made would be deleted."""
    reasons = []
    for side in Side:
        deleted = sum(op.action is Action.DELETE and op.side is side for op in plan)
        if deleted > limits.lost_number and deleted > limits.lost_share * len(state.ids):
            reasons.append(
                f"it would delete {deleted} records on {side}, with {len(state.ids)} linked: look at it with "
                "`sync-workers undo RUN --plan`; if it is meant, add `--accept-guards`"
            )
    return reasons


def _twice(side: Side, snapshot: Snapshot) -> Iterator[str]:
    """The listing contradicts itself: a page border that moved, or a broken service."""
    if repeated := snapshot[side].repeated:
        yield f"{side} listed {len(repeated)} id(s) twice ({', '.join(repeated[:3])}): run again"


def _losing(side: Side, limits: Limits, state: State, snapshot: Snapshot, plan: Plan) -> Iterator[str]:
    listing, links, lost = snapshot[side], len(state.ids), _lost(side, state, plan)
    # Everything is gone at once: a wrong container, a revoked share, a failed listing.
    if lost and not listing.records and not listing.failures:
        yield f"{side} is empty, but {links} record(s) were linked: is it the right container? {NEXT_STEP}"
    # Much is gone at once: a share that was narrowed, or somebody who cleaned up too much.
    elif lost > limits.lost_number and lost / links > limits.lost_share:
        yield (
            f"{side} lost {lost} of {links} linked records, more than {limits.lost_share:.0%} "
            f"and more than {limits.lost_number}: {NEXT_STEP}"
        )


def _changing(side: Side, limits: Limits, state: State, snapshot: Snapshot, plan: Plan) -> Iterator[str]:
    """Nobody edits every record between two runs: a changed format, zone or formula."""
    changed = _changed(side, plan)
    if len(changed) <= limits.changed_number:
        return
    there = state.linked(side) & snapshot[side].records.keys()
    number = len(changed & there)
    if number > limits.changed_number and number / len(there) >= limits.changed_share:
        many = "all" if number == len(there) else f"{number} of"
        yield (
            f"{many} {len(there)} linked records changed on {side} at once, at least "
            f"{limits.changed_share:.0%} and more than {limits.changed_number}: {NEXT_STEP}"
        )


def _creating(side: Side, limits: Limits, plan: Plan) -> Iterator[str]:
    """A side would be flooded: the opposite one shows a wrong container, or ids that are all new.

    A side that is filled for the first time is none of that: there are no links yet.
    """
    created = sum(op.action is Action.CREATE and op.side is side for op in plan)
    if plan.links and created > limits.created_number and created / plan.links > limits.created_share:
        yield (
            f"{side} would get {created} new records, with {plan.links} linked until now: more than "
            f"{limits.created_share:.0%} of that and more than {limits.created_number}: {NEXT_STEP}"
        )


def _lost(side: Side, state: State, plan: Plan) -> int:
    """How many linked records are gone on this side, whatever became of their counterparts."""
    missing = {op.ids[side] for op in plan if op.ids[side] is not None and op.records[side] is None}
    return len(missing & state.linked(side)) if missing else 0


def _changed(side: Side, plan: Plan) -> set[ID]:
    """The linked records that were edited on this side; none when nothing of it would be written.

    Also those whose edit lost, is held, or was made on both sides: one of them among many others does
    not make an accident less of one.
    """
    changed = [op for op in plan if op.part is Part.CHANGED and _is_edit_on(side, op)]
    if not any(operation.action.writes for operation in changed):
        return set()
    ids = {operation.ids[side] for operation in changed} | {c.ids[side] for c in plan.conflicts}
    return {record_id for record_id in ids if record_id is not None}


def _is_edit_on(side: Side, operation: Operation) -> bool:
    return operation.action in {Action.RESOLVE, Action.ADVANCE} or operation.side is side.opposite
