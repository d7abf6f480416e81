"""One request to Notion by notion-client, without its retries, its waits and its logs.

The library's typed methods drop keys that they do not know, so its `request` is used throughout.
"""

from __future__ import annotations

import contextlib
import json
import logging
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote

import httpx
from notion_client import Client
from notion_client.errors import NotionClientErrorBase

from sync_workers.errors import LaterError
from sync_workers.model import NOTHING
from sync_workers.services.budget import Budget
from sync_workers.services.notion.errors import BusyError, LimitedError, Request, lost, translate
from sync_workers.services.notion.settings import NotionConnection

VERSION = "2026-03-11"

CONNECT_SECONDS = 10.0
"""A server that does not even take the connection is not worth the whole timeout."""

MOST_TRIES = 5
"""So often a request is sent that Notion answered with 409, 429 or 529."""

FIRST_WAIT = timedelta(seconds=0.2)
"""After a first 409, more or less, so that two that met do not meet again; doubled each time."""
LONGEST_WAIT = timedelta(seconds=10)
"""After a 409; one that asks for more is left for later."""

MOST_FILTERS = 100
"""The most properties that a request may ask for by id; for more, all are shown."""

# The library logs Notion's messages, which quote field values, and adds a handler to its own logger
# for each client that is made without one.
_SILENT = logging.CRITICAL + 1
_LOGGER = logging.getLogger(f"{__name__}.silenced")


