"""Faults on request: what a client must survive, asked for the next requests that match.

conflict      409, nothing done
rate_limited  429 with Retry-After and a reason, nothing done
overload      529, nothing done
not_saved     503, nothing done, and the guidance does not tell
saved         503 although it was done, and the guidance says so; a create names what it made
cut           done, then the connection closes without an answer
dropped       the connection closes without an answer, nothing done
delay         answered as usual, `seconds` later

What `saved` says is the example of developers.notion.com/reference/request-limits ("Retry a write that
returns 503"). Of all other 503 answers that page says only that they "carry different guidance, or
none at all", and that a client has to look; so the sentence of `not_saved` is made up, and tells nothing.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
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
            message = "Public API service is temporarily unavailable, please try again later."
            return _unavailable(message, {"retry_guidance": ["Wait before you send further requests."]})
        case Kind.SAVED:
            return _unavailable(_SAVED, {**_OUT_OF_TIME, **({"committed_resource_id": made} if made else {})})
        case _:
            return None


_SAVED = (
    "The change was saved, but the response could not be built in time. Read the object again instead of "
    "repeating the write."
)
_OUT_OF_TIME = {
    "from": "publicApi.pageObjectPointerToPageObject.beforePreload",
    "elapsed_ms": "55012",
    "deadline_ms": "55000",
    "retry_guidance": ["Read the object again to confirm the saved change.", "Do not repeat the write."],
}


def _unavailable(message: str, additional_data: Mapping[str, Any]) -> Refusal:
    return Refusal(503, "service_unavailable", message, additional_data)
