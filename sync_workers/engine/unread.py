"""Fields of single records that a side does not let us read now. Pure.

Such a field is neither edited nor empty: nothing is written for it on either side, and its bases stay. It
waits until it can be read, while the record's other fields cross.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.rules import Rules
from sync_workers.model import ID, Failure, Listing, Pair, Record, Side, Snapshot
from sync_workers.state import State


def unread(crossing: Crossing, records: Pair[Record]) -> UncrossableError | None:
    """Why a field of two linked records waits, if one of them does not show it."""
    return next((error for side in Side if (error := unread_on(crossing, side, records[side]))), None)


def unread_on(crossing: Crossing, side: Side, record: Record) -> UncrossableError | None:
    """Likewise for one record."""
    if not record.about.unread or (why := record.about.unread.get(crossing.attrs[side])) is None:
        return None
    return UncrossableError(side, why)


def hides_an_edit(crossings: Iterable[Crossing], side: Side, record: Record) -> str:
    """The first field of a record that could have been edited without showing it; empty if there is none."""
    if not record.about.unread:
        return ""
    attrs = (c.attrs[side] for c in crossings if c.reaches(side.opposite))
    return next((attr for attr in attrs if attr in record.about.unread), "")


def unread_fields(
    crossings: Iterable[Crossing], snapshot: Snapshot, state: State, ids: Iterable[ID]
) -> tuple[tuple[ID, str], ...]:
    """Of these linked records, by Notion id, the fields that cannot be compared now."""
    crossings = list(crossings)
    found: list[tuple[ID, str]] = []
    for notion_id in ids:
        one, another = (
            snapshot.notion.records.get(notion_id),
            snapshot.other.records.get(state.ids[notion_id]),
        )
        if one is not None and another is not None:
            found += [(notion_id, c.attrs.notion) for c in crossings if unread(c, Pair(one, another))]
    return tuple(found)


def without_keyless(listing: Listing, side: Side, rules: Rules) -> Listing:
    """The listing without the records whose key cannot be read: nobody can tell what belongs to them.

    They count as unreadable, so that they are neither matched nor copied, nor taken for gone.
    """
    keys = [rule.attrs[side] for rule in rules.fields if rule.attrs.notion in rules.key]
    failures = tuple(
        Failure(side, record.id, f"property {attr!r} {record.about.unread[attr]}")
        for record in listing.records.values()
        if record.about.unread
        for attr in keys
        if attr in record.about.unread
    )
    if not failures:
        return listing
    left = {failure.record_id for failure in failures}
    records = {i: record for i, record in listing.records.items() if i not in left}
    return replace(listing, records=records, failures=(*listing.failures, *failures))
