"""What a run that came to its end remembers of single fields. Pure.

The conflicts that are held now, which of a person's decisions are still to be carried out, and the trails of
what this run wrote. Where nothing changed nothing is said, so that a quiet run stores nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sync_workers.engine.loops import walked
from sync_workers.engine.rules import Rules
from sync_workers.model import ID, Action, Conflict, Operation, Pair, Plan, Side
from sync_workers.remarks import Decision, HeldConflict, Trail
from sync_workers.report import Report
from sync_workers.state import Change, State
from sync_workers.values import same

OneField: TypeAlias = tuple[ID, str]
"""Notion id and Notion attribute."""


def remember(
    rules: Rules, report: Report, state: State, plan: Plan, done: AbstractSet[int], now: datetime
) -> Change:
    """What becomes of the state's remarks on single fields.

    Args:
        state: after the run, with the remarks that were there before it.
        done: numbers of the operations that were carried out.
    """
    if not (plan.operations or plan.conflicts or state.held or state.decisions or state.trails):
        return Change()
    ended = _Ended(rules, report, state, plan, done, now)
    held, trails = ended.held(), ended.trails()
    return Change(
        held={i: held.get(i) for i in _differing(state.held, held)},
        decisions=dict(ended.decisions()),
        trails={i: trails.get(i) for i in _differing(state.trails, trails)},
    )


@dataclass(slots=True)
class _Ended:
    """A run at its end.

    Attributes:
        conflicts: all that are known, by field.
        untold: fields of which the task's own `resolve_conflict` was to say something and did not.
        settling: the operations that settle a conflict of a field.
    """

    rules: Rules
    report: Report
    state: State
    plan: Plan
    done: AbstractSet[int]
    now: datetime
    conflicts: dict[OneField, Conflict] = field(init=False)
    untold: set[OneField] = field(init=False)
    settling: dict[OneField, list[int]] = field(init=False)

    def __post_init__(self) -> None:
        asked = {_field(one) for one in self.plan.conflicts if self.rules.asks(one)}
        known = [one for one in self.plan.conflicts if not self.rules.asks(one)]
        known += [one for one in self.report.conflicts if _field(one) in asked]
        self.conflicts = {_field(one): one for one in known}
        self.untold = asked - self.conflicts.keys()
        self.settling = defaultdict(list)
        for number, operation in enumerate(self.plan):
            for one in operation.conflicts:
                self.settling[_field(one)].append(number)

    def held(self) -> dict[ID, dict[str, HeldConflict]]:
        """The conflicts that wait for a person from now on."""
        found: dict[ID, dict[str, HeldConflict]] = defaultdict(dict)
        for (notion_id, attr), one in self.conflicts.items():
            if one.held and notion_id in self.state.ids:
                found[notion_id][attr] = self._entry(one, self.state.held.get(notion_id, {}).get(attr))
        for notion_id, known in self.state.held.items():
            for attr, one_held in known.items():
                if self._is_unknown(notion_id, attr) or self._is_open((notion_id, attr)):
                    found[notion_id].setdefault(attr, one_held)
        return found

    def decisions(self) -> Iterator[tuple[OneField, Decision | None]]:
        """What was carried out or is void goes; an answer beside a record that was not carried out stays."""
        for notion_id, known in self.state.decisions.items():
            for attr, decision in known.items():
                if not self._stays(notion_id, attr, decision):
                    yield (notion_id, attr), None
        for (notion_id, attr), one in self.conflicts.items():
            answered = one.winner is not None and self._is_open((notion_id, attr))
            if answered and attr not in self.state.decisions.get(notion_id, {}):
                seen = {side: one.values[side] for side in Side}
                yield (
                    (notion_id, attr),
                    Decision.model_construct(use=one.winner, value=None, seen=seen, at=self.now),
                )

    def trails(self) -> dict[ID, dict[str, Trail]]:
        """The trails of the fields that this run wrote, or that it would write if they were not frozen.

        A field that crosses one way only cannot answer.
        """
        found: dict[ID, dict[str, Trail]] = defaultdict(dict)
        if not self.rules.loop_limit:
            return found
        rules = [rule for rule in self.rules.fields if all(rule.direction.reaches(side) for side in Side)]
        attrs = Pair.each(lambda side: {rule.attrs[side]: rule.attrs.notion for rule in rules})
        for number, operation in enumerate(self.plan):
            for side, attr, value in self._written(operation):
                notion_id, notion_attr = operation.ids.notion or "", attrs[side].get(attr)
                if notion_attr is None:
                    continue
                old = self.state.trails.get(notion_id, {}).get(notion_attr)
                if number not in self.done:
                    found[notion_id] |= {} if old is None else {notion_attr: old}
                elif not self._is_by_person((notion_id, notion_attr)):
                    found[notion_id][notion_attr] = walked(old, side, [value])
        for notion_id, known in self.state.trails.items():
            for attr, trail in known.items():
                one = self.conflicts.get((notion_id, attr))
                if self._is_unknown(notion_id, attr) or (one is not None and one.frozen):
                    found[notion_id][attr] = trail
        return {notion_id: known for notion_id, known in found.items() if known}

    def _written(self, operation: Operation) -> Iterator[tuple[Side, str, Any]]:
        """What an operation on linked records writes, by written side and its attribute."""
        if operation.action is Action.UPDATE:
            yield from ((operation.side, attr, value) for attr, value in operation.fields.items())
        elif operation.action is Action.RESOLVE:
            for side in Side:
                yield from ((side, attr, value) for attr, value in operation.resolve_fields[side].items())
            for one in filter(None, (self.conflicts.get(_field(asked)) for asked in operation.conflicts)):
                # A third value is not known here: the two that it was made of tell it from others.
                if one.merged:
                    yield Side.NOTION, one.attrs.notion, [one.values.notion, one.values.other]
                elif one.winner is not None:
                    loser = one.winner.opposite
                    yield loser, one.attrs[loser], one.values[one.winner]

    def _entry(self, one: Conflict, known: HeldConflict | None) -> HeldConflict:
        """A held conflict; a side that shows the same value as before keeps who changed it and when.

        A note that we write beside the record would else look like an edit of it.
        """
        entry = HeldConflict.model_construct(
            other_id=one.ids.other,
            other_attr=one.attrs.other,
            values={side: one.values[side] for side in Side},
            changed={side: one.changed[side] for side in Side},
            authors={side: one.authors[side] for side in Side},
            since=self.now if known is None else known.since,
            run=self.report.run if known is None else known.run,
            frozen=one.frozen,
        )
        for side in Side:
            if known is not None and same(known.values.get(side), one.values[side]):
                entry.values[side] = known.values.get(side)
                entry.changed[side] = known.changed.get(side)
                entry.authors[side] = known.authors.get(side)
        return entry

    def _is_unknown(self, notion_id: ID, attr: str) -> bool:
        """Whether this run could not tell if the field is still in conflict."""
        if (notion_id, attr) in self.untold:
            return True
        known, other_id = self.state.held.get(notion_id, {}).get(attr), self.state.ids.get(notion_id)
        # Not if it lost its link since then, or its counterpart was made again.
        is_same = other_id is not None and (known is None or known.other_id == other_id)
        return is_same and (notion_id in self.plan.unseen or (notion_id, attr) in self.plan.unread)

    def _is_by_person(self, one_field: OneField) -> bool:
        one = self.conflicts.get(one_field)
        return one is not None and one.by_person and not one.held

    def _is_open(self, one_field: OneField) -> bool:
        """Whether a person decided it, and what that asks for was not all done."""
        numbers = self.settling.get(one_field, [])
        return self._is_by_person(one_field) and not (
            numbers and all(number in self.done for number in numbers)
        )

    def _stays(self, notion_id: ID, attr: str, decision: Decision) -> bool:
        if self._is_unknown(notion_id, attr) or self._is_open((notion_id, attr)):
            return True
        one = self.conflicts.get((notion_id, attr))
        if one is None or one.by_person or not one.held:
            return False
        # It was stored after the plan was made, which therefore knew nothing of it.
        return all(same(decision.seen.get(side), one.values[side]) for side in Side)


def _field(conflict: Conflict) -> OneField:
    return conflict.ids.notion, conflict.attrs.notion


def _differing(before: Mapping[ID, Mapping[str, Any]], after: Mapping[ID, Mapping[str, Any]]) -> list[ID]:
    """The records of which something else is to be remembered."""
    return sorted(
        notion_id
        for notion_id in {*before, *after}
        if _plain(before.get(notion_id)) != _plain(after.get(notion_id))
    )


def _plain(known: Mapping[str, Any] | None) -> dict[str, Any]:
    """In terms of JSON, where even a not-a-number equals itself."""
    return {attr: one.model_dump(mode="json") for attr, one in (known or {}).items()}
