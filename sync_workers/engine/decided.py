"""What single fields of one linked record are subject to besides their values.

A person's decision, carried out as long as both sides still show what that person saw; and the loop detector,
which holds a field in which the two sides answered each other's writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync_workers.engine.crossing import Crossing
from sync_workers.engine.loops import is_loop
from sync_workers.engine.notes import answer
from sync_workers.engine.rules import Rules
from sync_workers.model import ID, Pair, Record, Side, Snapshot
from sync_workers.remarks import Decision, HeldConflict
from sync_workers.state import State
from sync_workers.values import same


@dataclass(frozen=True, slots=True)
class Decided:
    """The fields of one record that are not left to the values alone, by Notion attribute.

    Attributes:
        decisions: what a person decided, on the command line or beside the record.
        frozen: fields that nothing but a decision writes any more.
    """

    decisions: Mapping[str, Decision] = field(default_factory=dict)
    frozen: frozenset[str] = frozenset()


NOTHING_DECIDED = Decided()


def decided(rules: Rules, state: State, records: Pair[Record], notes: Pair[bool]) -> Decided:
    """What the state and the notes beside a record say about its fields."""
    notion_id = records.notion.id
    held, trails = state.held.get(notion_id), state.trails.get(notion_id)
    decisions = state.decisions.get(notion_id)
    # The case of nearly all records.
    if held is None and trails is None and decisions is None:
        return NOTHING_DECIDED
    frozen = frozenset(attr for attr, trail in (trails or {}).items() if is_loop(rules, trail))
    answered = _answered(held, records, notes) if held is not None else {}
    return Decided({**answered, **(decisions or {})}, frozen)


def _answered(
    held: Mapping[str, HeldConflict], records: Pair[Record], notes: Pair[bool]
) -> dict[str, Decision]:
    """What people wrote beside the record; two who contradict each other decide nothing."""
    said = [answer(records[side].about.note, held) or {} for side in Side if notes[side]]
    uses = {attr: {one[attr] for one in said if attr in one} for attr in held}
    return {
        attr: Decision.model_construct(use=use, value=None, seen=held[attr].values, at=held[attr].since)
        for attr, named in uses.items()
        if len(named) == 1
        for use in named
    }


def stands(crossing: Crossing, decision: Decision, values: Pair[Any]) -> bool:
    """Whether a decision is about the conflict that is there now, or is half carried out.

    Raises:
        UncrossableError: its value has no counterpart on the other side.
    """
    if not all(crossing.reaches(side) for side in Side) or crossing.agree(values):
        return False
    if decision.use is not None:
        return all(same(values[side], decision.seen.get(side)) for side in Side)
    # A run that stopped between its two writes left the value on one side already.
    meant = wanted(crossing, decision, values)
    return all(
        same(values[side], decision.seen.get(side)) or same(values[side], meant[side]) for side in Side
    )


def wanted(crossing: Crossing, decision: Decision, values: Pair[Any]) -> Pair[Any]:
    """What a decision makes of both sides, each in its own form.

    Raises:
        UncrossableError: its value has no counterpart on the other side.
    """
    if decision.use is None:
        return Pair(decision.value, crossing.to(Side.OTHER, decision.value, values.other))
    loser = decision.use.opposite
    return Pair.of(loser, crossing.to(loser, values[decision.use], values[loser]), values[decision.use])


def unseen(state: State, snapshot: Snapshot) -> tuple[ID, ...]:
    """Linked records of which the state remarks something and that a snapshot does not show on both sides."""
    there = Pair.each(lambda side: snapshot[side].records)
    return tuple(
        notion_id
        for notion_id in remarked(state)
        if notion_id not in there.notion or state.ids[notion_id] not in there.other
    )


def remarked(state: State) -> list[ID]:
    """The linked records of which the state remarks something, by Notion id."""
    return sorted({*state.held, *state.decisions, *state.trails} & state.ids.keys())
