"""Mirrors kept as bytes somewhere else, such as in Redis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sync_workers.errors import LeaseLostError, StateError
from sync_workers.model import ID, Side
from sync_workers.runs.codec import from_bytes, to_bytes
from sync_workers.runs.get import Mirror


class Shelf(Protocol):
    """Where the bytes lie."""

    def mirror(self, side: Side) -> bytes | None: ...

    def put_mirror(self, run: ID, fence: int, side: Side, body: bytes) -> None: ...


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

    def save_mirror(self, side: Side, mirror: Mirror) -> None:
        self.shelf.put_mirror(self.run, self.fence, side, to_bytes(mirror))