class Api:
    """Notion as one connection sees it; used by one thread.

    Every request goes through `_send`, and so by the budget.

    Attributes:
        place: where writes must not meet, since Notion answers 409 to those that do: a data source.
    """

    def __init__(self, connection: NotionConnection, budget: Budget) -> None:
        self.place = ""
        self._budget = budget
        self._account = replace(connection.account(), find_group=self._find_workspace)
        self._client = Client(
            auth=connection.token.reveal(),
            base_url=str(connection.url).rstrip("/"),
            notion_version=VERSION,
            retry=False,
            logger=_LOGGER,
            log_level=_SILENT,
        )
        # Set here because the library gives its own to every httpx client.
        self._client.client.timeout = httpx.Timeout(
            connection.timeout, connect=min(connection.timeout, CONNECT_SECONDS)
        )
        self._client.client.event_hooks = {"response": [self._saw]}
        self.answered: datetime | None = None
        """When Notion's own clock says that it answered last."""

    def get(
        self, path: str, what: str, expects: str, query: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        return self._send("GET", path, Request(what, expects), query=query)

    def get_page(self, page_id: str, property_ids: Sequence[str]) -> dict[str, Any]:
        """A page with these properties only."""
        return self.get(_page_path(page_id), f"page {page_id}", "page", only(property_ids))

    def query(
        self, path: str, what: str, query: Mapping[str, Any], body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A POST that only reads."""
        return self._send("POST", path, Request(what, "list"), query=query, body=body)

    def items(self, page_id: str, property_id: str) -> dict[str, Any]:
        """One property of one page: `results` are all items, `property_item` what holds for them together."""
        return self._all(f"{_page_path(page_id)}/properties/{property_id}", f"page {page_id}")

    def users(self) -> list[dict[str, Any]]:
        """Everyone in the workspace but its guests."""
        users: list[dict[str, Any]] = self._all("users", "the list of users")["results"]
        return users

    def _all(self, path: str, what: str, asked: Mapping[str, Any] = NOTHING) -> dict[str, Any]:
        """The last answer of a listing, with the results of all.

        Waits for its turn here: given up in its middle it would begin anew, and never end.
        """
        results: list[dict[str, Any]] = []
        query: dict[str, Any] = {"page_size": 100, **asked}
        while True:
            with self.patiently():
                answer = self.get(path, what, "list", query)
            results += answer["results"]
            if not answer["has_more"]:
                return {**answer, "results": results}
            query = {**query, "start_cursor": next_cursor(answer, query.get("start_cursor"), what)}

    def create_page(self, what: str, body: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
        """Make a page; `names` are of the properties that are sent, by id."""
        return self._send("POST", "pages", Request(what, "page", writes=True, names=names), body=body)

    def change_page(
        self, page_id: str, body: Mapping[str, Any], names: Mapping[str, str] = NOTHING
    ) -> dict[str, Any]:
        """Write to a page; `names` are of the properties that are sent, by id."""
        request = Request(f"page {page_id}", "page", writes=True, page_id=page_id, names=names)
        return self._send("PATCH", _page_path(page_id), request, body=body)

    def patiently(self) -> AbstractContextManager[None]:
        """Inside, calls wait here for their turn: for a look after a write, and for what completes a row."""
        return self._budget.patiently()

    def change_source(
        self, source_id: str, what: str, change: Callable[[Mapping[str, Any]], Mapping[str, Any] | None]
    ) -> dict[str, Any]:
        """Change a data source from what it is: no other worker of ours changes it in between.

        `change` gives the body of the request for what Notion shows, or None when there is nothing to do.
        """
        path = f"data_sources/{source_id}"
        # A turn of its own, around the look and the write; it counts as one more call.
        with self._budget.call(self._account, f"{path} schema"):
            shown = self.get(path, what, "data_source")
            body = change(shown)
            if body is None:
                return shown
            return self._send("PATCH", path, Request(what, "data_source", writes=True), body=body)

    def get_markdown(self, page_id: str) -> dict[str, Any]:
        with self.patiently():
            return self.get(f"{_page_path(page_id)}/markdown", f"the body of page {page_id}", "page_markdown")

    def change_markdown(self, page_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Write the body of a page; the answer has all of it."""
        request = Request(f"the body of page {page_id}", "page_markdown", writes=True, page_id=page_id)
        return self._send("PATCH", f"{_page_path(page_id)}/markdown", request, body=body)

    def comments(self, page_id: str) -> list[dict[str, Any]]:
        """All open comments on the page itself, oldest first."""
        found = self._all("comments", f"the comments on page {page_id}", {"block_id": page_id})
        comments: list[dict[str, Any]] = found["results"]
        return comments

    def close(self) -> None:
        self._client.close()

    def _saw(self, response: httpx.Response) -> None:
        with contextlib.suppress(ValueError, TypeError):
            self.answered = parsedate_to_datetime(response.headers.get("date", ""))

    def _send(
        self,
        method: str,
        path: str,
        request: Request,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One request, and again where Notion surely did nothing and only asks for some patience.

        Raises:
            NotYetError: it is to be left alone for longer; every worker does.
        """
        for tries in range(1, MOST_TRIES + 1):
            try:
                return self._try(method, path, request, query, body)
            except LimitedError as limited:
                self._budget.pause(self._account, limited.wait, group=limited.is_of_workspace)
                if tries == MOST_TRIES:
                    raise
            except BusyError as busy:
                wait = max(busy.wait, FIRST_WAIT * 2 ** (tries - 1) * random.uniform(0.5, 1.5))  # noqa: S311
                if tries == MOST_TRIES or wait > LONGEST_WAIT:
                    raise
                self._budget.sleep(wait)
        raise AssertionError  # the last try returned or raised

    def _try(
        self,
        method: str,
        path: str,
        request: Request,
        query: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        try:
            with self._budget.call(self._account, self.place if request.writes else ""):
                answer = self._client.request(
                    path, method, query=dict(query or {}), body=None if body is None else dict(body)
                )
        except (NotionClientErrorBase, httpx.HTTPError, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise translate(error, request) from error
        # A portal or proxy in between answered, so what Notion did is not known.
        if not isinstance(answer, dict) or answer.get("object") != request.expects:
            raise lost(request, f"the answer is no {request.expects}")
        return answer

    def _find_workspace(self) -> str:
        """Whose connections Notion can ask for patience all at once; empty where it does not say."""
        bot = self.get("users/me", "the connection itself", "user").get("bot") or {}
        return str(bot.get("workspace_id") or "")


def _page_path(page_id: str) -> str:
    return f"pages/{quote(page_id, safe='')}"


def only(property_ids: Sequence[str]) -> dict[str, Any]:
    """The query part that asks for these properties only.

    Ids come URL-encoded and are encoded again on their way, so they are decoded here.
    """
    if not property_ids or len(property_ids) > MOST_FILTERS:
        return {}
    return {"filter_properties": [unquote(property_id) for property_id in property_ids]}


def next_cursor(answer: Mapping[str, Any], last: str | None, what: str) -> str:
    """Where a listing that says it has more goes on.

    Raises:
        LaterError: it does not say where, or says the same place again. Never taken for the end.
    """
    cursor = answer.get("next_cursor")
    if not isinstance(cursor, str) or cursor in {"", last}:
        msg = f"Notion has more of {what} but does not say where to go on"
        raise LaterError(msg)
    return cursor
