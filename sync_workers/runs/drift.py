"""Fields that are not what they were when the task ran last: renamed, deleted, or of another type. Pure.

A field is known by the stable id that its service gives it. A renamed one is followed. One that was deleted,
or whose type changed, is *frozen*: nothing of it crosses, and what is known of it stays, until it is back or
the task file says what to do. What is told of it stands in the set-up, so that it is told once.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.errors import SettingsError
from sync_workers.fields import Field
from sync_workers.model import Listing, Pair, Record, Side, Snapshot

TOLD = "drift."
SEEN = "seen."
LINE = "line."


@dataclass(frozen=True, slots=True)
class Drift:
    """What became of one field.

    Attributes:
        field: its Notion name in the task file.
        attr: its name on `side`, likewise.
        sentence: what happened and what to do.
        freezes: whether nothing of it crosses.
    """

    side: Side
    field: str
    attr: str
    sentence: str
    freezes: bool = True


def known_ids(setup: Mapping[str, str], side: Side) -> dict[str, str]:
    """The stable ids of the fields of a side as of the last run, by the names that the task file had."""
    start = f"{SEEN}{side}."
    return {name.removeprefix(start): _seen(setup, name)[0] for name in setup if name.startswith(start)}


def drifted(rules: Rules, fields: Pair[Mapping[str, Field]], known: Mapping[str, str]) -> tuple[Drift, ...]:
    """The fields of a task that are not what they were at the last run."""
    return tuple(
        found for rule in rules.fields for side in Side for found in _drifted(rule, side, fields, known)
    )


def told(drift: tuple[Drift, ...]) -> dict[str, str]:
    """What a person was told about them, for the set-up."""
    return {f"{TOLD}{one.side}.{one.attr}": one.sentence for one in drift}


def told_of(setup: Mapping[str, str]) -> list[str]:
    """What a person was told and what still is so."""
    return [text for name, text in sorted(setup.items()) if name.startswith(TOLD)]


def news(known: Mapping[str, str], setup: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """What a person is to be told now, and the fields of which what was told is over."""
    new = [text for name, text in setup.items() if name.startswith(TOLD) and known.get(name) != text]
    over = [name.removeprefix(TOLD) for name in known if name.startswith(TOLD) and name not in setup]
    return new, over


def seen(
    rules: Rules, fields: Pair[Mapping[str, Field]], known: Mapping[str, str], drift: tuple[Drift, ...]
) -> dict[str, str]:
    """What is remembered of each field: its id and type on each side, and its line of the task file."""
    frozen = frozen_sides(drift)
    found: dict[str, str] = {}
    for rule in rules.fields:
        names = {f"{SEEN}{side}.{rule.attrs[side]}": fields[side].get(rule.attrs[side]) for side in Side}
        now = {
            name: json.dumps([field.id, _type(field)]) for name, field in names.items() if field is not None
        }
        now[f"{LINE}{rule.attrs.notion}"] = _line(rule)
        # Of a frozen field all stays as it was when it last crossed.
        found |= (
            now if rule.attrs.notion not in frozen else {n: known[n] for n in (*names, *now) if n in known}
        )
    return found


def frozen_sides(drift: tuple[Drift, ...]) -> dict[str, frozenset[Side]]:
    """By Notion name of each frozen field the sides on which its values are not known."""
    found: dict[str, frozenset[Side]] = {}
    for one in drift:
        if one.freezes:
            found[one.field] = found.get(one.field, frozenset()) | {one.side}
    return found


def is_another(rule: FieldRule, known: Mapping[str, str], setup: Mapping[str, str]) -> bool:
    """Whether the field is, as a person meant it, not what its bases were made with.

    It has another type on one side; or it was gone, came back, and its service, such as SQL, has no id that
    tells whether it is the same.
    """
    return any(_is_another(side, rule.attrs[side], known, setup) for side in Side)


def _is_another(side: Side, attr: str, known: Mapping[str, str], setup: Mapping[str, str]) -> bool:
    name = f"{side}.{attr}"
    before, now = known.get(f"{SEEN}{name}"), setup.get(f"{SEEN}{name}")
    if before is None or now is None:
        return False
    came_back = f"{TOLD}{name}" in known and f"{TOLD}{name}" not in setup
    return before != now or (came_back and _seen(setup, f"{SEEN}{name}")[0] in {"", attr})


def where_they_were(known: Mapping[str, str], setup: Mapping[str, str]) -> dict[str, str]:
    """What is known without the fields of a side that is bound to another container: it never had them."""
    gone = tuple(f"{SEEN}{side}." for side in Side if _is_elsewhere(side, known, setup))
    return {name: text for name, text in known.items() if not name.startswith(gone)}


def expect_same_container(
    rules: Rules, fields: Pair[Mapping[str, Field]], known: Mapping[str, str], setup: Mapping[str, str]
) -> None:
    """Make sure that a field is missed where it was.

    Raises:
        SettingsError: the side is bound to another container, which never had it.
    """
    attrs = [(side, rule.attrs[side]) for rule in rules.fields for side in Side]
    missed = [
        (side, attr)
        for side, attr in attrs
        if f"{SEEN}{side}.{attr}" in known
        and _is_elsewhere(side, known, setup)
        and ((field := fields[side].get(attr)) is None or field.refused)
    ]
    if missed:
        raise SettingsError(
            *(f"{side} has no field {attr!r}: correct its name in the field map" for side, attr in missed)
        )


def _is_elsewhere(side: Side, known: Mapping[str, str], setup: Mapping[str, str]) -> bool:
    name = f"{side}.container"
    return known.get(name) != setup.get(name)


def without_frozen(snapshot: Snapshot, drift: tuple[Drift, ...]) -> Snapshot:
    """The snapshot without values that mean something else than they did when their bases were made."""

    def stripped(side: Side) -> Listing:
        attrs = {one.attr for one in drift if one.freezes and one.side is side}
        listing = snapshot[side]
        if not attrs:
            return listing
        return replace(listing, records={i: _without(record, attrs) for i, record in listing.records.items()})

    return Pair.each(stripped)


def _without(record: Record, attrs: set[str]) -> Record:
    return replace(record, fields={attr: value for attr, value in record.fields.items() if attr not in attrs})


def is_of_drift(name: str) -> bool:
    """Whether an entry of a set-up says what fields are called, not what their bases were made with."""
    return name.startswith((TOLD, SEEN, LINE))


def _drifted(
    rule: FieldRule, side: Side, fields: Pair[Mapping[str, Field]], known: Mapping[str, str]
) -> Iterator[Drift]:
    attr, field = rule.attrs[side], fields[side].get(rule.attrs[side])
    name = f"{SEEN}{side}.{attr}"
    if name not in known:
        return
    old_id, old_type = _seen(known, name)
    if field is None or field.refused:
        why = f"has a type now that cannot be mapped ({field.type})" if field is not None else "was deleted"
        do = "bring it back there, or take it out of the task file"
        yield _frozen(rule, side, f"{why}: {do}")
        return
    is_same = field.id == old_id
    if is_same and _type(field) != old_type and _is_meant_as_before(rule, known, field):
        do = f"change it back there, or write type = {_type(field)!r} to its line in the task file"
        yield _frozen(rule, side, f"was a {old_type} and is a {_type(field)} now: {do}")
    if field.called:
        yield Drift(side, rule.attrs.notion, attr, _renamed(side, attr, field, fields[side]), freezes=False)


def _is_meant_as_before(rule: FieldRule, known: Mapping[str, str], field: Field) -> bool:
    """Whether nobody has touched the field's line in the task file since its type changed."""
    return rule.type != _type(field) and known.get(f"{LINE}{rule.attrs.notion}", _line(rule)) == _line(rule)


def _frozen(rule: FieldRule, side: Side, why: str) -> Drift:
    attr = rule.attrs[side]
    sentence = (
        f"field {attr!r} of {side} {why}. Nothing of it crosses until then, and nothing of it is erased"
    )
    return Drift(side, rule.attrs.notion, attr, sentence)


def _renamed(side: Side, attr: str, field: Field, there: Mapping[str, Field]) -> str:
    sentence = f"field {attr!r} of {side} is called {field.called!r} there now, and is followed"
    if any(other.name == attr and other.id != field.id for other in there.values()):
        return f"{sentence}; another one has its old name. To take that one, give it a new name and map that"
    return f"{sentence}; the task file may name it either way"


def _type(field: Field) -> str:
    return field.type or str(field.kind)


def _seen(known: Mapping[str, str], name: str) -> tuple[str, str]:
    field_id, kind = json.loads(known[name])
    return field_id, kind


def _line(rule: FieldRule) -> str:
    pairs = [[repr(pair.notion), repr(pair.other)] for pair in rule.values]
    said = [rule.attrs.other, rule.direction, pairs, rule.form, rule.relation, rule.type]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]
