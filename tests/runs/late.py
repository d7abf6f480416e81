"""A memory service whose feed names no deletions, and whose listings come from an index that is behind."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sync_workers.model import ID, NOTHING, Record
from sync_workers.services.base import Capabilities, Fetched, Mapped
from sync_workers.services.feeds import doubtful
from sync_workers.services.memory import Container, MemoryService

LATE = Capabilities(change_feed=True, archives=True, late=timedelta(minutes=5))

OVERLAP = 60
"""So many changes back are listed again: more than are ever made while a row is late."""


@dataclass
class Index:
    """What listings show of a container: every third change is only there the next time.

    Attributes:
        rows: the records as they are listed, also those that were deleted meanwhile.
        late: ids whose last change is not in it yet.
        seen: how much of the container's log it has looked at.
        stuck: rows that it shows like this, whatever became of them.
        lags: whether it is behind at all.
    """

    rows: dict[ID, Record] = field(default_factory=dict)
    late: set[ID] = field(default_factory=set)
    seen: int = 0
    stuck: dict[ID, Record] = field(default_factory=dict)
    lags: bool = True

    def copy(self) -> Index:
        return Index(dict(self.rows), set(self.late), self.seen, dict(self.stuck), self.lags)

    def catch_up(self, container: Container) -> None:
        changed = set(container.log[self.seen :])
        fresh = changed - self.late if self.lags else ()
        late = {i for i in fresh if zlib.crc32(f"{i} {self.seen}".encode()) % 3 == 0}
        for record_id in (changed | self.late) - late:
            if record_id in container.records:
                self.rows[record_id] = container.records[record_id]
            else:
                self.rows.pop(record_id, None)
        self.rows |= self.stuck
        self.late, self.seen = late, len(container.log)


class LateService(MemoryService):
    """A memory service that lists what an index knows; single records are shown as they are."""

    def __init__(
        self, container: Container, mapped: Mapped, capabilities: Capabilities, index: Index
    ) -> None:
        super().__init__(container, mapped, capabilities)
        self.index = index

    def fetch(self, cursor: str | None = None, known: Mapping[ID, Record] = NOTHING) -> Fetched:
        with self.container.lock:
            self.index.catch_up(self.container)
            rows = [self._show(row) for row in self.index.rows.values()]
        mark = max((int(row.version or 0) for row in rows), default=0)
        if cursor is not None:
            mark = max(mark, int(cursor))
            rows = [row for row in rows if int(row.version or 0) > int(cursor) - OVERLAP]
        unsure = tuple(doubtful(rows, known))
        return Fetched(tuple(rows), cursor=str(mark), complete=cursor is None, doubtful=unsure)
