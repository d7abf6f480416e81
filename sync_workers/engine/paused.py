"""Records that a person told us to leave alone: what a plan would do with them is taken out of it. Pure.

The plan is made first and thinned out afterwards. So a paused record still counts when others are matched:
what belongs to it is not copied meanwhile, and no key seems unique that is not. Nothing is forgotten either:
the bases stay, and an edit that was made while it was paused crosses after it was resumed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sync_workers.engine.decided import remarked
from sync_workers.model import ID, Action, Hold, Operation, Pair, Plan, Side
from sync_workers.state import State


def leave_alone(plan: Plan, state: State, task: str) -> Plan:
    """The plan without all that concerns paused records or their counterparts, which are held instead."""
    if not any(state.paused.values()):
        return plan
    return replace(
        plan,
        operations=tuple(operation for operation in plan if not _concerns(state, operation)),
        conflicts=tuple(conflict for conflict in plan.conflicts if not _is_paused(state, conflict.ids)),
        held=(*(hold for hold in plan.held if not _is_held_back(state, hold)), *_holds(state, task)),
        unseen=(*plan.unseen, *(i for i in remarked(state) if _is_paused(state, Pair(i, state.ids[i])))),
    )


def unpaused(state: State) -> State:
    """The state with the links of records that are not paused: what a guard measures a plan by."""
    if not any(state.paused.values()):
        return state
    links = {notion: other for notion, other in state.links() if not _is_paused(state, Pair(notion, other))}
    return state.model_copy(update={"ids": links})


def _holds(state: State, task: str) -> Iterator[Hold]:
    """One for each paused record, by its Notion id where it has one."""
    partners = {state.ids[i] for i in state.paused.get(Side.NOTION, ()) if i in state.ids}
    for side in Side:
        for record_id in sorted(state.paused.get(side, ())):
            if side is Side.NOTION or record_id not in partners:
                reason = f"paused by a person: `sync-workers resume {task} {record_id}`"
                yield Hold(side, record_id, reason)


def _concerns(state: State, operation: Operation) -> bool:
    # A link to a container that is not the task's any more says nothing about a record.
    return operation.action is not Action.DROP and _is_paused(state, operation.ids)


def _is_paused(state: State, ids: Pair[ID | None] | Pair[ID]) -> bool:
    return any(ids[side] in state.paused.get(side, ()) for side in Side)


def _is_held_back(state: State, hold: Hold) -> bool:
    return hold.record_id in state.paused.get(hold.side, ())
