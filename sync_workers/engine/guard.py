"""`refusals`: whether a plan looks like an accident. Pure; nothing is changed when one refuses."""

from __future__ import annotations

from collections.abc import Iterator

from sync_workers.engine.rules import Limits
from sync_workers.model import ID, Action, Operation, Part, Plan, Side, Snapshot
from sync_workers.state import State

NEXT_STEP = "accept it only if that is meant"


def refusals(limits: Limits, state: State, snapshot: Snapshot, plan: Plan) -> list[str]:
    """One sentence for each reason not to carry out the plan; empty when it looks sane."""
    return [reason for side in Side for reason in _refused(side, limits, state, snapshot, plan)]


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


def _refused(side: Side, limits: Limits, state: State, snapshot: Snapshot, plan: Plan) -> Iterator[str]:
    listing = snapshot[side]
    # The listing contradicts itself: a page border that moved, or a broken service.
    if listing.repeated:
        shown = ", ".join(listing.repeated[:3])
        yield f"{side} listed {len(listing.repeated)} id(s) twice ({shown}): run again"
    links = len(state.ids)
    lost = _lost(side, state, plan)
    # Everything is gone at once: a wrong container, a revoked share, a failed listing.
    if lost and not listing.records and not listing.failures:
        yield f"{side} is empty, but {links} record(s) were linked: is it the right container? {NEXT_STEP}"
    elif lost > limits.lost_number and lost > limits.lost_share * links:
        yield (
            f"{side} lost {lost} of {links} linked records, more than {limits.lost_share:.0%} "
            f"and more than {limits.lost_number}: {NEXT_STEP}"
        )
    # Nobody edits every record between two runs: a changed format, zone or formula.
    changed = _changed(side, plan)
    if len(changed) > limits.changed_number and changed >= state.linked(side) & listing.records.keys():
        yield f"all {len(changed)} linked records changed on {side} at once: {NEXT_STEP}"


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
