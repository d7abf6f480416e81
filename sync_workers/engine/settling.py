"""`Settling`: takes what linked records ask for into a draft. Pure.

Some name others of their task that have no link yet when they are looked at. What is matched or copied by the
very plan is known only at its end: then these are decided once more, so that the next run has nothing to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.decided import NOTHING_DECIDED, Decided
from sync_workers.engine.draft import Draft
from sync_workers.engine.links import Links, WaitingError
from sync_workers.engine.merge import Merged, merge
from sync_workers.engine.recall import Memories
from sync_workers.engine.rules import Rules
from sync_workers.model import ID, NOTHING, Action, Fields, Hold, Operation, Pair, Part, Record, Side
from sync_workers.references import has_counterpart


def held(crossing: Crossing, ids: Pair[ID | None], error: UncrossableError) -> Hold:
    """A record of which a field waits, since its value cannot cross (now)."""
    reason = f"the value of {crossing.attrs[error.side]!r} {error.reason}"
    return Hold(error.side, ids[error.side] or "", reason, error.asks)


@dataclass(frozen=True, slots=True)
class _Case:
    part: Part
    crossings: Sequence[Crossing]
    records: Pair[Record]
    bases: Pair[Fields]
    said: Decided


@dataclass(slots=True)
class Settling:
    """Linked records, one after the other.

    Attributes:
        own: the links of the task, which grow while the plan is made.
        waiting: those that wait for records of their own task.
    """

    rules: Rules
    memories: Memories
    own: Links
    draft: Draft
    waiting: list[tuple[_Case, frozenset[ID]]] = field(default_factory=list)

    def settle(
        self,
        part: Part,
        crossings: Sequence[Crossing],
        records: Pair[Record],
        bases: Pair[Fields],
        said: Decided = NOTHING_DECIDED,
    ) -> None:
        """Plan what a linked record asks for; `bases` are those that it has then."""
        case = _Case(part, crossings, records, bases, said)
        merged = self._merged(case)
        errors = [one for one in merged.uncrossable.values() if isinstance(one, WaitingError)]
        if awaited := frozenset(one.record_id for one in errors if one.task == self.own.task):
            self.waiting.append((case, awaited))

    def look_again(self) -> None:
        """Decide anew what names a record that turned out to be linked or copied by this plan."""
        again = [
            case for case, awaited in self.waiting if any(self.own.has(s, i) for s in Side for i in awaited)
        ]
        if not again:
            return
        self.draft.retract({case.records.notion.id for case in again})
        for case in again:
            self._merged(case)

    def _merged(self, case: _Case) -> Merged:
        records, part = case.records, case.part
        merged = merge(case.crossings, self.rules, records, case.bases, case.said)
        ids = Pair(records.notion.id, records.other.id)
        self.draft.conflicts.extend(merged.conflicts)
        for crossing in case.crossings:
            if (error := merged.uncrossable.get(crossing.attrs.notion)) is not None:
                self.draft.fields_held.append((ids.notion, held(crossing, ids, error)))
        if any(self.rules.asks(conflict) for conflict in merged.conflicts):
            self._ask(part, records, merged)
            return merged
        # What names a record that this plan makes stands behind that, in a part of its own.
        if any(has_counterpart(value) for side in Side for value in merged.updates[side].values()):
            part = Part.RELATED
        self._write(part, ids, records, merged)
        return merged

    def _write(self, part: Part, ids: Pair[ID], records: Pair[Record], merged: Merged) -> None:
        advanced = merged.advanced
        for side in Side:
            if fields := merged.updates[side]:
                bases = Pair.of(side, advanced[side], {**advanced[side.opposite], **merged.sources[side]})
                why = f"edited on {side.opposite}"
                lost = tuple(c for c in merged.conflicts if c.merged or c.winner is side.opposite)
                after = Pair.of(side, {**bases[side], **fields}, bases[side.opposite])
                update = Operation(
                    part, Action.UPDATE, side, ids, why, records, fields, bases, lost,
                    memory=self.memories.left(ids, after, Pair.of(side, records[side].fields, NOTHING)),
                    references=tuple(merged.references[side]),
                )  # fmt: skip
                self.draft.take(update)
                advanced = Pair({}, {})
        if advanced.notion or advanced.other:
            why = "both sides agree"
            memory = self.memories.left(ids, advanced)
            advance = Operation(
                part, Action.ADVANCE, Side.NOTION, ids, why, records, bases=advanced, memory=memory
            )
            self.draft.take(advance)

    def _ask(self, part: Part, records: Pair[Record], merged: Merged) -> None:
        """Let the task's own `resolve_conflict` decide, and write the undisputed fields with it."""
        bases = Pair.each(lambda s: {**merged.advanced[s], **merged.sources[s.opposite]})
        self.draft.take(
            Operation(
                part,
                Action.RESOLVE,
                Side.NOTION,
                Pair(records.notion.id, records.other.id),
                "conflicts for the task's own resolve_conflict",
                records,
                bases=bases,
                conflicts=tuple(c for c in merged.conflicts if self.rules.asks(c) or not c.held),
                resolve_fields=merged.updates,
            )
        )
