"""How a record stands now, in sentences: what the state says of it beside its history. Names no values."""

from __future__ import annotations

from collections.abc import Iterator

from sync_workers.model import ID, Pair, Side
from sync_workers.state import State


def ids_of(state: State, record_id: ID) -> Pair[ID | None]:
    """The ids of a record on both sides, from either of them; only its own where it has no link."""
    for link in state.links():
        if record_id in link:
            return Pair(*link)
    for side in Side:
        if record_id in _named(state, side):
            return Pair.of(side, record_id, None)
    return Pair(None, None)


def standing(state: State, ids: Pair[ID | None]) -> list[str]:
    """One sentence for each thing that a person should know about the record."""
    return [*_link(state, ids), *(sentence for side in Side for sentence in _on(state, side, ids))]


def _link(state: State, ids: Pair[ID | None]) -> Iterator[str]:
    if ids.notion is not None and state.ids.get(ids.notion) == ids.other:
        yield f"linked: {ids.notion} on notion, {ids.other} on other"
    else:
        yield "not linked"
    for attr, held in state.held.get(ids.notion or "", {}).items():
        why = "the two sides answered each other's writes" if held.frozen else "both sides changed it"
        yield (
            f"{attr} is held since {held.since:%Y-%m-%d %H:%M} UTC ({why}): "
            f"sync-workers resolve TASK {ids.notion} '{attr}' --use notion|other|VALUE"
        )
    for attr in state.decisions.get(ids.notion or "", {}):
        yield f"{attr} is decided; the next run carries it out"


def _on(state: State, side: Side, ids: Pair[ID | None]) -> Iterator[str]:
    mine, theirs = ids[side], ids[side.opposite]
    if mine is not None and mine in state.unlinked.get(side, set()):
        yield f"{mine} on {side} is left alone: its counterpart was deleted, or a person took the link back"
    if mine is not None and mine in state.paused.get(side, set()):
        yield f"{mine} on {side} is paused by a person: sync-workers resume TASK {mine}"
    if theirs is not None and theirs in state.pending.get(side, {}):
        yield f"a create on {side} was begun and its end not seen: the next run looks for what it made"
    for named in {mine, theirs} - {None}:
        if (failed := state.quarantine.get(side, {}).get(named or "")) is not None:
            yield (
                f"in quarantine: {failed.action} on {side} failed {failed.count} time(s) since "
                f"{failed.since:%Y-%m-%d %H:%M} UTC, next try at {failed.due:%Y-%m-%d %H:%M} UTC or by "
                f"`sync-workers retry TASK {named}`: {failed.reason}"
            )


def _named(state: State, side: Side) -> set[ID]:
    """The ids that the state knows without a link."""
    return {
        *state.unlinked.get(side, set()),
        *state.paused.get(side, set()),
        *state.pending.get(side.opposite, {}),
        *state.quarantine.get(side.opposite, {}),
        *state.quarantine.get(side, {}),
    }
