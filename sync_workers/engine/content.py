"""What a record says as text, so that equal records can be found by looking them up."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TypeVar

from sync_workers.engine.crossing import Crossing, UncrossableError
from sync_workers.engine.rules import Rules
from sync_workers.model import Record, Side
from sync_workers.values import canonical, is_unset, to_json

T = TypeVar("T")


def key_of(crossings: Sequence[Crossing], rules: Rules, side: Side, record: Record) -> str | None:
    """What a record is matched by: the key that the hooks gave, or its key fields as they read on Notion.

    None when there is nothing to match by; an empty key never matches another empty one.
    """
    if not rules.key:
        return _trimmed(record.key) if record.key else None
    values = [
        _trimmed(_in_form(crossing, side, Side.NOTION, record.fields.get(crossing.attrs[side])))
        for crossing in crossings
        if crossing.attrs.notion in rules.key
    ]
    return None if all(is_unset(value) for value in values) else text_of(values)


def content_of(crossings: Sequence[Crossing], side: Side, record: Record, form: Side) -> str:
    """All mapped fields of a record as text, in the form of one side."""
    values = ((c, _in_form(c, side, form, record.fields.get(c.attrs[side]))) for c in crossings)
    said = [crossing.comparable(value) for crossing, value in values]
    # What does not show all of its fields is equal to nothing.
    return text_of([*said, side, record.id] if record.about.unread else said)


def text_of(values: Iterable[object]) -> str:
    """Equal texts for values that are the same."""
    return json.dumps([to_json(canonical(value)) for value in values], sort_keys=True)


def _in_form(crossing: Crossing, side: Side, form: Side, value: object) -> object:
    if side is form:
        return crossing.reduced(form.opposite, value) if not crossing.rule.values else value
    try:
        return crossing.to(form, value)
    except UncrossableError:
        return ["cannot cross", side, value]


def _trimmed(value: T) -> T | str:
    """Text without blanks around it, which services are known to cut off."""
    return value.strip() if isinstance(value, str) else value
