"""Records that failed and are left alone for a while: one bad record stops itself only (rule R8). Pure.

A record waits longer after each failure in a row, and is tried at once when its content changed or a person
asked for it. What belongs under a record that failed is not tried either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sync_workers.model import ID, Action, Failure, Hold, Operation, Plan, Side
from sync_workers.remarks import Quarantined
from sync_workers.report import Report
from sync_workers.runs.refused_fields import asked, without_refused
from sync_workers.state import State
from sync_workers.values import to_json

FIRST_PAUSE = timedelta(minutes=5)
GROWTH = 3
LONGEST_PAUSE = timedelta(hours=24)
"""5 min, 15 min, 45 min, ...: a service that was repaired is noticed within the day."""

READ = Failure(Side.NOTION, "", "").action
"""What was tried with a record that a listing could not read."""

PATIENT = 3
"""A reply that was lost is looked for by the next run at once; only so many in a row make it wait."""

Key = tuple[Side, ID]
"""The side that is written and the id by which the record is known, as a failure names them."""


def key_of(operation: Operation) -> Key:
    """Under what an operation's record stands in quarantine."""
    return operation.side, operation.source_id


def content(operation: Operation) -> str:
    """A fingerprint of both records: while it stays, there is no reason why it should work now."""
    shown = [
        None if record is None else {attr: to_json(value) for attr, value in record.fields.items()}
        for record in (operation.records[side] for side in Side)
    ]
    return hashlib.sha256(json.dumps(shown, sort_keys=True, default=str).encode()).hexdigest()[:16]


def failed(
    operation: Operation,
    known: Quarantined | None,
    reason: str,
    now: datetime,
    *,
    unknown: bool = False,
    fields: Sequence[str] = (),
) -> Quarantined:
    """What is to be remembered of a failure of this operation, or of these fields of it."""
    fingerprint, refused = (
        "" if fields else content(operation),
        {attr: asked(operation, attr) for attr in fields},
    )
    seen = known.fields if known is not None and fields else {}
    # What is written without a field that waits says nothing about that one.
    left = {attr: print_ for attr, print_ in seen.items() if attr not in operation.fields}
    if fields:
        again = bool(refused.items() & seen.items())
    else:
        again = known is not None and known.content == fingerprint
    count = known.count + 1 if known is not None and again else 1
    since = known.since if known is not None and again else now
    waits = 0 if unknown and count < PATIENT else count - (PATIENT - 1 if unknown else 0)
    pause = min(FIRST_PAUSE * GROWTH ** (min(waits, 10) - 1), LONGEST_PAUSE) if waits else timedelta(0)
    return Quarantined(
        reason=f"{known.reason}; {reason}" if known is not None and left else reason,
        action=str(operation.action),
        count=count,
        since=since,
        due=now + pause,
        content=fingerprint,
        fields=left | refused,
    )


def settled(state: State, plan: Plan, report: Report, now: datetime) -> dict[Key, Quarantined | None]:
    """What a run that came to its end changes in the quarantine, besides what its operations did.

    A record that cannot be read costs no call of its own, so it never waits; it only stands there to be seen.
    """
    failing = {(failure.side, failure.record_id) for failure in report.failures}
    changed: dict[Key, Quarantined | None] = {key: None for key in plan.healed if key not in failing}
    unreadable = {(f.side, f.record_id): f.reason for f in report.failures if f.action == READ}
    for side, known in state.quarantine.items():
        changed |= {
            (side, i): None for i, one in known.items() if one.action == READ and (side, i) not in unreadable
        }
    for (side, record_id), reason in unreadable.items():
        one = state.quarantine.get(side, {}).get(record_id)
        if one is None or one.reason != reason:
            changed[side, record_id] = Quarantined(reason=reason, action=READ, since=now, due=now)
    return changed


