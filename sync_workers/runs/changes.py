"""What an operation makes of the state, as a `Change`. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from sync_workers.errors import StateError
from sync_workers.model import ID, Action, Fields, Operation, Pair, Record, Side
from sync_workers.remarks import Memory
from sync_workers.state import Change, Pending, State

Links = dict[ID, tuple[ID, Mapping[str, object], Mapping[str, object]] | None]


def link(state: State, ids: Pair[ID], bases: Pair[Fields], *, leaves: ID | None = None) -> Change:
    """Link two records, or move the bases that are named of a link that is there.

    A record that was linked to another one, such as one that is gone and was made again, leaves it.
    `leaves` is the Notion id of that one where it is known, which spares a search.
    """
    is_there = state.ids.get(ids.notion) == ids.other
    old = Pair.each(lambda side: state.bases(side).get(ids[side], {}) if is_there else {})
    new = Pair.each(lambda side: {**old[side], **bases[side]})
    links: Links = {}
    memory: dict[ID, dict[str, Memory] | None] = {}
    if not is_there and ids.other in state.other_objs:
        known = leaves is not None and state.ids.get(leaves) == ids.other
        former = [leaves] if known else [one for one, another in state.links() if another == ids.other]
        links = dict.fromkeys(filter(None, former))
        # The record was made again: it is the same one for the person who knew it.
        kept = next((state.memory[one] for one in links if one in state.memory), None)
        memory = {} if kept is None else {ids.notion: kept}
    links[ids.notion] = (ids.other, new.notion, new.other)
    found: dict[tuple[Side, ID], Pending | None] = {
        (side, ids[side.opposite]): None for side in Side if ids[side.opposite] in state.pending.get(side, {})
    }
    rejoined = {(side, ids[side]): False for side in Side if ids[side] in state.unlinked.get(side, set())}
    return Change(links=links, pending=found, unlinked=rejoined, memory=memory)


def remembering(state: State, operation: Operation) -> dict[ID, dict[str, Memory] | None]:
    """What the value maps of the operation's record remember, before it is carried out.

    It tells of values that were left: should the operation not happen, it is none the worse.
    """
    notion_id = operation.ids.notion
    if not operation.memory or notion_id is None:
        return {}
    told = {
        attr: Memory.model_construct(last={side: list(pairs[side]) for side in Side if pairs[side]})
        for attr, pairs in operation.memory.items()
    }
    return {notion_id: {**state.memory.get(notion_id, {}), **told}}


def unlink(state: State, operation: Operation) -> Change:
    """Forget a link; what is still there of it is left alone from now on.

    So is what a create of ours made from a record that is out of scope now: it has no link yet.
    """
    ids, side, there = both(operation.ids), operation.side, operation.records[operation.side]
    is_linked = state.ids.get(ids.notion) == ids.other
    is_alone = there is not None and (is_linked or there.id not in state.bases(side))
    return parted(state, ids, *([side] if is_alone else []))


def parted(state: State, ids: Pair[ID | None], *sides: Side) -> Change:
    """Forget the link of these two, if there is one, and leave the records of `sides` alone from now on."""
    is_linked = ids.notion is not None and state.ids.get(ids.notion) == ids.other
    links: Links = {ids.notion: None} if ids.notion is not None and is_linked else {}
    alone = {(side, record_id): True for side in sides if (record_id := ids[side]) is not None}
    return Change(links=links, unlinked=alone)


def idempotent(task: str, side: Side, source_id: ID) -> str:
    """The text by which each attempt of one create is the same to its service."""
    return f"{task}/{side}/{source_id}"


def both(ids: Pair[ID | None]) -> Pair[ID]:
    """The ids of an operation on a link.

    Raises:
        StateError: one of them is missing.
    """
    if ids.notion is None or ids.other is None:
        msg = "an operation on a link without both ids: a plan of another version?"
        raise StateError(msg)
    return Pair(ids.notion, ids.other)


def there(operation: Operation, side: Side) -> Record:
    """The record that the operation cannot be without.

    Raises:
        StateError: it is without it.
    """
    if (record := operation.records[side]) is None:
        msg = f"a {operation.action} without its record of {side}: a plan of another version?"
        raise StateError(msg)
    return record


def pending_before(
    operation: Operation, earlier: Mapping[Side, Mapping[ID, Pending]]
) -> dict[tuple[Side, ID], Pending | None]:
    """What was begun of a create before this run began it: what `earlier` runs did not see the end of."""
    side, source = operation.side, operation.records[operation.side.opposite]
    if operation.action is not Action.CREATE or source is None:
        return {}
    return {(side, source.id): earlier[side].get(source.id)}
