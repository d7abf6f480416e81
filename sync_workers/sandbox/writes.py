"""Writes that take their time: a second one to the same table or page meanwhile is refused with 409."""

from __future__ import annotations

import time

from sync_workers.sandbox.errors import Refusal
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.store import Store, as_id


class Writes:
    """Which tables and pages are being written.

    Attributes:
        seconds: how long each write takes; 0 for no time at all, and then nothing ever collides.
    """

    def __init__(self) -> None:
        self.seconds: float = 0
        self._until: dict[str, float] = {}

    def check(self, target: str | None) -> None:
        """Refuse a write while another one to the same target is under way.

        Raises:
            Refusal: 409, and nothing was done.
        """
        if target is not None and self._until.get(target, 0) > time.monotonic():
            raise Refusal(409, "conflict_error", "Conflict occurred while saving. Please try again.")

    def begin(self, target: str | None) -> float:
        """The write is done and its answer takes so many seconds, for which the target is taken."""
        if target is None or not self.seconds:
            return 0
        self._until[target] = time.monotonic() + self.seconds
        return self.seconds


def target_of(store: Store, path: str, body: Json) -> str | None:
    """What a write changes: the table of a row, else the object itself; None for what is nobody else's."""
    kind, _, rest = path.removeprefix("/v1/").partition("/")
    named = rest.partition("/")[0]
    if kind in {"pages", "blocks"}:
        return _table_of(store, named) if named else _parent_of(store, body.get("parent"))
    return as_id(named) if kind in {"data_sources", "databases"} else None


def _table_of(store: Store, object_id: str) -> str | None:
    plain = as_id(object_id)
    page = store.pages.get(plain or "")
    return (page and page.data_source_id) or plain


def _parent_of(store: Store, parent: object) -> str | None:
    if not isinstance(parent, dict):
        return None
    if "database_id" in parent:
        sources = store.sources_of(as_id(str(parent["database_id"])) or "")
        return sources[0].id if sources else None
    return as_id(str(parent.get("data_source_id") or parent.get("page_id")))
