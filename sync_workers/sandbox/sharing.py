"""What is kept from a connection: to it, such an object and all under it do not exist.

Everything is shared at first, as all stands under one page. For the time of a request the store knows
who asks (`viewer`); a person, who asks in Python, sees everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync_workers.sandbox.store import Store


class Sharing:
    """By bot, the ids of what is not shared with it.

    Attributes:
        viewer: the bot whose request is carried out; None for people.
    """

    def __init__(self) -> None:
        self.viewer: str | None = None
        self._kept: dict[str, set[str]] = {}

    def unshare(self, bot: str, object_id: str) -> None:
        self._kept.setdefault(bot, set()).add(object_id)

    def share(self, bot: str, object_id: str) -> None:
        self._kept.get(bot, set()).discard(object_id)

    @contextmanager
    def seen_by(self, bot: str) -> Iterator[None]:
        """Hold the store's lock meanwhile."""
        self.viewer = bot
        try:
            yield
        finally:
            self.viewer = None

    def hides(self, store: Store, object_id: str) -> bool:
        """Whether the viewer may not know of it."""
        kept = self._kept.get(self.viewer or "")
        return kept is not None and any(one in kept for one in _line(store, object_id))


def _line(store: Store, object_id: str | None) -> Iterator[str]:
    """The object and what it stands under, up to the top."""
    while object_id is not None:
        yield object_id
        object_id = _above(store, object_id)


def _above(store: Store, object_id: str) -> str | None:
    if object_id in store.data_sources:
        return store.data_sources[object_id].database_id
    if object_id in store.blocks:
        return store.blocks[object_id].parent_id
    found = store.pages.get(object_id) or store.databases.get(object_id)
    parent = found.parent if found else {}
    return parent.get("data_source_id") or parent.get("page_id")
