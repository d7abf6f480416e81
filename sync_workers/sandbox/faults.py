"""Faults on request: what a client must survive, asked for the next requests that match.

conflict      409, nothing done
rate_limited  429 with Retry-After and a reason (`RATE_LIMIT_REASONS`), nothing done
overload      529 with Retry-After, nothing done
not_saved     503, nothing done, and the guidance does not tell
saved         503 although it was done, and the guidance says so; a create names what it made
broken        500, nothing done
timeout       504, nothing done; with `over` only for pages of more than so many
html          502 with a page of HTML from a proxy, nothing done
cut_json      done, but the JSON of the answer ends in the middle
forbidden     403 restricted_resource, nothing done
block_limit   403 of a free workspace that has used up its blocks, nothing done
cut           done, then the connection closes without an answer
dropped       the connection closes without an answer, nothing done
delay         answered as usual, `seconds` later

What `saved` says is the example of developers.notion.com/reference/request-limits ("Retry a write that
returns 503"). Of all other 503 answers that page says only that they "carry different guidance, or
none at all", and that a client has to look; so the sentence of `not_saved` is made up, and tells nothing.
That 529 is answered like 429 and that a block limit is known by `additional_data.block_limit` stands on
request-limits and workspace-block-limits there; what stands inside `block_limit` here is made up.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from sync_workers.sandbox.errors import Refusal
from sync_workers.sandbox.paging import LIMIT
from sync_workers.sandbox.window import RATE_LIMIT_REASONS, rate_limited


class Kind(StrEnum):
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    OVERLOAD = "overload"
    NOT_SAVED = "not_saved"
    SAVED = "saved"
    BROKEN = "broken"
    TIMEOUT = "timeout"
    HTML = "html"
    CUT_JSON = "cut_json"
    FORBIDDEN = "forbidden"
    BLOCK_LIMIT = "block_limit"
    CUT = "cut"
    DROPPED = "dropped"
    DELAY = "delay"

    @property
    def executes(self) -> bool:
        """Whether the request is carried out all the same."""
        return self in {Kind.SAVED, Kind.CUT, Kind.CUT_JSON, Kind.DELAY}

    @property
    def closes(self) -> bool:
        """Whether the connection closes without an answer."""
        return self in {Kind.CUT, Kind.DROPPED}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a fault looks at in a request."""

    method: str
    path: str
    token: str = ""
    page_size: int = LIMIT


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, and with which requests.

    Attributes:
        method: such as `POST`; None for all.
        path: a regular expression searched in the path; None for all.
        times: with how many matching requests.
        seconds: the wait of `rate_limited` and `overload` (Retry-After), and of `delay`.
        reason: the `rate_limit_reason` of `rate_limited`.
        token: whose requests; None for everybody's.
        over: only requests that ask for pages of more than so many.
    """

    kind: Kind
    method: str | None = None
    path: str | None = None
    times: int = 1
    seconds: float = 1
    reason: str = RATE_LIMIT_REASONS[0]
    token: str | None = None
    over: int = 0

    def matches(self, asked: Asked) -> bool:
        return (
            self.method in {None, asked.method}
            and self.token in {None, asked.token}
            and asked.page_size > self.over
            and (self.path is None or re.search(self.path, asked.path) is not None)
        )


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

    def take(self, asked: Asked) -> Fault | None:
        """The oldest fault for this request, which counts as one of its times."""
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if fault.matches(asked):
                    left = replace(fault, times=fault.times - 1)
                    self._waiting[place : place + 1] = [left] if left.times > 0 else []
                    return fault
        return None


def refusal(fault: Fault, made: str | None = None) -> Refusal | None:
    """The error answer of a fault; `made` is the id of what a create made before it failed."""
    match fault.kind:
        case Kind.RATE_LIMITED:
            return rate_limited(fault.seconds, fault.reason)
        case Kind.OVERLOAD:
            wait = {"Retry-After": str(math.ceil(fault.seconds))}
            return Refusal(
                529, "service_overload", "Notion is overloaded. Please try again later.", None, wait
            )
        case Kind.NOT_SAVED:
            message = "Public API service is temporarily unavailable, please try again later."
            return _unavailable(message, {"retry_guidance": ["Wait before you send further requests."]})
        case Kind.SAVED:
            return _unavailable(_SAVED, {**_OUT_OF_TIME, **({"committed_resource_id": made} if made else {})})
        case Kind.BLOCK_LIMIT:
            return Refusal(403, "restricted_resource", _BLOCKS, {"block_limit": {"limit": 1000}})
        case kind if kind in _PLAIN:
            return Refusal(*_PLAIN[kind])
        case _:
            return None


_PLAIN: dict[Kind, tuple[int, str, str]] = {
    Kind.CONFLICT: (409, "conflict_error", "Conflict occurred while saving. Please try again."),
    Kind.BROKEN: (500, "internal_server_error", "Unexpected error occurred."),
    Kind.TIMEOUT: (504, "gateway_timeout", "The request timed out. Please try again later."),
    Kind.FORBIDDEN: (403, "restricted_resource", "Insufficient permissions for this endpoint."),
}
_BLOCKS = (
    "This workspace has used all blocks of the Free plan. A workspace owner must upgrade it before more "
    "content can be created."
)
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
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
