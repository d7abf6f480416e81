"""What a task's bases were made with, and which of them a changed set-up makes worthless (rule R9).

A base says what a field was when both sides last agreed *on that field*. When the field crosses to another
one, or one of the two was deleted and made anew under its name, the old base would turn the emptiness of
the new field into an edit. So it is forgotten, and the field is compared afresh: equal values get a base,
what is unset is filled in, and a real difference is a conflict.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sync_workers.engine.rules import Direction, FieldRule, Rules
from sync_workers.fields import Field, ValueForm
from sync_workers.model import ID, Fields, Pair, Side
from sync_workers.runs.drift import Drift, is_another, is_of_drift
from sync_workers.runs.store import Store
from sync_workers.state import Change, State

AT_ONCE = 500
"""Links that one change forgets bases of: as many as one call of the store takes in a few milliseconds."""


def digest(data: object) -> str:
    """A short fingerprint of anything in terms of JSON."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:16]


def of_fields(rules: Rules, fields: Pair[Mapping[str, Field]]) -> dict[str, str]:
    """Fingerprints of the field map as a whole, and of what each field crosses to."""
    whole = [[rule.attrs.notion, rule.attrs.other, rule.direction, _values(rule)] for rule in rules.fields]
    maps = {_map(rule): json.dumps(_values(rule)) for rule in rules.fields if rule.values}
    named = {_name(rule): _crosses(rule, fields, _values(rule)) for rule in rules.fields}
    return {"fields": digest(whole)} | named | maps


def with_frozen(
    rules: Rules, setup: Mapping[str, str], known: Mapping[str, str], drift: tuple[Drift, ...]
) -> dict[str, str]:
    """The set-up with what is known of frozen fields as it was, so that their bases stay."""
    kept = {name for rule in rules.fields for name in (_name(rule), _map(rule)) if _is_frozen(rule, drift)}
    now = {name: text for name, text in setup.items() if name not in kept}
    return now | {name: known[name] for name in kept if name in known}


def _is_frozen(rule: FieldRule, drift: tuple[Drift, ...]) -> bool:
    return any(one.freezes and one.field == rule.attrs.notion for one in drift)


def settled(known: Mapping[str, str], setup: Mapping[str, str]) -> dict[str, str]:
    """What is known of a new set-up once its stale bases are forgotten, but not all was compared afresh.

    To forget them once more would take those along that were made since.
    """
    sides = {name: text for name, text in known.items() if not _is_of_fields(name)}
    return sides | {name: text for name, text in setup.items() if _is_of_fields(name)}


def stale(
    rules: Rules, state: State, setup: Mapping[str, str], fields: Pair[Mapping[str, Field]]
) -> Pair[tuple[str, ...]]:
    """The attributes of each side whose bases were made for another counterpart."""
    if not state.setup:
        return Pair((), ())
    known = state.setup
    changed = [
        rule
        for rule in rules.fields
        if (known.get(_name(rule)) != setup.get(_name(rule)) and not _holds(rule, known, fields))
        or is_another(rule, known, setup)
    ]
    worthless = [
        tuple(Side) if is_another(r, known, setup) else _worthless(r, known, fields) for r in changed
    ]
    pairs = list(zip(changed, worthless, strict=True))
    return Pair.each(lambda side: tuple(rule.attrs[side] for rule, sides in pairs if side in sides))


def without(state: State, attrs: Pair[Collection[str]]) -> State:
    """The state as if the bases of these attributes were not known."""
    if not attrs.notion and not attrs.other:
        return state
    kept = {side: {i: _without(base, attrs[side]) for i, base in state.bases(side).items()} for side in Side}
    return state.model_copy(update={"objs": kept[Side.NOTION], "other_objs": kept[Side.OTHER]})


