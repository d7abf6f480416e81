"""From an operation of a plan to its entry in the history, and what became of writes whose end nobody saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sync_workers.engine.rules import Rules
from sync_workers.fields import Field
from sync_workers.markdown import normal
from sync_workers.model import ID, Action, Conflict, Fields, Operation, Pair, Side, Snapshot
from sync_workers.runs.changes import both, link
from sync_workers.runs.history import Entry
from sync_workers.runs.store import Store
from sync_workers.state import Change, State
from sync_workers.values import same


def intent(run: ID, number: int, operation: Operation, state: State) -> Entry:
    """The entry of an operation before it is tried: `after` is what it is to make of the written side."""
    before = Pair.each(lambda side: _fields(operation, side))
    written = before[operation.side] or {}
    after: Fields | None = {**written, **operation.fields}
    if operation.action in {Action.DELETE, Action.ARCHIVE}:
        after = None
    if not operation.action.writes:
        before, after = Pair(None, None), None  # the link changes, no record does
    return Entry(
        run, number, operation.action, operation.side, operation.ids, operation.reason,
        before, Pair.of(operation.side, after, before[operation.side.opposite]),
        _bases(operation.ids, state), operation.conflicts,
    )  # fmt: skip


def done(
    begun: Entry,
    *,
    ids: Pair[ID] | None = None,
    shown: Pair[Fields | None] = Pair(None, None),
    conflicts: Sequence[Conflict] = (),
) -> Entry:
    """The entry of an operation that came to its end; `shown` is what the written sides show since."""

    def after(side: Side) -> Fields | None:
        fields = shown[side]
        return begun.after[side] if fields is None else {**(begun.before[side] or {}), **fields}

    return replace(
        begun,
        ids=ids or begun.ids,
        after=Pair.each(after),
        conflicts=tuple(conflicts) or begun.conflicts,
    )


def settle_intents(
    store: Store,
    run: ID,
    rules: Rules,
    state: State | None,
    snapshot: Snapshot,
    fields: Pair[Mapping[str, Field]] = Pair({}, {}),
) -> None:
    """Put the writes of earlier runs whose end nobody saw into the history, with what both sides show now.

    What was written, as the target shows, gets its bases: else our own write would look like a person's edit,
    and could win against an edit that was made since. What else is to be done the plan decides, by looking at
    both sides.
    """
    for begun in store.intents().values():
        if begun.run != run:
            change = Change() if state is None else _bases_of_written(begun, rules, state, snapshot, fields)
            store.commit(None, change, _found(begun, snapshot))
            if state is not None:
                change.apply(state)


def _bases_of_written(
    begun: Entry, rules: Rules, state: State, snapshot: Snapshot, fields: Pair[Mapping[str, Field]]
) -> Change:
    """The bases of the fields that an update wrote, if the written side shows them."""
    side, ids, after = begun.side, begun.ids, begun.after[begun.side]
    record = snapshot[side].records.get(ids[side] or "")
    before, source = begun.before[side] or {}, begun.before[side.opposite]
    is_linked = ids.notion is not None and state.ids.get(ids.notion) == ids.other
    if begun.action is not Action.UPDATE or record is None or source is None or not after or not is_linked:
        return Change()
    bases: Pair[dict[str, Any]] = Pair({}, {})
    # What a person decided may be a value for both sides: until both have it, the decision stands as it is.
    decided = state.decisions.get(ids.notion or "", {})
    for attrs in (rule.attrs for rule in rules.fields if rule.attrs.notion not in decided):
        was_sent = attrs[side] in after and not same(after[attrs[side]], before.get(attrs[side]))
        shown, field = record.fields.get(attrs[side]), fields[side].get(attrs[side])
        if was_sent and _shows(shown, after[attrs[side]], field):
            bases[side][attrs[side]] = record.fields.get(attrs[side])
            bases[side.opposite][attrs[side.opposite]] = source.get(attrs[side.opposite])
    if not bases.notion:
        return Change()
    return link(state, both(ids), Pair(bases.notion, bases.other))


def _shows(shown: Any, sent: Any, field: Field | None) -> bool:
    """Whether this is what was sent, perhaps in the service's own form."""
    if field is not None and field.markdown and isinstance(shown, str) and isinstance(sent, str):
        return normal(shown) == normal(sent)
    return same(shown, sent)


def _found(begun: Entry, snapshot: Snapshot) -> Entry:
    side, record_id = begun.side, begun.ids[begun.side]
    record = snapshot[side].records.get(record_id) if record_id is not None else None
    shown: Fields | None = (
        {attr: record.fields.get(attr) for attr in begun.after[side] or ()} if record else None
    )
    if begun.action is Action.CREATE:
        said, shown = "looked for", begun.after[side]
    elif begun.after[side] is None:
        said = "done" if record is None else "not done"
    elif shown is not None and _same(shown, begun.after[side]):
        said = "done"
    elif shown is not None and _same(shown, begun.before[side]):
        said = "not done"
    else:  # someone edited it since: what is there now is not ours to take back
        said, shown = "not to be told", begun.before[side]
    reason = f"{begun.reason}; its end was not seen, afterwards: {said}"
    after = Pair.of(side, shown, begun.after[side.opposite])
    return replace(begun, reason=reason, after=after, lost=True)


def _same(one: Fields, another: Fields | None) -> bool:
    return another is not None and all(same(value, another.get(attr)) for attr, value in one.items())


def _fields(operation: Operation, side: Side) -> Fields | None:
    record = operation.records[side]
    return None if record is None else record.fields


def _bases(ids: Pair[ID | None], state: State) -> Pair[Fields] | None:
    if ids.notion is None or ids.other is None or state.ids.get(ids.notion) != ids.other:
        return None
    return Pair(state.objs.get(ids.notion, {}), state.other_objs.get(ids.other, {}))
