"""What about a task would not work, judged from both sides' fields before anything runs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sync_workers.engine.lists import LISTS
from sync_workers.engine.options import is_option, why_not
from sync_workers.engine.rules import DeletePolicy, Direction, FieldRule, Rules
from sync_workers.fields import Field, Kind, NewOptions, ValueForm
from sync_workers.model import Pair, Side
from sync_workers.naming import hint
from sync_workers.runs import check_relations
from sync_workers.runs.check_relations import Target
from sync_workers.services.base import Capabilities
from sync_workers.values import same

Schema: TypeAlias = Mapping[str, Field]

NO_TARGETS: Mapping[str, Target] = {}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should know before the task runs.

    Attributes:
        about: the Notion name of the field; empty when it is about the whole task.
        sentence: what it is, and what to do.
        stops: it would not work; otherwise it works, with this loss.
    """

    about: str
    sentence: str
    stops: bool = True


def judge(
    rules: Rules,
    schemas: Pair[Schema],
    capabilities: Pair[Capabilities],
    targets: Mapping[str, Target] = NO_TARGETS,
) -> tuple[Finding, ...]:
    """Everything that would not work, or only with a loss, in the order of the field map.

    `targets` are the tasks whose records fields name, by name.
    """
    return (
        *_judge_deletes(rules, capabilities),
        *(finding for rule in rules.fields for finding in _judge_field(rule, rules, schemas, targets)),
    )


def _judge_deletes(rules: Rules, capabilities: Pair[Capabilities]) -> Iterator[Finding]:
    for side in Side:
        if rules.delete[side] is DeletePolicy.ARCHIVE and not capabilities[side].archives:
            told = f'{side} has no archive: write delete = {{ to_{side} = "propagate" }}'
            yield Finding("", f'{told}, or "unlink" or "ignore" there')


def _judge_field(
    rule: FieldRule, rules: Rules, schemas: Pair[Schema], targets: Mapping[str, Target]
) -> Iterator[Finding]:
    missing = [side for side in Side if rule.attrs[side] not in schemas[side]]
    for side in missing:
        name = rule.attrs[side]
        yield Finding(rule.attrs.notion, f"{side} has no field {name!r}{hint(name, schemas[side])}")
    if missing:
        return
    fields = Pair(schemas.notion[rule.attrs.notion], schemas.other[rule.attrs.other])
    if rule.relation is not None:
        for sentence in check_relations.misfits(rule, fields, targets):
            yield Finding(rule.attrs.notion, sentence)
        for sentence in check_relations.losses(rule, rules, fields, targets):
            yield Finding(rule.attrs.notion, sentence, stops=False)
    yield from _judge_type(rule, fields)
    for target in Side:
        if rule.direction.reaches(target):
            for sentence in _judge_write(rule, fields, target):
                yield Finding(rule.attrs.notion, sentence)
            for sentence in _losses(rule, fields, target):
                yield Finding(rule.attrs.notion, sentence, stops=False)


def _judge_type(rule: FieldRule, fields: Pair[Field]) -> Iterator[Finding]:
    types = {side: fields[side].type or str(fields[side].kind) for side in Side}
    if rule.type is not None and rule.type not in types.values():
        is_now = " and ".join(f"{kind} on {side}" for side, kind in types.items())
        yield Finding(rule.attrs.notion, f"type = {rule.type!r} is wrong: it is {is_now}; correct it")


def _judge_write(rule: FieldRule, fields: Pair[Field], target: Side) -> Iterator[str]:
    """What keeps values from crossing to `target`."""
    field, source = fields[target], fields[target.opposite]
    if not field.writable:
        away = Direction.TO_OTHER if target is Side.NOTION else Direction.TO_NOTION
        yield f'{target} does not let {field.name!r} be written: write direction = "{away}"'
    elif rule.values:
        yield from _judge_values(rule, fields, target)
    elif rule.relation is None and not _fits(source.kind, field.kind):
        yield (
            f"{field.name!r} of {target} holds {field.kind}, not {source.kind}: "
            "map another field, or add a value map"
        )


_CROSSES = frozenset(
    [
        *((Kind.NUMBER, Kind.TEXT), (Kind.CHOICE, Kind.TEXT), (Kind.TEXT, Kind.CHOICE)),
        *(pair for kind in LISTS for pair in ((kind, Kind.TEXT), (Kind.TEXT, kind))),
        *((one, another) for one in LISTS for another in LISTS),
    ]
)
"""Pairs of different kinds that the engine brings across without a value map."""


def _fits(source: Kind, target: Kind) -> bool:
    return source is target or Kind.ANY in {source, target} or (source, target) in _CROSSES


