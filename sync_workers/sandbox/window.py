"""How many requests a token may still make: Notion's window of 180 requests in 60 seconds."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from datetime import datetime, timedelta

from sync_workers.sandbox.errors import Refusal

LIMIT = 180
LENGTH = timedelta(seconds=60)


class Window:
    """The requests of the last minute by token; a burst is allowed, refused requests do not count.

    Attributes:
        limit: requests in a window; 0 or None switches the check off.
    """

    def __init__(self, limit: int | None = LIMIT, length: timedelta = LENGTH) -> None:
        self.limit = limit
        self.length = length
        self._taken: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def take(self, token: str, now: datetime) -> None:
        """Count one request.

        Raises:
            Refusal: 429 with Retry-After, when the window is full.
        """
        if not self.limit:
            return
        taken = self._taken[token]
        while taken and taken[0] <= now - self.length:
            taken.popleft()
        if len(taken) >= self.limit:
            wait = taken[len(taken) - self.limit] + self.length - now
            raise rate_limited(wait.total_seconds())
        taken.append(now)


def rate_limited(seconds: float, reason: str = "public_api_request_rate_limit") -> Refusal:
    return Refusal(
        429,
        "rate_limited",
        "You have been rate limited. Please try again in a few minutes.",
        {"rate_limit_reason": reason},
        {"Retry-After": str(math.ceil(seconds))},
    )
