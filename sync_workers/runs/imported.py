"""A state that comes from elsewhere: whether it is this task's, and the bases that it lacks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.relations import NO_LINKS, crossings_of
from sync_workers.engine.rules import Limits, Rules
from sync_workers.model import ID, NOTHING, Fields, Listing, Pair, Record, Side, Snapshot
from sync_workers.runs.get import Gathered
from sync_workers.state import State


def crossings(
    rules: Rules,
    gathered: Gathered,
    links: Mapping[str, Mapping[ID, ID]] = NO_LINKS,
) -> list[Crossing]:
    """How each field of a task crosses between the two sides as they are; see `crossings_of`."""
    return crossings_of(rules, gathered.fields, links)


def completed(state: State, crossings: Sequence[Crossing], snapshot: Snapshot) -> State:
    """The state with the bases that it lacks and that can be told from the opposite ones.

    The original keeps one base for both sides. Where a side says the same, what it shows is its own base;
    elsewhere its base is what the opposite one would be there, so that an edit since then is seen as one.
    """
    bases = Pair.each(lambda side: dict(state.bases(side)))
    for ids in (Pair(*link) for link in state.links()):
        known = Pair(bases.notion.get(ids.notion, NOTHING), bases.other.get(ids.other, NOTHING))
        for side in Side:
            if told := _told(crossings, side, snapshot[side].records.get(ids[side]), known):
                bases[side][ids[side]] = {**known[side], **told}
    return state.model_copy(update={"objs": bases.notion, "other_objs": bases.other})


def _told(
    crossings: Sequence[Crossing], side: Side, record: Record | None, known: Pair[Fields]
) -> dict[str, Any]:
    """What a side's base is, of the fields for which only the opposite base is known."""
    told = {}
    for crossing in crossings:
        mine, theirs = crossing.attrs[side], crossing.attrs[side.opposite]
        if mine in known[side] or theirs not in known[side.opposite]:
            continue
        base = known[side.opposite][theirs]
        shown = record.fields.get(mine) if record is not None else None
        if record is not None and crossing.agree(Pair.of(side, shown, base)):
            told[mine] = shown
            continue
        # A value that has no counterpart has no base: the field is compared by the one that there is.
        with suppress(UncrossableError):
            told[mine] = crossing.to(side, base)
    return told


@dataclass(frozen=True, slots=True)
class Fit:
    """How a state fits what the two sides show.

    Attributes:
        absent: per side the linked records that are not listed, so that the next run may take them for gone.
        reasons: why it should not be this task's state at all.
    """

    absent: Pair[frozenset[ID]]
    reasons: tuple[str, ...]


def fit(state: State, snapshot: Snapshot, limits: Limits) -> Fit:
    """How a state fits both sides.

    The next run would delete the counterparts of what is absent, and its guards look away where the links are
    few. So a side that shows none of the linked records is reason enough, however few they are.
    """
    absent = Pair.each(lambda side: frozenset(state.linked(side) - _there(snapshot[side])))
    return Fit(absent, tuple(_reasons(state, absent, limits)))


def _there(listing: Listing) -> set[ID]:
    return {*listing.records, *(failure.record_id for failure in listing.failures)}


def _reasons(state: State, absent: Pair[frozenset[ID]], limits: Limits) -> Iterator[str]:
    if not state.ids:
        yield "it links no record"
        return
    if twice := len(state.ids) - len(state.linked(Side.OTHER)):
        yield f"{twice} of its links lead to a record of other that another one leads to as well"
    for side in Side:
        linked, lost = len(state.linked(side)), len(absent[side])
        if lost == linked:
            yield f"none of its {linked} linked record(s) is on {side}"
        elif lost > limits.lost_number and lost > limits.lost_share * linked:
            yield f"{lost} of its {linked} linked records are not on {side}"
