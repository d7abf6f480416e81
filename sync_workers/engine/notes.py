"""Texts beside records about conflicts that wait, for people to read and to answer. Pure.

A note is our question, a person's answer to it, or a person's own words; the last are never touched. They are
told apart by the text alone, so that a lost state or a stopped run makes no difference.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sync_workers.model import ID, Action, Conflict, Operation, Pair, Part, Record, Side, Snapshot
from sync_workers.remarks import HeldConflict
from sync_workers.state import State
from sync_workers.values import canonical, shown

MOST_FIELDS = 8
LONGEST_VALUE, LONGEST_NAME = 60, 40
"""With these a note stays well below the 2,000 characters that Notion takes in one piece of text."""

NO_NOTES: Pair[bool] = Pair.each(lambda _side: False)
"""For sides that have no place for a note."""

ONE = 'Write "notion" or "other" here to decide.'
SEVERAL = 'Write "notion" or "other" here to decide, or a line for each field such as "{name}: other".'

_OURS = re.compile(
    r"^Sync conflict: .* on notion and .* on other\.$"
    r"|^And \d+ more\.$"
    r'|^Write "notion" or "other" here to decide(?:\.|, or a line for each field such as ".*: other"\.)',
    re.MULTILINE,
)
_SIDES = frozenset(Side)
_AROUND = " \t\"'“”.,;"
"""What people type around a word."""


def question(conflicts: Sequence[Conflict]) -> str:
    """What a person is asked about the fields of one record; the same on both sides."""
    lines = [_line(conflict) for conflict in conflicts[:MOST_FIELDS]]
    if len(conflicts) > MOST_FIELDS:
        lines.append(f"And {len(conflicts) - MOST_FIELDS} more.")
    name = shown(conflicts[0].attrs.notion, LONGEST_NAME)
    lines.append(ONE if len(conflicts) == 1 else SEVERAL.format(name=name))
    return "\n".join(lines)


def answer(note: str | None, held: Mapping[str, HeldConflict]) -> dict[str, Side] | None:
    """Which side a person chose, by Notion attribute; None when the note is no answer.

    It may stand below our question, or in its place. A word alone is about all fields that wait.
    """
    lines = _without_question(note)
    if not lines:
        return None
    names = {one.other_attr.casefold(): attr for attr, one in held.items()}
    names |= {attr.casefold(): attr for attr in held}
    chosen: dict[str, Side] = {}
    single: dict[str, Side] = {}
    for line in lines:
        name, colon, side = (part.strip(_AROUND) for part in line.casefold().rpartition(":"))
        if side not in _SIDES or (colon and name not in names):
            return None
        if colon:
            single[names[name]] = Side(side)
        else:
            chosen = dict.fromkeys(held, Side(side))
    return chosen | single


def notes_to_write(
    state: State,
    snapshot: Snapshot,
    notes: Pair[bool],
    conflicts: Iterable[Conflict],
    planned: Sequence[Operation],
) -> Iterator[Operation]:
    """So that each record with a conflict that waits asks a person about it, and no other one does."""
    waiting: dict[ID, list[Conflict]] = defaultdict(list)
    for conflict in conflicts:
        if conflict.held:
            waiting[conflict.ids.notion].append(conflict)
    for side in Side:
        if notes[side]:
            yield from _Beside(side, state, snapshot, planned).written(waiting)


@dataclass(frozen=True, slots=True)
class _Beside:
    """The notes of one side."""

    side: Side
    state: State
    snapshot: Snapshot
    planned: Sequence[Operation]

    def written(self, waiting: Mapping[ID, Sequence[Conflict]]) -> Iterator[Operation]:
        asked = {conflicts[0].ids[self.side]: conflicts for conflicts in waiting.values()}
        shown_here = self.snapshot[self.side].records
        noted = [record_id for record_id, record in shown_here.items() if record.about.note is not None]
        partners = self._partners() if noted else {}
        for record_id in dict.fromkeys((*asked, *noted)):
            conflicts, record = asked.get(record_id, ()), shown_here[record_id]
            partner = conflicts[0].ids[self.side.opposite] if conflicts else partners.get(record_id)
            ids = Pair.of(self.side, record_id, partner)
            records = Pair.of(self.side, record, self._shown(partner))
            if self._is_left(ids, records):
                continue
            held = self.state.held.get(ids.notion or "", {})
            # What is not shown now still waits for its decision, which may stand in the note already.
            if held and any(one is not None and one.about.unread for one in (records.notion, records.other)):
                continue
            text = question(conflicts) if conflicts else ""
            if _may_become(record.about.note, text, held):
                why = "waits for a decision" if conflicts else "nothing waits for a decision any more"
                # In the last part that is about records that are there: after all that is written to them.
                yield Operation(Part.MATCHED, Action.ANNOTATE, self.side, ids, why, records, note=text)

    def _partners(self) -> Mapping[ID, ID]:
        links = self.state.links()
        return self.state.ids if self.side is Side.NOTION else {other: notion for notion, other in links}

    def _shown(self, partner: ID | None) -> Record | None:
        return None if partner is None else self.snapshot[self.side.opposite].records.get(partner)

    def _is_left(self, ids: Pair[ID | None], records: Pair[Record | None]) -> bool:
        """Whether its counterpart is absent, so that nobody can tell what to ask; or it is about to go."""
        if ids[self.side.opposite] is None or records[self.side.opposite] is not None:
            return False
        mine = [op for op in self.planned if op.ids[self.side] == ids[self.side]]
        return not mine or any(op.action in {Action.DELETE, Action.ARCHIVE} for op in mine)


def _may_become(note: str | None, text: str, held: Mapping[str, HeldConflict]) -> bool:
    """Whether a note is to be replaced: it says something else, and no person's own words are lost by it."""
    now = note or ""
    if _words(now) == _words(text):
        return False
    return not _without_question(now) or answer(now, held) is not None


def _words(text: str) -> list[str]:
    """A text as it is compared: services keep blanks and accents as they like."""
    return str(canonical(text) or "").split()


def _without_question(note: str | None) -> list[str]:
    """What stands there besides what we wrote, as lines."""
    plain = "\n".join((note or "").splitlines())
    return [line for line in map(str.strip, _OURS.sub("", plain).splitlines()) if line]


def _line(conflict: Conflict) -> str:
    one, another = (shown(conflict.values[side], LONGEST_VALUE) for side in Side)
    name = shown(conflict.attrs.notion, LONGEST_NAME)
    return f"Sync conflict: {name} is {one} on notion and {another} on other."
