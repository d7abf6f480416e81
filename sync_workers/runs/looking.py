"""What a run sees of single records, for the next one, which could not tell it by listing."""

from __future__ import annotations

from collections.abc import Mapping

from sync_workers.model import ID, Action, Operation, Pair, Record, Side
from sync_workers.services.base import OutOfScope, ReadResult, Service
from sync_workers.state import Glimpse


class Glimpses:
    """What was seen of single records, on sides whose changes are not surely listed."""

    def __init__(self, services: Pair[Service]) -> None:
        self._services = services
        self._seen: dict[tuple[Side, ID], Glimpse] = {}

    def note(self, side: Side, record_id: ID, found: ReadResult) -> None:
        """Remember what a service shows of a record."""
        if not self._services[side].capabilities.watched:
            return
        if isinstance(found, OutOfScope):
            self._seen[side, record_id] = found.reason
        else:
            self._seen[side, record_id] = found if isinstance(found, Record) else ""

    def taken(self) -> Mapping[tuple[Side, ID], Glimpse]:
        """What was noted since this was asked last."""
        noted, self._seen = self._seen, {}
        return noted


def looks(services: Pair[Service], operation: Operation, *, wanted: bool) -> Mapping[tuple[Side, ID], bool]:
    """The records that an operation writes, on such sides.

    `wanted` before the first write, so that whatever dies then is looked at by its id; not any more once it
    is known what the record shows. A note beside a record shows nothing, so it is looked at in any case.
    """
    if not operation.action.writes or (operation.action is Action.ANNOTATE and not wanted):
        return {}
    sides = Side if operation.action is Action.RESOLVE else (operation.side,)
    named = {side: operation.ids[side] for side in sides if services[side].capabilities.watched}
    return {(side, record_id): wanted for side, record_id in named.items() if record_id is not None}
