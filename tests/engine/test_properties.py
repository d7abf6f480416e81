"""What holds for every situation, tried on situations that hypothesis makes up."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync_workers.engine.diff import diff
from sync_workers.engine.guard import refusals
from sync_workers.engine.rules import Direction, Limits, Rules
from sync_workers.model import Action, ConflictMode, Listing, Pair, Part, Plan, Side
from sync_workers.state import State
from tests.engine.build import Situation
from tests.runs.situations import CHANCE, MODES, situation_by, snapshot_of

# --- swapping the sides mirrors the plan ---


def mirrored_pair(pair: Pair[Any]) -> Pair[Any]:
    return Pair(pair.other, pair.notion)


def mirrored_rules(rules: Rules) -> Rules:
    ways = {Direction.TO_NOTION: Direction.TO_OTHER, Direction.TO_OTHER: Direction.TO_NOTION}
    modes = {ConflictMode.NOTION: ConflictMode.OTHER, ConflictMode.OTHER: ConflictMode.NOTION}
    fields = tuple(
        replace(rule, attrs=mirrored_pair(rule.attrs), direction=ways.get(rule.direction, rule.direction))
        for rule in rules.fields
    )
    keys = tuple(rule.attrs.other for rule in rules.fields if rule.attrs.notion in rules.key)
    mode = modes.get(rules.mode, rules.mode)
    deletes = mirrored_pair(rules.delete)
    return replace(rules, fields=fields, mode=mode, tie=rules.tie.opposite, delete=deletes, key=keys)


def mirrored_state(state: State) -> State:
    ids = {other: notion for notion, other in state.links()}
    pending, unlinked = ({s.opposite: kept[s] for s in kept} for kept in (state.pending, state.unlinked))
    return State(ids=ids, objs=state.other_objs, other_objs=state.objs, pending=pending, unlinked=unlinked)


def decisions(plan: Plan, *, mirrored: bool = False) -> Counter[str]:
    """What a plan says, without order; of a mirrored one as the original would say it."""

    def turned(pair: Pair[Any]) -> Pair[Any]:
        return mirrored_pair(pair) if mirrored else pair

    said: Counter[str] = Counter()
    for op in plan:
        side = (op.side.opposite if mirrored else op.side) if op.action.writes else None
        said[f"{op.action} {side} {turned(op.ids)} {sorted(op.fields.items())} {turned(op.bases)}"] += 1
    for conflict in plan.conflicts:
        winner = conflict.winner.opposite if mirrored and conflict.winner else conflict.winner
        said[f"conflict {turned(conflict.ids)} {turned(conflict.values)} {winner} {conflict.tie}"] += 1
    for hold in plan.ignored:
        said[f"ignored {hold.record_id}"] += 1
    for ambiguity in plan.ambiguous:
        said[f"ambiguous {turned(ambiguity.ids)}"] += 1
    return said


@given(CHANCE, MODES)
def test_swapped_sides_give_the_mirrored_plan(chance: Random, mode: ConflictMode) -> None:
    world = situation_by(chance, mode=mode)
    state, snapshot = world.state or State(), snapshot_of(world)

    plan = diff(world.rules, state, snapshot)
    mirror = diff(mirrored_rules(world.rules), mirrored_state(state), mirrored_pair(snapshot))

    # With two updates of one record, the first carries the bases that move without a write.
    if max(Counter(op.ids for op in plan).values(), default=0) <= 1:
        assert decisions(mirror, mirrored=True) == decisions(plan)
    assert mirrored_counts(mirror) == written_counts(plan)


def written_counts(plan: Plan) -> Counter[tuple[Action, Side, Part]]:
    return Counter((op.action, op.side, op.part) for op in plan if op.action.writes)


def mirrored_counts(plan: Plan) -> Counter[tuple[Action, Side, Part]]:
    parts = {
        Part.NOTION_DELETED: Part.OTHER_DELETED,
        Part.OTHER_DELETED: Part.NOTION_DELETED,
        Part.NOTION_CREATED: Part.OTHER_CREATED,
        Part.OTHER_CREATED: Part.NOTION_CREATED,
    }
    written = (op for op in plan if op.action.writes)
    return Counter((op.action, op.side.opposite, parts.get(op.part, op.part)) for op in written)


@given(CHANCE, MODES, st.tuples(*[st.sampled_from((0, 0.25, 0.5, 1)), st.integers(0, 2)] * 3))
def test_swapped_sides_are_refused_for_the_mirrored_reasons(
    chance: Random, mode: ConflictMode, said: tuple[Any, ...]
) -> None:
    world, limits = situation_by(chance, mode=mode), Limits(*said)
    state, snapshot = world.state or State(), snapshot_of(world)

    plan = diff(world.rules, state, snapshot)
    mirror = diff(mirrored_rules(world.rules), mirrored_state(state), mirrored_pair(snapshot))

    reasons = refusals(limits, state, snapshot, plan)
    mirrored = refusals(limits, mirrored_state(state), mirrored_pair(snapshot), mirror)
    swap = {"notion": "other", "other": "notion"}
    swapped = [re.sub(r"\b(notion|other)\b", lambda found: swap[found[0]], reason) for reason in mirrored]
    assert sorted(swapped) == sorted(reasons)


# --- what a run leaves behind ---


@given(CHANCE, MODES)
def test_after_one_run_both_sides_say_the_same(chance: Random, mode: ConflictMode) -> None:
    """In canonical form, but for what the plan holds or names as ambiguous."""
    world = situation_by(chance, mode=mode)
    world.run()
    assert world.disagreements(world.run()) == []


@given(CHANCE, MODES)
def test_a_plan_is_a_function_of_what_it_is_given(chance: Random, mode: ConflictMode) -> None:
    """The engine is pure: it changes neither the state nor the snapshot, and decides the same again."""
    world = situation_by(chance, mode=mode)
    state, snapshot = world.state or State(), snapshot_of(world)
    before = (state.model_copy(deep=True), Pair.each(lambda side: Listing(dict(snapshot[side].records))))

    one, another = (diff(world.rules, state, snapshot) for _ in range(2))

    assert one == another
    assert (state, snapshot) == before


# --- the cost ---


class Watched(dict[str, Any]):
    """Fields that count how often they are looked at."""

    looked = 0

    def __eq__(self, other: object) -> bool:
        Watched.looked += 1
        return dict.__eq__(self, other) is True

    __hash__ = None

    def get(self, *args: Any) -> Any:
        Watched.looked += 1
        return super().get(*args)


def looks(count: int, *, every: int) -> int:
    """How often a plan looks at fields when every so manieth linked record was edited."""
    here = Situation()
    for number in range(count):
        ids = here.linked(number, title=f"title {number}", text="two")
        if number % every == 0:
            here.edit(Side.NOTION, ids.notion, text="three")
        for side in Side:
            record = here.records[side][ids[side]]
            here.records[side][ids[side]] = replace(record, fields=Watched(record.fields))
    Watched.looked = 0
    assert len(here.plan()) == len(range(0, count, every))
    return Watched.looked


def test_r10_a_record_in_which_nothing_changed_costs_two_comparisons() -> None:
    assert looks(1000, every=2000) <= 2 * 1000 + 20


def test_the_cost_of_a_plan_is_linear_in_the_records() -> None:
    assert looks(5000, every=2) <= 10.5 * looks(500, every=2)
