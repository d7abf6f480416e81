"""What went wrong between here and Notion, in the words of the project.

    nothing was sent, 429, 529, 409           LaterError, with the wait that was asked for
    401, 403, 404, a blocked connection       AccessError: a person has to do something
    400, 413                                  RejectedError, naming the property, never its value
    5xx, 408, no reply, half a reply          read: LaterError; write: UnknownOutcomeError
    503 that says it was saved                SavedError
    an answer that is not Notion's            SettingsError: the address is wrong

The status decides, not the library's exception: notion-client knows neither 529 nor an HTML answer.

Documented about a write that is answered by 503 (developers.notion.com/reference/request-limits,
"Retry a write that returns 503"): `additional_data.retry_guidance` is a list of sentences; when the
change was saved, they are "Read the object again to confirm the saved change." and "Do not repeat the
write."; a create then names what it made as `committed_resource_id`, a change of what was there does
not. "Other 503 responses carry different guidance, or none at all", and Notion cannot always tell
whether a write was saved. So no guidance says that nothing was saved, and none makes a write LaterError.

Assumed: that the sentence not to repeat the write keeps its words. Where it does not, or is said of
a write that was not saved, nothing is lost: without it the outcome is unknown, and with it the page is
read and has to show what was written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from notion_client.errors import HTTPResponseError, InvalidPathParameterError, RequestTimeoutError

from sync_workers.errors import (
    AccessError,
    LaterError,
    MovedError,
    NotYetError,
    RejectedError,
    SettingsError,
    SyncError,
    UnknownOutcomeError,
)
from sync_workers.model import ID

SAVED = "do not repeat the write"
"""What the guidance says of a write that was saved, in any case and with any end."""

WINDOW = timedelta(seconds=60)
"""The window in which Notion counts requests: the wait where a 429 or 529 names none."""


class NotShownError(AccessError):
    """Notion does not show the thing: it is absent, or not shared with the connection."""


class TooSlowError(LaterError):
    """Notion ran out of time on a read; a smaller page may do."""


class LimitedError(NotYetError):
    """Notion asks this connection for patience, or all those of its workspace; nothing was done."""

    def __init__(self, message: str, wait: timedelta, *, is_of_workspace: bool) -> None:
        super().__init__(message, wait=wait)
        self.is_of_workspace = is_of_workspace


class BusyError(LaterError):
    """Two writes met, and this one was not done."""


class SavedError(UnknownOutcomeError):
    """The reply to a write was lost, but Notion says that it is saved.

    Attributes:
        saved_id: the page that was written.
    """

    def __init__(self, message: str, saved_id: str) -> None:
        self.saved_id = saved_id
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked, as far as an error has to know it.

    Attributes:
        what: the thing that was asked for, by id, such as `page 38c9...`.
        expects: the `object` that an answer to it is.
        writes: whether it changes something.
        page_id: the page that is changed; None where one is made, or nothing is written.
        names: the names of the properties that were sent, by id.
    """

    what: str
    expects: str
    writes: bool = False
    page_id: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)


def moved(record_id: ID, reason: str) -> MovedError:
    """For a page that is not where the plan saw it."""
    return MovedError(f"page {record_id}: {reason}")


def points_nowhere(what: str) -> RejectedError:
    """For a 404 on a write to something that Notion does show: it speaks of what the values name."""
    return RejectedError(f"{what} was to name a page or person that Notion does not show to the connection")


def translate(error: Exception, request: Request) -> SyncError:
    """The project's error for what notion-client, httpx or the JSON parser raised."""
    if isinstance(error, HTTPResponseError):
        return _refused(error, request)
    if isinstance(error, InvalidPathParameterError):
        return RejectedError(f"{request.what} cannot be asked for: its id has characters no address takes")
    # A timeout is raised by notion-client while it handles httpx's, which tells how far the call came.
    cause = error.__context__ if isinstance(error, RequestTimeoutError) else error
    if isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout):
        return LaterError(f"Notion cannot be reached for {request.what}: check the network and `url`")
    return lost(request, type(cause).__name__)


def _refused(error: HTTPResponseError, request: Request) -> SyncError:
    answer = _Answer(error)
    # The library's text quotes values; it must not reach a log as the cause of ours.
    error.args, error.body = (f"{answer.status} {answer.code}",), ""
    match answer.status:
        case 429 | 529:
            return _limited(answer, request)
        case 408 | 409 | 500 | 502 | 503 | 504:
            return _failed(answer, request)
        case 413:
            return RejectedError(f"{request.what} is larger than Notion takes in one request (500 KB)")
        case status if status >= 500:  # noqa: PLR2004 - the class of all failures of a server
            return _failed(answer, request)
        case _ if not answer.is_notions:
            return SettingsError(
                f"what answers for {request.what} is not Notion (HTTP {answer.status}): "
                "check the connection's `url`, and any proxy in between"
            )
        case 401:
            return AccessError(
                "Notion does not accept the token (401): make a new one under "
                "https://www.notion.so/profile/integrations and put it where the connection's `token` points"
            )
        case _ if answer.is_out_of_blocks:
            return AccessError(
                f"Notion makes nothing more for {request.what}, since its workspace has used up the blocks "
                "of the Free plan: a workspace owner has to upgrade it, or the database has to move elsewhere"
            )
        case 403:
            return AccessError(
                f"the integration may not do this with {request.what} (403): give it the capabilities "
                "to read, update and insert content under https://www.notion.so/profile/integrations"
            )
        case 404:
            return NotShownError(
                f"Notion does not show {request.what} (404): it is not there, or not shared. Open it in "
                "Notion and add your connection under ••• > Connections"
            )
        case _:
            return RejectedError(_complaint(answer, request))


