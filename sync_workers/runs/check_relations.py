"""What about a field that names other records would not work, or only with a loss. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sync_workers.engine.rules import FieldRule, Rules
from sync_workers.fields import Field, Kind
from sync_workers.model import Pair, Side

_MANY = frozenset({Kind.REFERENCES, Kind.CHOICES, Kind.ANY})
_ONE = frozenset({Kind.TEXT, Kind.NUMBER})


@dataclass(frozen=True, slots=True)
class Target:
    """A task whose records a field names.

    Attributes:
        container: what its Notion side is bound to; empty where that cannot be told now.
        names: its own Notion fields that name records.
    """

    container: str = ""
    names: frozenset[str] = frozenset()


def relations_of(rules: Rules) -> frozenset[str]:
    """The Notion fields that name records."""
    return frozenset(rule.attrs.notion for rule in rules.fields if rule.relation is not None)


def misfits(rule: FieldRule, fields: Pair[Field], targets: Mapping[str, Target]) -> Iterator[str]:
    """What would not work."""
    field, target = fields.notion, targets.get(rule.relation or "", Target())
    # People are ids, too, but of no record.
    if field.kind is Kind.REFERENCES and not field.points_to:
        yield f"{field.name!r} of notion is no relation: leave `relation` out"
    elif field.kind not in _MANY:
        yield f"{field.name!r} of notion holds {field.kind} and is no relation: leave `relation` out"
    elif field.points_to and target.container and field.points_to != target.container:
        yield (
            f"{field.name!r} points to data source {field.points_to}, but task {rule.relation} keeps "
            f"{target.container} in step: name the task of the former as `relation`"
        )
    other = fields.other
    if other.kind not in _MANY | _ONE:
        yield f"{other.name!r} of other holds {other.kind}, which names no record: map another field"


def losses(
    rule: FieldRule, rules: Rules, fields: Pair[Field], targets: Mapping[str, Target]
) -> Iterator[str]:
    """What works with a loss, or twice."""
    other, twin = fields.other, fields.notion.twin
    if other.kind in _ONE and rule.direction.reaches(Side.OTHER):
        yield (
            f"other keeps one id in {other.name!r}: of several pages the first crosses, "
            "and the rest stays on notion only"
        )
    if not twin or twin == rule.attrs.notion:
        return
    mine = [one.attrs.notion for one in rules.fields if one.relation is not None]
    both = f"Notion keeps {rule.attrs.notion!r} and {twin!r} in step by itself"
    if twin in mine and mine.index(twin) < mine.index(rule.attrs.notion):
        yield f"{both}: map one of them only, the one that names the parent or the single record"
    elif twin not in mine and twin in targets.get(rule.relation or "", Target()).names:
        yield f"{both}, and task {rule.relation} maps the latter: map one of them only"
