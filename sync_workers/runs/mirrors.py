"""Mirrors kept as bytes somewhere else, such as in Redis."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from sync_workers.errors import LeaseLostError, StateError
from sync_workers.model import ID, Side
from sync_workers.runs.codec import from_bytes, glimpse_of, to_bytes
from sync_workers.runs.mirror import Beside, Mirror
from sync_workers.state import Glimpse


class Shelf(Protocol):
    """Where the bytes lie."""

    def mirror(self, side: Side) -> bytes | None: ...

    def beside(self, side: Side) -> tuple[Mapping[ID, bytes], Mapping[ID, str], bool, bool]:
        """What was seen, the looks, whether a create is looked for, and whether there is no state."""

    def put_mirror(
        self, run: ID, fence: int, side: Side, body: bytes | None, seen: Collection[ID],
        looks: Mapping[ID, str],
    ) -> None: ...  # fmt: skip


@dataclass(frozen=True, slots=True)
class KeptMirrors:
    """The mirrors of one task as one attempt of one run sees them."""

    shelf: Shelf
    run: ID
    fence: int

    def load_mirror(self, side: Side) -> Mirror | None:
        """The mirror of a side; one that cannot be read is as good as none."""
        try:
            body = self.shelf.mirror(side)
            return from_bytes(body, Mirror) if body is not None else None
        except LeaseLostError:
            raise
        except StateError:
            return None

    def beside(self, side: Side) -> Beside:
        seen, looks, *doubts = self.shelf.beside(side)
        shown: dict[ID, Glimpse] = {}
        for record_id, body in seen.items():
            try:
                shown[record_id] = glimpse_of(body)
            except StateError:  # of another version: the record is asked for
                looks = {**looks, record_id: ""}
        return Beside(shown, looks, *doubts)

    def save_mirror(self, side: Side, mirror: Mirror | None, taken: Beside) -> None:
        body = to_bytes(mirror) if mirror is not None else None
        self.shelf.put_mirror(self.run, self.fence, side, body, tuple(taken.shown), taken.looks)