def forget(state: State, attrs: Pair[Collection[str]], store: Store) -> None:
    """Forget these bases for good; done before the new set-up is stored, and doing it twice is fine."""
    if not attrs.notion and not attrs.other:
        return
    known = [
        ids
        for ids in (Pair(*link) for link in state.links())
        if any(not state.bases(side).get(ids[side], {}).keys().isdisjoint(attrs[side]) for side in Side)
    ]
    for start in range(0, len(known), AT_ONCE):
        links: dict[ID, tuple[ID, Fields, Fields] | None] = {}
        for ids in known[start : start + AT_ONCE]:
            notion, other = (_without(state.bases(s).get(ids[s], {}), attrs[s]) for s in Side)
            links[ids.notion] = (ids.other, notion, other)
        change = Change(links=links)
        store.commit(None, change)
        change.apply(state)


def _without(base: Fields, attrs: Collection[str]) -> dict[str, Any]:
    return {attr: value for attr, value in base.items() if attr not in attrs}


def _holds(rule: FieldRule, known: Mapping[str, str], fields: Pair[Mapping[str, Field]]) -> bool:
    """Whether the bases mean what they did, although the line in the task file changed."""
    return _only_narrowed(rule, known, fields) or _only_grew(rule, known, fields)


def _only_narrowed(rule: FieldRule, known: Mapping[str, str], fields: Pair[Mapping[str, Field]]) -> bool:
    """Whether the field crossed both ways and only one since: then its bases say what both sides had.

    Not the reverse: in a field that crosses one way the edits of one side moved its base and nothing else.
    """
    before = replace(rule, direction=Direction.BOTH)
    return _crosses(before, fields, _values(rule)) == known.get(_name(rule))


def _worthless(
    rule: FieldRule, known: Mapping[str, str], fields: Pair[Mapping[str, Field]]
) -> tuple[Side, ...]:
    """The sides on which the base of a field whose line changed says nothing any more.

    Where nothing but the form changed, only the side that has forms shows its values in another way. What
    the other one has is what it had: taken for an edit it would overwrite what only the new form can say.
    """
    befores = [replace(rule, form=form) for form in (None, *ValueForm)]
    if known.get(_name(rule)) not in {_crosses(before, fields, _values(rule)) for before in befores}:
        return tuple(Side)
    shown = Pair.each(lambda side: fields[side].get(rule.attrs[side]))
    return tuple(side for side in Side if (field := shown[side]) and field.forms) or (Side.NOTION,)


def _only_grew(rule: FieldRule, known: Mapping[str, str], fields: Pair[Mapping[str, Field]]) -> bool:
    """Whether nothing but pairs were added to the value map.

    What the others mean is as it was, so the bases hold: a value that waited for its pair is still an edit.
    """
    old = json.loads(known.get(_map(rule), "[]"))
    if not old or not all(pair in _values(rule) for pair in old):
        return False
    return _crosses(rule, fields, old) == known.get(_name(rule))


def _is_of_fields(name: str) -> bool:
    return name.partition(".")[0] in {"fields", "field", "map"} or is_of_drift(name)


def _name(rule: FieldRule) -> str:
    return f"field.{rule.attrs.notion}"


def _map(rule: FieldRule) -> str:
    return f"map.{rule.attrs.notion}"


def _crosses(rule: FieldRule, fields: Pair[Mapping[str, Field]], values: list[list[str]]) -> str:
    # A service's own id of a field tells a new one from an old one of the same name.
    kept = [fields[side].get(rule.attrs[side]) for side in Side]
    crosses: list[object] = [rule.attrs.other, values, [field.id if field else "" for field in kept]]
    # Only where one is named, so that what was known before there were any stays valid.
    crosses += [rule.form] if rule.form is not None else []
    crosses += [["direction", rule.direction]] if rule.direction is not Direction.BOTH else []
    return digest([*crosses, ["relation", rule.relation]] if rule.relation is not None else crosses)


def _values(rule: FieldRule) -> list[list[str]]:
    return [[repr(pair.notion), repr(pair.other)] for pair in rule.values]
