"""Faults on request: what a client must survive, asked for the next requests that match.

conflict      409, nothing done
rate_limited  429 with Retry-After and a reason, nothing done
overload      529, nothing done
not_saved     503, nothing done
saved         503 although it was done; a create names what it made
cut           done, then the connection closes without an answer
dropped       the connection closes without an answer, nothing done
delay         answered as usual, `seconds` later
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sync_workers.sandbox.errors import Refusal
from sync_workers.sandbox.window import rate_limited


class Kind(StrEnum):
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    OVERLOAD = "overload"
    NOT_SAVED = "not_saved"
    SAVED = "saved"
    CUT = "cut"
    DROPPED = "dropped"
    DELAY = "delay"

    @property
    def executes(self) -> bool:
        """Whether the request is carried out all the same."""
        return self in {Kind.SAVED, Kind.CUT, Kind.DELAY}

    @property
    def closes(self) -> bool:
        """Whether the connection closes without an answer."""
        return self in {Kind.CUT, Kind.DROPPED}


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and with which requests.

    Attributes:
        method: such as `POST`; None for all.
        path: a regular expression searched in the path; None for all.
        times: with how many matching requests.
        seconds: the wait of `rate_limited` (Retry-After) and `delay`.
        reason: the `rate_limit_reason` of `rate_limited`.
    """

    kind: Kind
    method: str | None = None
    path: str | None = None
    times: int = 1
    seconds: float = 1
    reason: str = "public_api_request_rate_limit"

    def matches(self, method: str, path: str) -> bool:
        return self.method in {None, method} and (self.path is None or re.search(self.path, path) is not None)


class Faults:
    """The faults that wait for their requests, oldest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, kind: Kind | str, method: str | None = None, path: str | None = None, **more: Any) -> None:
        """Ask for a fault; see `Fault` for what else can be said.

        Raises:
            ValueError: for an unknown kind or a path that is no regular expression.
        """
        try:
            re.compile(path or "")
        except re.error as error:
            message = f"{path!r} is no regular expression: {error}"
            raise ValueError(message) from error
        with self._lock:
            self._waiting.append(Fault(Kind(kind), method, path, **more))

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> list[Fault]:
        with self._lock:
            return list(self._waiting)

    def take(self, method: str, path: str) -> Fault | None:
        """The oldest fault for this request, which counts as one of its times."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.matches(method, path):
                    left = replace(fault, times=fault.times - 1)
                    self._waiting[place : place + 1] = [left] if left.times > 0 else []
                    return fault
        return None


def refusal(fault: Fault, made: str | None = None) -> Refusal | None:
    """The error answer of a fault; `made` is the id of what a create made before it failed."""
    match fault.kind:
        case Kind.CONFLICT:
            message = "Conflict occurred while saving. Please try again."
            return Refusal(409, "conflict_error", message)
        case Kind.RATE_LIMITED:
            return rate_limited(fault.seconds, fault.reason)
        case Kind.OVERLOAD:
            return Refusal(529, "service_overload", "Notion is overloaded. Please try again later.")
        case Kind.NOT_SAVED:
            return _unavailable({"retry_guidance": "The request was not carried out. It can be sent again."})
        case Kind.SAVED:
            guidance = "The request was saved. Read the resource before sending it again."
            named = {"committed_resource_id": made} if made else {}
            return _unavailable({"retry_guidance": guidance, **named})
        case _:
            return None


def _unavailable(additional_data: dict[str, Any]) -> Refusal:
    message = "Public API service is temporarily unavailable, please try again later."
    return Refusal(503, "service_unavailable", message, additional_data)
