"""`HookValues`: from the kinds of values that a client speaks to those that the state keeps, and back."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from sync_workers.errors import RejectedError
from sync_workers.values import UnsupportedValueError, storable

PLAIN = frozenset({type(None), bool, int, float, str, date, datetime, time, timedelta, Decimal, UUID, bytes})
"""Values that cannot change and mean the same after a trip through JSON."""

_KINDS = Enum | date | time | int | float
"""Of these a client may have kinds of its own, which the other side's hooks may count on."""


class HookValues:
    """The values of one side. What they were before is known for those that this process read."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, type, Any], Any] = {}

    def stored(self, attr: str, value: Any) -> Any:
        """A value as the state keeps it.

        Raises:
            RejectedError: the state cannot keep it.
        """
        if type(value) in PLAIN:
            return value
        try:
            kept = _kept(value)
        except UnsupportedValueError as error:
            msg = f"in {attr!r} {error}"
            raise RejectedError(msg) from error
        if isinstance(value, _KINDS) and type(value) is not type(kept):
            self._given[attr, type(kept), kept] = value
        return kept

    def given(self, attr: str, value: Any) -> Any:
        """What the hook of `attr` gave for a value that is kept now."""
        if not self._given or type(value) not in PLAIN:  # these can be looked up
            return value
        return self._given.get((attr, type(value), value), value)


def moment_of(said: Any) -> datetime | None:
    """What a timestamp hook said; a naive time is the local one. Anything but a time raises here."""
    if said is None or said.tzinfo is not None:
        return said  # type: ignore[no-any-return]
    return said.astimezone()  # type: ignore[no-any-return]


def _kept(value: Any) -> Any:
    if isinstance(value, float):
        return float(value)
    if isinstance(value, timedelta) and hasattr(
        value, "start"
    ):  # an interval, of which JSON keeps the length
        raise UnsupportedValueError(value)
    return storable(value)
