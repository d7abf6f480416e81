"""The order in which records are copied: what others belong under comes first. Pure and linear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sync_workers.model import ID, Record


def parents_first(ids: Sequence[ID], records: Mapping[ID, Record]) -> list[ID]:
    """The ids in their order, except that a parent among them stands before its children.

    A circle of parents, which no service should show, is cut where it is first met.
    """
    if all(records[record_id].about.parent is None for record_id in ids):
        return list(ids)
    waiting, ordered = dict.fromkeys(ids), dict[ID, None]()
    for record_id in ids:
        line: dict[ID, None] = {}
        above: ID | None = record_id
        while above is not None and above in waiting and above not in ordered and above not in line:
            line[above] = None
            above = records[above].about.parent
        ordered.update(dict.fromkeys(reversed(line)))
    return list(ordered)
