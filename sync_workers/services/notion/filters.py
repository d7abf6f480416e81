"""The filter of a task, and how it goes together with the windows in time that the sync adds.

Notion nests conditions two deep: a group of groups of single conditions, as the official client's types say
and https://developers.notion.com/reference/filter-data-source-entries. Two levels of the user's own and a
window around them would be three. So a window goes into a group that says "and", and into each member of one
that says "or"; a group within one of its own kind is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

GROUPS = ("and", "or")
DEEPEST = 2

Condition = Mapping[str, Any]


def problems(condition: Any, depth: int = 0) -> Iterator[str]:
    """What is wrong with the shape of a filter; which conditions a property takes, Notion knows."""
    if not isinstance(condition, Mapping):
        yield "every condition is a table, such as { property = 'Team', select = { equals = 'A' } }"
        return
    kinds = [kind for kind in GROUPS if kind in condition]
    if not kinds:
        if "property" not in condition and "timestamp" not in condition:
            yield "a condition names a `property` or a `timestamp`, or is a group `and` or `or`"
        return
    members = condition[kinds[0]]
    if len(condition) > 1 or not isinstance(members, list) or not members:
        yield f"a group is a table with nothing but `{kinds[0]}`, a list of conditions that is not empty"
    elif depth == DEEPEST:
        yield "Notion takes groups within groups, but no third level of `and` and `or`"
    else:
        for member in members:
            yield from problems(member, depth + 1)


def plain(condition: Any) -> Any:
    """A filter in terms of JSON: TOML has dates of its own."""
    if isinstance(condition, Mapping):
        return {key: plain(value) for key, value in condition.items()}
    if isinstance(condition, list):
        return [plain(item) for item in condition]
    return condition.isoformat() if isinstance(condition, date | datetime) else condition


def combined(condition: Condition | None, windows: Sequence[Condition]) -> dict[str, Any] | None:
    """The rows that pass the filter and lie in all windows, in at most two levels of groups."""
    if condition is None:
        return _group("and", windows) if windows else None
    flat = _flat(condition)
    if not windows:
        return flat
    members = flat.get("or", [])
    if any("and" in member for member in members):
        return {"or": [_within(member, windows) for member in members]}
    return _within(flat, windows)


def _within(condition: Condition, windows: Sequence[Condition]) -> dict[str, Any]:
    """A condition that has room around it, in all windows."""
    return {"and": [*condition.get("and", [condition]), *windows]}


def _flat(condition: Condition) -> dict[str, Any]:
    """Without groups of one member, and without groups within one of their own kind."""
    for kind in GROUPS:
        if kind in condition:
            members = [_flat(member) for member in condition[kind]]
            return _group(kind, [inner for member in members for inner in member.get(kind, [member])])
    return dict(condition)


def _group(kind: str, members: Sequence[Condition]) -> dict[str, Any]:
    return dict(members[0]) if len(members) == 1 else {kind: list(members)}
