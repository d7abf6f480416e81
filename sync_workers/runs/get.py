"""The phase `get`: read both sides and make a snapshot. Changes nothing on either side."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sync_workers.engine.notes import NO_NOTES
from sync_workers.engine.rules import Rules
from sync_workers.engine.unread import without_keyless
from sync_workers.fields import Field
from sync_workers.model import NOTHING, Pair, Side, Snapshot
from sync_workers.report import Report
from sync_workers.runs.drift import (
    Drift,
    drifted,
    expect_same_container,
    is_of_drift,
    seen,
    told,
    where_they_were,
    without_frozen,
)
from sync_workers.runs.mirror import Mirrors, NoMirrors, Parts, PartsHere
from sync_workers.runs.reading import SideReading, Wish
from sync_workers.runs.setup import digest, of_fields, with_frozen
from sync_workers.services.base import Service
from sync_workers.services.feeds import OutdatedError, Recalls


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
    parts: Parts | None = None,
    wish: Wish = Wish(),
    known: Mapping[str, str] = NOTHING,
) -> Gathered:
    """Read both sides; whatever a listing raises goes through, since a part of it would be a lie.

    `known` is the set-up of the last run, by which fields are told that are not what they were.
    """
    with spent(report, "get"):
        kept, taken_up = mirrors or NoMirrors(), parts or PartsHere()

        def sides(wish: Wish) -> Pair[SideReading]:
            return Pair.each(
                lambda side: SideReading(services[side], side, rules, kept, taken_up, report, wish)
            )

        try:
            return _gathered(sides(wish), rules, report, known)
        except OutdatedError:
            # What was kept of the schema does not fit what the service shows: all anew, schema and rows.
            taken_up.forget()
            for side in Side:
                if isinstance(service := services[side], Recalls):
                    service.recall(None)
            return _gathered(sides(replace(wish, full=True)), rules, report, known)


def _gathered(sides: Pair[SideReading], rules: Rules, report: Report, known: Mapping[str, str]) -> Gathered:
    for side in Side:
        sides[side].prepare()
    services = Pair.each(lambda side: sides[side].service)
    fields = Pair.each(lambda side: services[side].schema())
    own = {f"{side}.{name}": text for side in Side for name, text in services[side].setup().items()}
    expect_same_container(rules, fields, known, own)
    if not all(sides[side].compares for side in Side) and _is_changed(known, own):
        raise OutdatedError("the set-up changed")
    drift = drifted(rules, fields, where_they_were(known, own))
    setup = with_frozen(rules, of_fields(rules, fields), known, drift) | own
    setup |= seen(rules, fields, known, drift) | told(drift)
    read = Pair.each(lambda side: sides[side].read(_bound(side, rules, setup, fields[side])))
    snapshot = Pair.each(lambda side: without_keyless(read[side], side, rules))
    for side in Side:
        report.failures.extend(snapshot[side].failures)
    steps = Pair.each(lambda side: services[side].capabilities.clock_step)
    safe = Pair.each(lambda side: services[side].capabilities.safe_create)
    notes = Pair.each(lambda side: services[side].capabilities.notes)
    report.listed = True
    return Gathered(without_frozen(snapshot, drift), fields, setup, steps, safe, notes, drift)


def _is_changed(known: Mapping[str, str], own: Mapping[str, str]) -> bool:
    """Whether a side is not what the links were made with.

    What the other side's feed does not show is then no link's counterpart, but would be a new record.
    """
    return bool(known) and any(known.get(name) != text for name, text in own.items())


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
