"""The parts of a long listing, kept as bytes somewhere else until the listing is at its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from sync_workers.errors import OtherVersionError
from sync_workers.model import ID, Side
from sync_workers.runs.apply import SliceOverError
from sync_workers.runs.codec import from_bytes, to_bytes
from sync_workers.services.base import Fetched


class PartShelf(Protocol):
    """Where the bytes lie."""

    def parts(self, run: ID) -> list[bytes]: ...

    def add_part(self, run: ID, fence: int, place: int, body: bytes) -> None: ...

    def drop_parts(self, run: ID) -> None: ...


@dataclass(slots=True)
class KeptParts:
    """The parts that one run has read, as one attempt of it sees them.

    Attributes:
        is_over: whether the attempt is to end here, and the next one goes on.
    """

    shelf: PartShelf
    run: ID
    fence: int
    is_over: Callable[[], bool]
    _kept: list[tuple[Side, str, Fetched]] | None = field(default=None)

    def of(self, side: Side, setup: str) -> tuple[Fetched, ...]:
        return tuple(part for each, with_setup, part in self._all() if (each, with_setup) == (side, setup))

    def add(self, side: Side, setup: str, part: Fetched) -> None:
        """Keep it.

        Raises:
            SliceOverError: the rest is read by the next attempt.
            LeaseLostError: another attempt or run owns the task now.
        """
        kept = self._all()
        self.shelf.add_part(self.run, self.fence, len(kept), to_bytes((side, setup, part)))
        kept.append((side, setup, part))
        if part.more is not None and self.is_over():
            raise SliceOverError

    def forget(self) -> None:
        self.shelf.drop_parts(self.run)
        self._kept = []

    def _all(self) -> list[tuple[Side, str, Fetched]]:
        if self._kept is None:
            self._kept = [self._read(body) for body in self.shelf.parts(self.run)]
        return self._kept

    def _read(self, body: bytes) -> tuple[Side, str, Fetched]:
        part: tuple[Any, ...] = from_bytes(body, tuple)
        if [type(thing) for thing in part] != [Side, str, Fetched]:
            msg = f"a part of the listing of run {self.run} is of another version: run it again"
            raise OtherVersionError(msg)
        return part[0], part[1], part[2]
