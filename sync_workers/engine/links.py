"""`Links`: which records of one task belong together, as far as ids tell. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync_workers.engine.crossing import UncrossableError
from sync_workers.model import ID, Pair, Side
from sync_workers.references import Counterpart
from sync_workers.values import canonical, is_unset


class WaitingError(UncrossableError):
    """A record that is named has no counterpart yet, and may get one.

    Attributes:
        task: whose record it is.
        record_id: its id on the side that names it.
    """

    def __init__(self, side: Side, task: str, record_id: ID) -> None:
        self.task = task
        self.record_id = record_id
        super().__init__(side, f"waits for {task} to link record {record_id}", asks=False)


@dataclass(slots=True)
class Links:
    """Which records of one task belong together, as far as ids tell.

    Attributes:
        task: its name.
        partners: by side, the id on the opposite side.
        coming: by side, ids of the records that this very plan copies to the opposite side.
    """

    task: str
    partners: Pair[dict[ID, ID]] = field(default_factory=lambda: Pair({}, {}))
    coming: Pair[set[ID]] = field(default_factory=lambda: Pair(set(), set()))

    @staticmethod
    def of(task: str, ids: Mapping[ID, ID]) -> Links:
        """Those of a state, from Notion id to other id."""
        return Links(task, Pair(dict(ids), {other: notion for notion, other in ids.items()}))

    def add(self, ids: Pair[ID]) -> None:
        """Two more belong together."""
        for side in Side:
            self.partners[side][ids[side]] = ids[side.opposite]

    def copied(self, side: Side, record_id: ID) -> None:
        """The record gets a new counterpart in this plan; the one that it may have had stands for it, too."""
        self.coming[side].add(record_id)

    def has(self, side: Side, record_id: ID) -> bool:
        return record_id in self.partners[side] or record_id in self.coming[side]

    def partner(self, side: Side, record_id: ID, *, number: bool) -> Any:
        """The id of the counterpart, in the form in which the opposite side keeps ids.

        Raises:
            WaitingError: it has none, and gets none in this plan.
        """
        if record_id in self.coming[side]:
            return Counterpart(record_id, number)
        if record_id not in self.partners[side]:
            raise WaitingError(side, self.task, record_id)
        return as_number(self.partners[side][record_id]) if number else self.partners[side][record_id]


def ids_in(value: Any) -> list[Any]:
    """The ids that a value holds, as text; one that is about to be made stands for itself."""
    if is_unset(value):
        return []
    items = value if isinstance(value, list | tuple) else [value]
    if isinstance(value, set | frozenset):
        items = sorted(value, key=str)
    return [_id(item) for item in items if not is_unset(item)]


def _id(item: Any) -> Any:
    if isinstance(item, Counterpart):
        return item
    return str(canonical(item))  # 5.0 of a number column is the id 5


def as_number(record_id: ID) -> Any:
    """For a column of numbers; one that is none is left to the service to refuse."""
    try:
        return int(record_id)
    except ValueError:
        return record_id
