"""What a side last showed, kept between runs, so that a change feed's answer makes a whole listing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from sync_workers.model import ID, Record, Side
from sync_workers.services.base import Fetched
from sync_workers.state import Glimpse


@dataclass(frozen=True, slots=True)
class Mirror:
    """What a side with a change feed last showed.

    Attributes:
        cursor: where the feed goes on.
        setup: the set-up it was read with; another one makes it worthless.
        absent: what was asked for by id and is not there: why it is out of scope, or empty when it is gone.
        compared: when all was listed and compared last, by our clock.
        searched: since when a create is looked for whose reply was lost, likewise.
    """

    cursor: str
    setup: str
    records: Mapping[ID, Record] = field(default_factory=dict)
    unreadable: Mapping[ID, str] = field(default_factory=dict)
    absent: Mapping[ID, str] = field(default_factory=dict)
    compared: datetime | None = None
    searched: datetime | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of single records of a side, besides its mirror.

    Attributes:
        shown: what was seen of them since the mirror was kept.
        looks: those that are to be asked for by id, each with a word of whoever wants it.
        searched: a create on this side is looked for, since nobody saw its end.
        lost: there is no state to which the mirror belongs.
    """

    shown: Mapping[ID, Glimpse] = field(default_factory=dict)
    looks: Mapping[ID, str] = field(default_factory=dict)
    searched: bool = False
    lost: bool = False


NOTHING_BESIDE = Beside()


class Mirrors(Protocol):
    """Where mirrors are kept between runs; losing one costs a full listing and nothing else."""

    def load_mirror(self, side: Side) -> Mirror | None: ...

    def beside(self, side: Side) -> Beside: ...

    def save_mirror(self, side: Side, mirror: Mirror | None, taken: Beside) -> None:
        """Keep the mirror, and take away at once what it has taken in; None leaves the one that there is."""


class NoMirrors:
    """Every run lists everything."""

    def load_mirror(self, _side: Side) -> Mirror | None:
        return None

    def beside(self, _side: Side) -> Beside:
        return NOTHING_BESIDE

    def save_mirror(self, _side: Side, _mirror: Mirror | None, _taken: Beside) -> None:
        """Nothing is kept."""


class Parts(Protocol):
    """Where the parts of a long listing lie until it is at its end."""

    def of(self, side: Side, setup: str) -> tuple[Fetched, ...]:
        """The parts that this run has so far, if they were read with this set-up."""

    def add(self, side: Side, setup: str, part: Fetched) -> None:
        """Keep one more part, and say whether to go on now.

        Raises:
            SyncError: the rest is for another time.
        """

    def forget(self) -> None:
        """They are worthless."""


class PartsHere:
    """Parts of a listing that goes on until its end, in memory."""

    def of(self, _side: Side, _setup: str) -> tuple[Fetched, ...]:
        return ()

    def add(self, _side: Side, _setup: str, _part: Fetched) -> None:
        """The caller has it."""

    def forget(self) -> None:
        """There are none."""


def joined(parts: tuple[Fetched, ...]) -> Fetched:
    """One answer made of all parts; what the whole says, the last one says."""
    if len(parts) == 1:
        return parts[0]
    return replace(
        parts[-1],
        records=tuple(record for part in parts for record in part.records),
        tombstones=tuple(record_id for part in parts for record_id in part.tombstones),
        unreadable={i: reason for part in parts for i, reason in part.unreadable.items()},
        doubtful=tuple(record_id for part in parts for record_id in part.doubtful),
        reset=any(part.reset for part in parts),
    )
