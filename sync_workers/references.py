"""How an operation names other records: by the counterpart of one that is perhaps only about to be made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sync_workers.sides import ID, Pair


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A field value that stands for the id of a record's counterpart, which this very plan makes.

    It is in plans only: the id takes its place right before the write.

    Attributes:
        of: id of the record on the side that is read.
        number: whether the field that is written keeps ids as numbers.
    """

    of: ID
    number: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of an operation that names records of a task.

    Attributes:
        attrs: the field's name on each side.
        task: whose records it names.
        vanished: by side what the field named when its base was made and does not name now. A side may
            hide what it is not to show, so each of them is asked for before anything is written for it.
    """

    attrs: Pair[str]
    task: str
    vanished: Pair[tuple[ID, ...]] = Pair((), ())


def has_counterpart(value: Any) -> bool:
    """Whether a value names a record that is about to be made."""
    return isinstance(value, Counterpart) or (
        isinstance(value, list) and any(isinstance(one, Counterpart) for one in value)
    )
