"""`Looks`: the records of a task that its next run asks for by their ids.

Whoever knows that a record changed adds it here, without the lease and at any time: a webhook, a person, a
run that could not finish with it. Twice is once. A look is taken away by the run that used it, unless it was
added again meanwhile.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from sync_workers.model import ID, Side
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys

CHUNK = 1000
"""Looks per command, so that no single one holds up Redis."""


class Looks:
    """The looks of one task."""

    def __init__(self, client: Client, task: str) -> None:
        self._client = client
        self._keys = Keys(task)

    def add(self, side: Side, ids: Iterable[ID]) -> None:
        """Let the next run of the task look at these records of a side.

        Raises:
            StateError: Redis does not answer or refuses.
        """
        word = secrets.token_hex(8)
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), CHUNK):
            pairs = [part for record_id in wanted[start : start + CHUNK] for part in (record_id, word)]
            self._client.ask("HSET", self._keys.looks(side), *pairs)

    def waiting(self, side: Side) -> Mapping[ID, str]:
        """The looks that no run has used yet: id and word."""
        found = self._client.ask("HGETALL", self._keys.looks(side))
        return {record_id.decode(): word.decode() for record_id, word in found.items()}