def _limited(answer: _Answer, request: Request) -> SyncError:
    reason = str(answer.data.get("rate_limit_reason"))
    if reason == "public_api_request_blocked":
        return AccessError(
            "Notion has blocked this connection (public_api_request_blocked): waiting does not help, "
            "write to Notion's support and stop the tasks that use it"
        )
    wait = answer.wait if answer.wait is not None else WINDOW
    seconds = int(wait.total_seconds())
    told = f"Notion asks for patience of {seconds} s with {request.what}"
    return LimitedError(told, wait, is_of_workspace="space" in reason)


def _failed(answer: _Answer, request: Request) -> SyncError:
    wait = answer.wait or timedelta(0)
    if answer.status == httpx.codes.CONFLICT:  # known not to be applied
        return BusyError(f"Notion was busy with another write beside {request.what} (409)", wait=wait)
    saved_id = answer.saved(request.page_id)
    if request.writes and saved_id is not None:
        return SavedError(f"Notion saved {request.what} and failed to say so ({answer.status})", saved_id)
    if request.writes:
        return lost(request, f"HTTP {answer.status}")
    kind = TooSlowError if answer.status == httpx.codes.GATEWAY_TIMEOUT else LaterError
    return kind(f"Notion failed to show {request.what} (HTTP {answer.status})", wait=wait)


def lost(request: Request, how: str) -> SyncError:
    """The answer did not come, or not whole, or is not Notion's."""
    if request.writes:
        return UnknownOutcomeError(f"the reply to a write on {request.what} was lost ({how})")
    return LaterError(f"the reply about {request.what} was lost ({how})")


def _complaint(answer: _Answer, request: Request) -> str:
    """Which part of the request Notion refuses; its message goes on with the value, so no more of it."""
    places = []
    for property_id, name in request.names.items():
        key = f"(?:{re.escape(property_id)}|{re.escape(name)})"
        if found := re.search(rf"\bproperties\.{key}(?![\w%])((?:\.[a-z_]+|\.\d+|\[\d+\])*)", answer.message):
            places.append(f"properties.{name}{found[1]}")
        elif re.match(rf"{key}(?![\w%])", answer.message):
            places.append(f"properties.{name}")
    if not places and (found := re.match(r".*?\b(?:body|path|query)((?:\.[a-z_]+)+) should", answer.message)):
        places.append(found[1].lstrip("."))
    # Some complaints name no place at all, such as the one about an option that a status does not have.
    among = f" in one of {', '.join(sorted(request.names.values()))}" if request.names else ""
    where = f" at {', '.join(places)}" if places else among
    return f"Notion refuses what was sent for {request.what}{where} (HTTP {answer.status} {answer.code})"


class _Answer:
    """An error answer, read from its text: the library drops parts of what it does not know."""

    def __init__(self, error: HTTPResponseError) -> None:
        self.status = error.status
        self.headers = error.headers
        body = _parse(error.body)
        self.is_notions = body.get("object") == "error"
        self.code = str(body.get("code", "")) if self.is_notions else ""
        self.message = str(body.get("message", ""))
        self.data: Mapping[str, Any] = body.get("additional_data") or {}

    @property
    def is_out_of_blocks(self) -> bool:
        """Whether a workspace on the Free plan has no block left, so that nothing can be made there.

        developers.notion.com/reference/workspace-block-limits: `additional_data.block_limit` tells it.
        """
        return "block_limit" in self.data or "block_limit" in self.code

    def saved(self, page_id: str | None) -> str | None:
        """The page that a failed write was saved to: the one it changed, else the one it made.

        None where Notion does not say that it was saved, or not where.
        """
        made = self.data.get("committed_resource_id")
        guidance = self.data.get("retry_guidance")
        said = guidance if isinstance(guidance, list) else [guidance]
        if not isinstance(made, str) and not any(SAVED in str(sentence).lower() for sentence in said):
            return None
        return page_id or (made if isinstance(made, str) else None)

    @property
    def wait(self) -> timedelta | None:
        """What Retry-After asks for: seconds, or a date, which counts from the answer's own date."""
        text = str(self.headers.get("retry-after", "")).strip()
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return timedelta(seconds=float(text))
        try:
            wait = parsedate_to_datetime(text) - parsedate_to_datetime(self.headers.get("date", ""))
        except (TypeError, ValueError):
            return None
        return max(wait, timedelta(0))


def _parse(body: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