def _judge_values(rule: FieldRule, fields: Pair[Field], target: Side) -> Iterator[str]:
    """What the value map writes on `target`, and what of the source it does not know."""
    field, source = fields[target], fields[target.opposite]
    written = [pair[target] for pair in rule.values]
    for value in _different(written):
        if not _holds(field.kind, value):
            yield f"{value!r} of the value map does not fit: {field.name!r} of {target} holds {field.kind}"
        elif isinstance(value, str) and why_not(field, value, rule.new_options):
            yield (
                f"{value!r} of the value map is no option of {field.name!r} on {target}"
                f"{hint(value, field.options)}; correct the map, or add the option there"
            )
    known = [pair[target.opposite] for pair in rule.values]
    for value in _occurring(source):
        if not any(same(value, one) for one in known):
            yield (
                f"{value!r} of {source.name!r} on {target.opposite} has no counterpart in the value map: "
                "records with it would not cross; add a pair"
            )


def _occurring(field: Field) -> tuple[Any, ...]:
    """The values that can stand in a field, where they can be told."""
    if field.kind is Kind.CHECKBOX:
        return (True, False)
    return field.options if field.kind in {Kind.CHOICE, Kind.CHOICES} else ()


def _holds(kind: Kind, value: Any) -> bool:
    """Whether one value of a map can stand in a field of that kind."""
    match kind:
        case Kind.ANY:
            return True
        case Kind.CHECKBOX:
            return isinstance(value, bool)
        case Kind.NUMBER:
            return isinstance(value, int | float) and not isinstance(value, bool)
        case Kind.TEXT | Kind.CHOICE | Kind.CHOICES | Kind.REFERENCES:
            return isinstance(value, str)
        case _:
            return False


def _losses(rule: FieldRule, fields: Pair[Field], target: Side) -> Iterator[str]:
    """What `target` keeps less of. The engine never erases it on the other side; rows still cross."""
    field, source = fields[target], fields[target.opposite]
    if rule.values or rule.relation is not None or not field.writable:
        return
    if source.kind in LISTS:
        yield from _list_losses(rule, field, source, target)
    stays = f"stays on {target.opposite} only"
    if field.kind is source.kind is Kind.TEXT and _shorter(field, source):
        yield f"{target} keeps {field.longest} characters of {field.name!r}: the rest of the text {stays}"
    if field.kind is source.kind is Kind.DATE and source.times and not field.times:
        yield f"{target} keeps only the day in {field.name!r}: the time of day {stays}"
    if field.kind is source.kind is Kind.DATE and source.ranges and not field.ranges:
        yield f"{target} keeps only the start in {field.name!r}: the end of a span {stays}"
    if field.kind in {Kind.CHOICE, Kind.CHOICES} and (field.options or field.grows):
        yield from _other_options(rule, field, source, target)


def _other_options(rule: FieldRule, field: Field, source: Field, target: Side) -> Iterator[str]:
    """What becomes of values that are no option of a field."""
    missing = [option for option in source.options if not is_option(field, option)]
    waiting = [option for option in missing if why_not(field, option, rule.new_options)]
    if waiting:
        step = "add it there, or add a value map"
        if field.grows:
            step = f'add it there, add a value map, or write new_options = "{NewOptions.CREATE}"'
        lacks = f"{target} has no option {_named(waiting)} in {field.name!r} yet"
        yield f"{lacks}, and records wait with it: {step}"
    if made := [option for option in missing if option not in waiting]:
        yield f"{target} has no option {_named(made)} in {field.name!r} yet: it is added when it is needed"
    if source.kind is Kind.TEXT and why_not(field, "\0", rule.new_options):
        yield f"a text that is no option of {field.name!r} on {target} waits"


def _named(options: list[str]) -> str:
    return ", ".join(map(repr, options))


def _list_losses(rule: FieldRule, field: Field, source: Field, target: Side) -> Iterator[str]:
    """A list that crosses to a text or to another kind of list."""
    # Where nobody chose, people are the ids of the service, which say nothing to a person.
    if ValueForm.EMAIL in source.forms and rule.form is None and field.kind in {Kind.TEXT, Kind.CHOICES}:
        yield (
            f"the people of {source.name!r} cross to {target} as ids: "
            f'write form = "{ValueForm.EMAIL}" to have their e-mail addresses'
        )
    if field.kind is Kind.TEXT and rule.direction.reaches(target.opposite):
        yield (
            f"{source.name!r} crosses to {target} as text with commas: "
            "a list with a comma in an item does not cross"
        )


def _shorter(field: Field, source: Field) -> bool:
    return field.longest is not None and (source.longest is None or source.longest > field.longest)


def _different(values: list[Any]) -> list[Any]:
    """Without repetitions; 1 and True are two values."""
    return list({(type(value), value): value for value in values}.values())