def without_quarantined(plan: Plan, state: State, now: datetime | None) -> Plan:
    """The plan without what waits; without a time, every pause is over.

    Records that are in quarantine although nothing is to be done for them any more stand in `healed`.
    """
    known = {(side, i): one for side, ids in state.quarantine.items() for i, one in ids.items()}
    if not known:
        return plan
    kept: list[Operation] = []
    waiting: list[Hold] = []
    stopped: set[Key] = set()
    for operation in plan:
        key = key_of(operation)
        one = known.get(key)
        if one is not None and operation.action.writes and _waits(one, operation, now):
            waiting.append(Hold(*key, _said(one)))
            rest = without_refused(operation, _again(one, operation), plan)
            if rest is None:
                stopped |= own_ids(operation)
            elif rest.action.writes or any(rest.bases[side] for side in Side):
                kept.append(rest)
        elif operation.action.writes and (parent := parent_in(operation, stopped)):
            waiting.append(Hold(*key, f"its parent {parent} is in quarantine"))
            stopped |= own_ids(operation)
        else:
            kept.append(operation)
    wanted: dict[Key, set[str]] = {}
    for operation in plan:
        wanted.setdefault(key_of(operation), set()).update(operation.fields)
    healed = tuple(
        key
        for key, one in known.items()
        if one.action != READ and (key not in wanted or (one.fields and wanted[key].isdisjoint(one.fields)))
    )
    return replace(plan, operations=tuple(kept), quarantined=tuple(waiting), healed=healed)


def own_ids(operation: Operation) -> set[Key]:
    """The record of an operation on both sides, as a parent of others is named."""
    return {(side, record_id) for side in Side if (record_id := operation.ids[side]) is not None}


def parent_in(operation: Operation, stopped: Iterable[Key]) -> ID | None:
    """The parent of the operation's record, if it is one of those that were stopped."""
    for side in Side:
        record = operation.records[side]
        if record is not None and record.about.parent is not None and (side, record.about.parent) in stopped:
            return record.about.parent
    return None


def _waits(one: Quarantined, operation: Operation, now: datetime | None) -> bool:
    # A note that failed says nothing about the record, and a person's decision does not wait for it.
    if Action.ANNOTATE in {operation.action, one.action}:
        return False
    if now is None or now >= one.due:
        return False
    return bool(_again(one, operation)) if one.fields else one.content == content(operation)


def _again(one: Quarantined, operation: Operation) -> list[str]:
    """The fields to which just what was refused is to be written."""
    shown = operation.fields
    return [attr for attr, print_ in one.fields.items() if attr in shown and asked(operation, attr) == print_]


def _said(one: Quarantined) -> str:
    tried = "once" if one.count == 1 else f"{one.count} times"
    what = f"{one.action} of {', '.join(one.fields)}" if one.fields else one.action
    return f"in quarantine until {one.due:%Y-%m-%d %H:%M} UTC after {what} failed {tried}: {one.reason}"


_GO_WITHOUT = frozenset({Action.CREATE, Action.UPDATE, Action.LINK, Action.ADVANCE, Action.ANNOTATE})
"""What can be done about a record of which single fields wait."""


def ended(
    state: State, operation: Operation, refused: Quarantined | None
) -> Mapping[Key, Quarantined | None]:
    """What is known of a record once the operation is done; fields that it went without still wait."""
    side, record_id = key_of(operation)
    known = state.quarantine.get(side, {}).get(record_id)
    if refused is None and known is None:
        return {}
    if known is not None and refused is None and operation.action in _GO_WITHOUT:
        # It was planned without those that wait.
        left = {attr: print_ for attr, print_ in known.fields.items() if attr not in operation.fields}
        refused = known.model_copy(update={"fields": left}) if left else None
    return remembered(operation, refused)


def remembered(operation: Operation, failure: Quarantined | None) -> Mapping[Key, Quarantined | None]:
    """What is known from now on of the record that the operation failed on; None forgets it."""
    return {key_of(operation): failure}
