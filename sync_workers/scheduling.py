"""`Scheduled`: how a task says when it runs, in the words of its interface."""

from __future__ import annotations

import operator
from datetime import timedelta
from typing import Self

from sync_workers.schedule import Schedule


class Scheduled:
    """Runs once, unless told otherwise; each method gives the task back, so that they can be chained.

    Attributes:
        sync_ended: whether it has run as often as it should; being told anew when to run starts afresh.
    """

    _every: timedelta | None = None
    _in_total: int | None = None
    sync_ended: bool = False

    def run_every(self, hours: float = 0, minutes: float = 0, seconds: float = 0) -> Self:
        """Run at this interval, counted from start to start.

        Raises:
            ValueError: it is not positive.
        """
        every = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if every <= timedelta(0):
            msg = "the interval must be longer than nothing"
            raise ValueError(msg)
        self._every, self.sync_ended = every, False
        return self

    def run_once(self) -> Self:
        """Run one time only."""
        self._every, self._in_total, self.sync_ended = None, None, False
        return self

    def in_total(self, times: int) -> Self:
        """Run so many times in all; without an interval one after the other.

        Raises:
            ValueError: it is not positive.
        """
        if operator.index(times) <= 0:
            msg = "times must be positive"
            raise ValueError(msg)
        self._in_total, self.sync_ended = times, False
        return self

    @property
    def sync_timing(self) -> Schedule:
        """When the task runs by itself, as a value."""
        return Schedule(every=self._every, in_total=self._in_total)
