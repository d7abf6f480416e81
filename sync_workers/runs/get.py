"""The phase `get`: read both sides and make a snapshot. Changes nothing on either side."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from sync_workers.engine.notes import NO_NOTES
from sync_workers.engine.rules import Rules
from sync_workers.engine.unread import without_keyless
from sync_workers.fields import Field
from sync_workers.model import ID, NOTHING, Failure, Listing, Pair, Record, Side, Snapshot
from sync_workers.report import Report
from sync_workers.runs.drift import (
    Drift,
    drifted,
    expect_same_container,
    is_of_drift,
    seen,
    told,
    without_frozen,
)
from sync_workers.runs.setup import digest, of_fields, with_frozen
from sync_workers.services.base import Fetched, Service


@dataclass(frozen=True, slots=True)
class Mirror:
    """What a side with a change feed last showed, so that a cursor's answer makes a whole listing.

    Attributes:
        cursor: where the feed goes on.
        setup: the set-up it was read with; another one makes it worthless.
    """

    cursor: str
    setup: str
    records: Mapping[ID, Record] = field(default_factory=dict)
    unreadable: Mapping[ID, str] = field(default_factory=dict)


class Mirrors(Protocol):
    """Where mirrors are kept between runs; losing one costs a full listing and nothing else."""

    def load_mirror(self, side: Side) -> Mirror | None: ...

    def save_mirror(self, side: Side, mirror: Mirror) -> None: ...


class NoMirrors:
    """Every run lists everything."""

    def load_mirror(self, _side: Side) -> Mirror | None:
        return None

    def save_mirror(self, _side: Side, _mirror: Mirror) -> None:
        """Nothing is kept."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What `get` hands to `diff`.

    Attributes:
        fields: what each side's fields hold.
        setup: fingerprints by `side.name`, and those of the field map (see `runs.setup`).
        clock_steps: how coarse each side's times of change are.
        safe_creates: whether a side makes no second record when a create is repeated.
        notes: whether a side has a place for texts about conflicts.
        drift: fields that are not what they were when the task ran last.
    """

    snapshot: Snapshot
    fields: Pair[Mapping[str, Field]] = Pair({}, {})
    setup: Mapping[str, str] = field(default_factory=dict)
    clock_steps: Pair[timedelta] = Pair(timedelta(0), timedelta(0))
    safe_creates: Pair[bool] = Pair.each(lambda _: False)
    notes: Pair[bool] = NO_NOTES
    drift: tuple[Drift, ...] = ()


def get(
    services: Pair[Service],
    rules: Rules,
    report: Report,
    *,
    mirrors: Mirrors | None = None,
    full: bool = False,
    known: Mapping[str, str] = NOTHING,
) -> Gathered:
    """Read both sides; whatever a listing raises goes through, since a part of it would be a lie.

    `full` lists everything, even where a change feed could tell what changed. `known` is the set-up of the
    last run, by which fields are told that are not what they were.
    """
    with spent(report, "get"):
        fields = Pair.each(lambda side: services[side].schema())
        drift = drifted(rules, fields, known)
        setup = with_frozen(rules, of_fields(rules, fields), known, drift)
        for side in Side:
            setup |= {f"{side}.{name}": text for name, text in services[side].setup().items()}
        expect_same_container(drift, known, setup)
        setup |= seen(rules, fields, known, drift) | told(drift)
        keep = mirrors or NoMirrors()
        bound = Pair.each(lambda side: _bound(side, rules, setup, fields[side]))
        read = Pair.each(lambda side: _list(services[side], side, bound[side], keep, report, full=full))
        snapshot = Pair.each(lambda side: without_keyless(read[side], side, rules))
        for side in Side:
            report.failures.extend(snapshot[side].failures)
        steps = Pair.each(lambda side: services[side].capabilities.clock_step)
        safe = Pair.each(lambda side: services[side].capabilities.safe_create)
        notes = Pair.each(lambda side: services[side].capabilities.notes)
        report.listed = True
        return Gathered(without_frozen(snapshot, drift), fields, setup, steps, safe, notes, drift)


@contextmanager
def spent(report: Report, phase: str) -> Iterator[None]:
    """Add the time of a phase to the report."""
    begun = time.perf_counter()
    try:
        yield
    finally:
        report.seconds[phase] = report.seconds.get(phase, 0.0) + time.perf_counter() - begun


def _bound(side: Side, rules: Rules, setup: Mapping[str, str], fields: Mapping[str, Field]) -> str:
    """Fingerprint of what the records of a side were read with; one that is frozen now has no values."""
    names = [name for name in setup if not name.startswith(side.opposite) and not is_of_drift(name)]
    read = [fields.get(rule.attrs[side]) for rule in rules.fields]
    there = [[one.name, one.id, one.type, one.kind] for one in read if one is not None]
    return digest([sorted((name, setup[name]) for name in names), there])


def _list(
    service: Service, side: Side, bound: str, mirrors: Mirrors, report: Report, *, full: bool
) -> Listing:
    # A feed that does not name what was deleted would keep it in the mirror for ever: list everything.
    feed = service.capabilities.change_feed and service.capabilities.deletes_visible
    mirror = mirrors.load_mirror(side) if feed and not full else None
    if mirror is not None and mirror.setup != bound:
        mirror = None
    report.count_call(side)
    fetched = service.fetch(mirror.cursor if mirror is not None else None)
    listing, unreadable = _merge(side, None if fetched.reset or fetched.complete else mirror, fetched)
    if feed and fetched.cursor is not None and not listing.repeated:
        mirrors.save_mirror(side, Mirror(fetched.cursor, bound, listing.records, unreadable))
    return listing


def _merge(side: Side, mirror: Mirror | None, fetched: Fetched) -> tuple[Listing, Mapping[ID, str]]:
    """A whole listing from what was known and what changed since."""
    records = dict(mirror.records) if mirror is not None else {}
    unreadable = dict(mirror.unreadable) if mirror is not None else {}
    for record_id in fetched.tombstones:
        records.pop(record_id, None)
        unreadable.pop(record_id, None)
    fresh = {record.id: record for record in fetched.records}
    records |= fresh
    for record_id in unreadable.keys() & fresh.keys():
        del unreadable[record_id]
    for record_id, reason in fetched.unreadable.items():
        records.pop(record_id, None)
        unreadable[record_id] = reason
    failures = tuple(Failure(side, record_id, reason) for record_id, reason in unreadable.items())
    repeated: tuple[ID, ...] = ()
    if len(fresh) < len(fetched.records):
        counted = Counter(record.id for record in fetched.records)
        repeated = tuple(record_id for record_id, times in counted.items() if times > 1)
    complete = fetched.complete or mirror is not None
    return Listing(records, complete, failures, repeated), unreadable
