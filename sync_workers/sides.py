"""`Side` and `Pair`: the two ends of a task, and one thing of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypeVar

ID: TypeAlias = str
Fields: TypeAlias = Mapping[str, Any]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
NOTHING: Fields = MappingProxyType({})


class Side(StrEnum):
    """One of the two ends of a task. The engine never asks which one it has, only for the opposite."""

    NOTION = "notion"
    OTHER = "other"

    @property
    def opposite(self) -> Side:
        return Side.OTHER if self is Side.NOTION else Side.NOTION


class ConflictMode(StrEnum):
    """Who wins when both sides changed a field to different values."""

    NEWER = "newer"
    NOTION = "notion"
    OTHER = "other"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Pair(Generic[T_co]):
    """One thing of each side, reached by side."""

    notion: T_co
    other: T_co

    def __getitem__(self, side: Side) -> T_co:
        return self.notion if side is Side.NOTION else self.other

    @staticmethod
    def of(side: Side, value: T, opposite: T) -> Pair[T]:
        """A pair from the point of view of one side."""
        return Pair(value, opposite) if side is Side.NOTION else Pair(opposite, value)

    @staticmethod
    def each(make: Callable[[Side], T]) -> Pair[T]:
        """A pair of what `make` gives for each side."""
        return Pair(make(Side.NOTION), make(Side.OTHER))


Recalled: TypeAlias = Pair[tuple[tuple[Any, Any], ...]]
"""By side, pairs of a value of the opposite side and what this side last had for it; the first one counts."""

NOTHING_RECALLED: Recalled = Pair((), ())
