"""Whether a record that is missing from a listing can be taken for gone (rule R4)."""

from __future__ import annotations

from dataclasses import dataclass

from sync_workers.model import ID, Pair, Side, Snapshot


@dataclass(frozen=True, slots=True)
class Absence:
    """What one snapshot proves about the records that are not in it.

    Attributes:
        fresh: the set-up changed, so that absence proves nothing (rule R9).
    """

    snapshot: Snapshot
    unreadable: Pair[frozenset[ID]]
    fresh: bool

    @classmethod
    def of(cls, snapshot: Snapshot, *, fresh: bool) -> Absence:
        unreadable = Pair.each(lambda side: frozenset(f.record_id for f in snapshot[side].failures))
        return cls(snapshot, unreadable, fresh)

    def unproven(self, side: Side, record_id: ID) -> str:
        """Why the absence of this record proves nothing; empty when it counts."""
        if record_id in self.unreadable[side]:
            return "it cannot be read"
        if self.fresh:
            return "the set-up changed"
        listing = self.snapshot[side]
        if record_id in listing.hidden:
            return listing.hidden[record_id]
        return "" if listing.complete or record_id in listing.gone else "the listing is not complete"
