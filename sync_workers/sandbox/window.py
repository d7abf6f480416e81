"""How many requests a token may still make: Notion's window of 180 requests in 60 seconds."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from datetime import datetime, timedelta

from sync_workers.sandbox.errors import Refusal

LIMIT = 180
RATE_LIMIT_REASONS = (
    "public_api_request_rate_limit",
    "public_api_space_request_rate_limit",
    "public_api_endpoint_rate_limit",
    "public_api_request_blocked",
)
"""Which limit was hit: the connection's, the workspace's, the endpoint's; the last is no limit but a ban."""
LENGTH = timedelta(seconds=60)


class Window:
    """The requests of the last minute by key; a burst is allowed, refused requests do not count.

    Attributes:
        limit: requests in a window; 0 or None switches the check off.
        reason: what a refusal gives as its reason.
    """

    def __init__(
        self, limit: int | None = LIMIT, length: timedelta = LENGTH, reason: str = RATE_LIMIT_REASONS[0]
    ) -> None:
        self.limit = limit
        self.length = length
        self.reason = reason
        self._taken: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def take(self, key: str, now: datetime) -> None:
        """Count one request.

        Raises:
            Refusal: 429 with Retry-After, when the window is full.
        """
        if not self.limit:
            return
        taken = self._taken[key]
        while taken and taken[0] <= now - self.length:
            taken.popleft()
        if len(taken) >= self.limit:
            wait = taken[len(taken) - self.limit] + self.length - now
            raise rate_limited(wait.total_seconds(), self.reason)
        taken.append(now)


def rate_limited(seconds: float, reason: str = RATE_LIMIT_REASONS[0]) -> Refusal:
    wait = str(math.ceil(seconds))
    message = "You have been rate limited. Please try again in a few minutes."
    data = {"rate_limit_reason": reason, "retry_after": wait}
    return Refusal(429, "rate_limited", message, data, {"Retry-After": wait})
