"""One side as the phase `get` reads it: as a whole, or from its mirror and what changed since.

a feed that names deletions        mirror + changes: a whole listing
a feed that shows changes only     mirror + changes + what was asked for by id: absence proves nothing;
from time to time, and where something is doubtful, all is compared
no feed                            all of it
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sync_workers.engine.rules import OutOfScopePolicy, Rules
from sync_workers.model import ID, Failure, Listing, Record, Side
from sync_workers.report import Report
from sync_workers.runs.mirror import NOTHING_BESIDE, Beside, Mirror, Mirrors, Parts, joined
from sync_workers.services.base import Fetched, Gone, ReadResult, Service
from sync_workers.services.feeds import OutdatedError, Partitioned, Recalls

MANY = 50
"""More looks than this are not worth a call each where a listing answers them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How a run wants both sides to be read.

    Attributes:
        full: all of it, even where a change feed could tell what changed.
        looks: nothing but what is to be looked at, where the rest is known well enough.
        now: our time, by which it is known when all was compared last; without it all is compared.
    """

    full: bool = False
    looks: bool = False
    now: datetime | None = None


@dataclass(slots=True)
class _Found:
    """What is known of a side now."""

    records: dict[ID, Record]
    unreadable: dict[ID, str]
    absent: dict[ID, str]
    gone: set[ID] = field(default_factory=set)

    def take(self, found: ReadResult, *, parts_hidden: bool) -> None:
        """What a record was asked for and what it is."""
        for known in (self.records, self.unreadable, self.absent):
            known.pop(found.id, None)
        if isinstance(found, Record):
            self.records[found.id] = found
        elif isinstance(found, Gone):
            self.absent[found.id] = ""
        elif not found.is_sure:
            self.unreadable[found.id] = found.reason
        else:
            self.absent[found.id] = found.reason
            if parts_hidden:
                self.gone.add(found.id)


@dataclass(slots=True)
class SideReading:
    """One side that is being read by one run.

    Attributes:
        mirror: what it last showed, if that is of use.
        beside: what is known of single records, as far as that is of use; `kept` is all of it.
        compares: all of it is listed, whatever the mirror says.
    """

    service: Service
    side: Side
    rules: Rules
    mirrors: Mirrors
    parts: Parts
    report: Report
    wish: Wish
    mirror: Mirror | None = None
    beside: Beside = NOTHING_BESIDE
    kept: Beside = NOTHING_BESIDE
    compares: bool = True

    def prepare(self) -> None:
        """Look what is kept, before the service is asked anything."""
        can = self.service.capabilities
        self.beside = self.kept = self.mirrors.beside(self.side)
        self.mirror = self.mirrors.load_mirror(self.side) if can.change_feed else None
        self.compares = self.wish.full or self.mirror is None or (can.watched and self._is_due(self.mirror))
        if self.mirror is not None and not self.compares and isinstance(self.service, Recalls):
            self.service.recall(self.mirror.cursor)

    def read(self, bound: str) -> Listing:
        """The side as it is now; `bound` says with which set-up.

        Raises:
            OutdatedError: the mirror is of another set-up, or what it recalled does not hold any more.
        """
        self._expect_same(bound)
        known = self._known()
        fetched = self._fetched(bound, known)
        found = self._merged(known, fetched)
        self._ask(found, fetched, known)
        if self.compares and fetched.complete:
            self._look_out_of_sight(found)
        repeated = _repeated(fetched)
        listing = Listing(
            found.records,
            self._is_all(fetched),
            tuple(Failure(self.side, record_id, reason) for record_id, reason in found.unreadable.items()),
            repeated,
            frozenset(found.gone.union(i for i, reason in found.absent.items() if not reason)),
            {i: _waiting(reason) for i, reason in found.absent.items() if reason and i not in found.gone},
        )
        if not repeated:
            self._keep(bound, fetched, found)
        return listing

    def _is_all(self, fetched: Fetched) -> bool:
        """Whether what is not listed is not there."""
        if not self._watched:
            return fetched.complete or self.mirror is not None
        # What a create made whose reply was lost may not be listed yet.
        begun, now = self._searched(), self.wish.now
        return fetched.complete and (
            begun is None or now is None or now >= begun + self.service.capabilities.late
        )

    def _searched(self) -> datetime | None:
        """Since when a create on this side is looked for."""
        if not self.beside.searched:
            return None
        known = self.mirror.searched if self.mirror is not None else None
        return known or self.wish.now

    @property
    def _watched(self) -> bool:
        return self.service.capabilities.watched

    def _is_due(self, mirror: Mirror) -> bool:
        now, last = self.wish.now, mirror.compared
        if self.beside.searched or self.beside.lost or now is None or last is None:
            return True
        return not last <= now < last + self.rules.full_every

    def _expect_same(self, bound: str) -> None:
        """Forget what was read with another set-up; single records are then asked for."""
        if self.mirror is not None and self.mirror.setup != bound:
            if not self.compares and isinstance(self.service, Recalls):
                raise OutdatedError("the set-up changed")
            self.mirror, self.compares = None, True
        if not self._watched:
            return
        names = {rule.attrs[self.side] for rule in self.rules.fields}
        shown, looks = {}, dict(self.beside.looks)
        for record_id, glimpse in self.beside.shown.items():
            if self.mirror is None or (isinstance(glimpse, Record) and not names <= _told(glimpse)):
                looks.setdefault(record_id, "")
            else:
                shown[record_id] = glimpse
        self.beside = replace(self.beside, shown=shown, looks=looks)

    def _known(self) -> dict[ID, Record]:
        """What the side showed last, record by record."""
        if self.mirror is None or (self.compares and not self._watched):
            return {}
        known = dict(self.mirror.records)
        for record_id, glimpse in self.beside.shown.items():
            if isinstance(glimpse, Record):
                known[record_id] = glimpse
            else:
                known.pop(record_id, None)
        return known

    def _fetched(self, bound: str, known: Mapping[ID, Record]) -> Fetched:
        if self.mirror is not None and self._only_looks():
            return Fetched((), cursor=self.mirror.cursor, complete=False)
        cursor = self.mirror.cursor if self.mirror is not None and not self.compares else None
        parts = self.parts.of(self.side, bound)
        while not parts or parts[-1].more is not None:
            self.report.count_call(self.side)
            part = self.service.fetch(parts[-1].more if parts else cursor, known)
            parts = (*parts, part)
            if len(parts) > 1 or part.more is not None:
                self.parts.add(self.side, bound, part)
        return joined(parts)

    def _only_looks(self) -> bool:
        can = self.service.capabilities
        is_enough = self.wish.looks and not self.compares and len(self.beside.looks) <= MANY
        return is_enough and can.watched and not can.filtered

    def _merged(self, known: dict[ID, Record], fetched: Fetched) -> _Found:
        """What was known and what changed since."""
        mirror, shown = self.mirror, self.beside.shown
        if fetched.reset or fetched.complete or mirror is None:
            # What we wrote may not be listed yet, and was there when we wrote it.
            found = _Found({i: known[i] for i in shown if i in known}, {}, {})
        else:
            found = _Found(known, dict(mirror.unreadable), {})
        if mirror is not None:
            # Where all is compared, what is not there counts afresh; but what is listed must be asked for.
            listed = {record.id for record in fetched.records}
            found.absent.update(
                (i, reason) for i, reason in mirror.absent.items() if not self.compares or i in listed
            )
        for record_id, glimpse in shown.items():
            found.absent.pop(record_id, None)
            if not isinstance(glimpse, Record):
                found.absent[record_id] = glimpse
        for record_id in fetched.tombstones:
            found.records.pop(record_id, None)
            found.unreadable.pop(record_id, None)
        for record in fetched.records:
            found.records[record.id] = record
            found.unreadable.pop(record.id, None)
        for record_id, reason in fetched.unreadable.items():
            found.records.pop(record_id, None)
            found.unreadable[record_id] = reason
        return found

    def _ask(self, found: _Found, fetched: Fetched, known: Mapping[ID, Record]) -> None:
        """Ask by id for what only that can tell."""
        if not self._watched:
            return
        ids = dict.fromkeys([*self._wanted(fetched, known), *fetched.doubtful])
        # Listed, but known to be gone: restored, or an index that is behind.
        ids |= dict.fromkeys(i for i in found.absent if i in found.records)
        if fetched.complete:
            # The reverse: seen, but not listed. An index that is behind, or gone since.
            listed = {record.id for record in fetched.records}
            ids |= dict.fromkeys(i for i in self.beside.shown if i in found.records and i not in listed)
        if not ids:
            return
        self.report.count_call(self.side)
        parts_hidden = self.rules.out_of_scope is OutOfScopePolicy.UNLINK
        for answer in self.service.read(list(ids)).values():
            found.take(answer, parts_hidden=parts_hidden)

    def _wanted(self, fetched: Fetched, known: Mapping[ID, Record]) -> Iterator[ID]:
        """The looks; of many only those that the listing does not answer."""
        looks = self.beside.looks
        if len(looks) <= MANY:
            yield from looks
            return
        listed = {record.id: record for record in fetched.records}
        for record_id in looks:
            now, before = listed.get(record_id), known.get(record_id)
            if now is None or before is None or now.modified == before.modified:
                yield record_id

    def _look_out_of_sight(self, found: _Found) -> None:
        """Tell what is archived from what is gone, where that saves calls."""
        if self.mirror is None or self.rules.out_of_scope is not OutOfScopePolicy.WAIT:
            return
        missing = {*self.mirror.records, *(i for i, reason in self.mirror.absent.items() if reason)}
        missing -= {*found.records, *found.unreadable, *found.absent}
        if len(missing) > 1 and isinstance(self.service, Partitioned):
            self.report.count_call(self.side)
            found.absent.update(self.service.put_away(missing))

    def _keep(self, bound: str, fetched: Fetched, found: _Found) -> None:
        """Keep what is known now for the next run, and take away what went into it."""
        before, taken, is_whole = self.mirror, self.kept, fetched.complete or self.mirror is not None
        if not self._watched and is_whole and (taken.shown or taken.looks):
            self.mirrors.save_mirror(self.side, None, taken)
        # A watched side without a cursor keeps its mirror, and then all that was seen since.
        if fetched.cursor is None or not (self.service.capabilities.change_feed and is_whole):
            return
        compared = before.compared if before is not None else None
        if self.compares and fetched.complete:
            compared = self.wish.now
        known = (found.records, found.unreadable, found.absent)
        mirror = Mirror(fetched.cursor, bound, *known, compared, self._searched())
        if taken.shown or taken.looks or mirror != before:
            self.mirrors.save_mirror(self.side, mirror, taken)


def _told(record: Record) -> set[str]:
    """The fields of which a record says what they hold, or that they cannot be read."""
    return {*record.fields, *record.about.unread}


def _repeated(fetched: Fetched) -> tuple[ID, ...]:
    counted = Counter(record.id for record in fetched.records)
    if len(counted) == len(fetched.records):
        return ()
    return tuple(record_id for record_id, times in counted.items() if times > 1)


def _waiting(reason: str) -> str:
    return f"{reason}, as the last look by its id showed"
