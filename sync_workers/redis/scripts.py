"""The Lua scripts: everything about a task or a budget that must happen at once or not at all.

They stand in `lua/`, one file each, use Redis' own clock, touch only the keys they are given, and keep to
what Redis 6.2 knows. Each may be sent twice, since a lost answer is asked for again.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

ALERT = "alert"
AWAIT = "await"
BEGIN = "begin"
CLAIM = "claim"
END = "end"
HEADS = "heads"
KEEP = "keep"
LEAD = "lead"
MIRROR = "mirror"
NOTE = "note"
OFFER = "offer"
PART = "part"
PUT = "put"
RENEW = "renew"
REPLACE = "replace"
REST = "rest"
SEND = "send"
SETTLE = "settle"
STEP = "step"
TICK = "tick"
TOTALS = "totals"
TURN = "turn"
TURN_AWAY = "turn_away"
TURN_OVER = "turn_over"
UNLEAD = "unlead"

ALL = (
    ALERT,
    AWAIT,
    BEGIN,
    CLAIM,
    END,
    HEADS,
    KEEP,
    LEAD,
    MIRROR,
    NOTE,
    OFFER,
    PART,
    PUT,
    RENEW,
    REPLACE,
    REST,
    SEND,
    SETTLE,
    STEP,
    TICK,
    TOTALS,
    TURN,
    TURN_AWAY,
    TURN_OVER,
    UNLEAD,
)


@cache
def source(script: str) -> str:
    """The text of a script by its name."""
    return (files("sync_workers.redis") / "lua" / f"{script}.lua").read_text(encoding="utf-8")
