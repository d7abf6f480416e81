"""What a state says compared with what both sides show, before any run decides. Pure; changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from sync_workers.engine.crossing import Crossing
from sync_workers.engine.relations import NO_LINKS
from sync_workers.engine.rules import Rules
from sync_workers.model import ID, NOTHING, Fields, Pair, Record, Side
from sync_workers.runs.diff import changed_setup
from sync_workers.runs.get import Gathered
from sync_workers.runs.imported import crossings
from sync_workers.state import State
from sync_workers.values import same


class What(Enum):
    """What can be found, in the order in which it is told.

    Attributes:
        title: of its row.
        means: a sentence, and what comes of it.
        needs_person: not all is well; else it is what runs are for.
    """

    SETUP = (
        "set-up changed",
        "the next run compares afresh and takes nothing that is absent for deleted",
        True,
    )
    TWICE = ("listed twice", "a guard refuses every run until the side lists each id once", True)
    SHARED = ("linked twice", "two links lead to this record: export, take one of them out, import", True)
    ABSENT = (
        "linked, but not listed",
        "the next run asks for it by id; if it is gone, the delete policy decides on its counterpart",
        True,
    )
    UNCERTAIN = (
        "linked, but not listed",
        "the listing is not complete, so nothing is taken for deleted",
        True,
    )
    UNREADABLE = ("cannot be read", "it is left alone, and never taken for deleted", True)
    UNREAD = ("has a field that cannot be read", "that field waits, and the others cross", True)
    PENDING = (
        "create begun, end not seen",
        "the next run looks for what it made before it tries again",
        True,
    )
    QUARANTINED = ("in quarantine", "it failed, and is tried again later", True)
    HELD = ("waits for a decision", "a field of it stays as it is on both sides until a person decides", True)
    LOST = (
        "linked, and on neither side",
        "the next run drops the link once one of the two is known to be gone",
        False,
    )
    PAUSED = ("paused", "a person told us to leave it alone", False)
    PARTED = ("parted", "its counterpart was deleted, and the delete policy keeps it without a copy", False)
    EDITED = ("differs from its base", "the next run takes it for edited and carries that across", False)
    UNKNOWN = (
        "has a field without a base",
        "the next run compares that field afresh: a difference is a conflict",
        False,
    )
    NEW = ("without a link", "the next run links it by key, or copies it", False)

    def __init__(self, title: str, means: str, needs_person: bool) -> None:
        self.title = title
        self.means = means
        self.needs_person = needs_person


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that was found, of one side or of the state as a whole.

    Attributes:
        side: the side whose ids these are; None for names of the set-up.
        ids: of all records that it is true of; never values.
    """

    what: What
    side: Side | None
    ids: tuple[ID, ...]


def verify(
    rules: Rules,
    state: State,
    gathered: Gathered,
    links: Mapping[str, Mapping[ID, ID]] = NO_LINKS,
) -> tuple[Finding, ...]:
    """All that is not as a run leaves it. Nothing found means: the next run has nothing to do.

    `links` are those of all tasks whose records fields name, this one among them.
    """
    return _Verification(crossings(rules, gathered, links), state, gathered).run()


class _Verification:
    def __init__(self, crossings: Sequence[Crossing], state: State, gathered: Gathered) -> None:
        self._crossings = crossings
        self._state = state
        self._gathered = gathered
        self._snapshot = gathered.snapshot
        self._unreadable = Pair.each(lambda s: {failure.record_id for failure in self._snapshot[s].failures})
        self._found: dict[tuple[What, Side | None], list[ID]] = {}

    def run(self) -> tuple[Finding, ...]:
        self._add(What.SETUP, None, changed_setup(self._state, self._gathered))
        self._add(What.HELD, Side.NOTION, self._state.held)
        counted = Counter(self._state.ids.values())
        self._add(What.SHARED, Side.OTHER, (i for i, number in counted.items() if number > 1))
        for link in self._state.links():
            self._look(Pair(*link))
        for side in Side:
            for what, ids in self._of(side):
                self._add(what, side, ids)
        order = [(what, side) for what in What for side in (None, *Side)]
        return tuple(
            Finding(*each, tuple(sorted(self._found[each]))) for each in order if self._found.get(each)
        )

    def _add(self, what: What, side: Side | None, ids: Iterable[ID]) -> None:
        self._found.setdefault((what, side), []).extend(ids)

    def _of(self, side: Side) -> Iterator[tuple[What, Iterable[ID]]]:
        """What is true of one side beside its links."""
        state, listing = self._state, self._snapshot[side]
        parted, copied = state.unlinked.get(side, set()), state.pending.get(side.opposite, {})
        yield What.TWICE, listing.repeated
        yield What.UNREADABLE, self._unreadable[side]
        yield What.PENDING, copied
        yield What.QUARANTINED, state.quarantine.get(side, {})
        yield What.PAUSED, state.paused.get(side, set())
        yield What.PARTED, parted
        yield What.NEW, listing.records.keys() - state.linked(side) - parted - copied.keys()

    def _look(self, ids: Pair[ID]) -> None:
        """Compare one link with both sides."""
        absent = [side for side in Side if self._is_absent(side, ids[side])]
        if len(absent) == len(Side):
            self._add(What.LOST, Side.NOTION, [ids.notion])
            return
        for side in absent:
            what = What.ABSENT if self._snapshot[side].complete else What.UNCERTAIN
            self._add(what, side, [ids[side]])
        bases = Pair.each(lambda side: self._state.bases(side).get(ids[side], NOTHING))
        for side in Side:
            record = self._snapshot[side].records.get(ids[side])
            if record is not None:
                said = {_compared(crossing, side, record, bases) for crossing in self._crossings}
                for told in filter(None, said):
                    self._add(told, side, [ids[side]])

    def _is_absent(self, side: Side, record_id: ID) -> bool:
        return record_id not in self._snapshot[side].records and record_id not in self._unreadable[side]


def _compared(crossing: Crossing, side: Side, record: Record, bases: Pair[Fields]) -> What | None:
    """How one field of a record stands to its base, or where only the opposite one is known, to that."""
    mine, theirs = crossing.attrs[side], crossing.attrs[side.opposite]
    shown = record.fields.get(mine)
    if mine in record.about.unread:
        return What.UNREAD
    if not crossing.reaches(side.opposite):  # what is changed at a receiving end stays there
        return None
    if mine in bases[side]:
        return None if same(shown, bases[side][mine]) else What.EDITED
    if theirs in bases[side.opposite]:
        agrees = crossing.agree(Pair.of(side, shown, bases[side.opposite][theirs]))
        return None if agrees else What.EDITED
    return What.UNKNOWN
