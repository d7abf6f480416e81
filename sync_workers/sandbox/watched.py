"""`WatchedLock`: the lock of the store, whose watchers are told each time something may have changed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self


class WatchedLock:
    """A lock that its holder may take again.

    Attributes:
        watchers: called by whoever gives the lock back, while it still has it.
    """

    def __init__(self) -> None:
        self.watchers: list[Callable[[], None]] = []
        self._lock = threading.RLock()
        self._depth = 0

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._depth == 1:
                for watcher in self.watchers:
                    watcher()
        finally:
            self._depth -= 1
            self._lock.release()
