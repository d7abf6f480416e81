"""`Subscriptions`: tell others what happens in the workspace, as Notion's webhooks do.

A new subscription begins with the one unsigned request that carries its token; events follow once somebody
has typed that token back in (`Subscription.verify`). Events are signed, joined while they wait, sent again
when they are not answered by 2xx, and may come out of order or twice where that is wanted.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from random import Random
from typing import Any
from urllib.parse import urlsplit

from sync_workers.sandbox.changes import Changes, Event
from sync_workers.sandbox.nouns import Json
from sync_workers.sandbox.store import Store

RETRY_AFTER = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Seconds between the eight attempts. Notion's are spread over about a day."""

TIMEOUT = 10.0
API_VERSION = "2026-03-11"

_ENDS = {("page.created", "page.deleted"), ("page.deleted", "page.undeleted")}
"""Two events in a row after which nothing has happened."""

_SWALLOWED = {("page.created", "page.properties_updated"), ("page.created", "page.content_updated")}
"""The second says nothing that the first, which is still on its way, does not."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to tell one event; the status is None when nobody answered."""

    event: str
    type: str
    attempt: int
    status: int | None


@dataclass
class Subscription:
    """Who is told.

    Attributes:
        verified: whether the token was typed back in; until then nothing is sent.
        handshake: the status that the unsigned first request was answered with.
        aggregate: seconds that an event waits for others of its kind to join it.
        jitter: an event is late by up to so many seconds, so that later ones overtake it.
        copies: how often each event is sent.
        retry_after: seconds between two attempts.
        sent: every attempt, the oldest first.
    """

    url: str
    token: str
    verified: bool = False
    handshake: int | None = None
    aggregate: float = 0.0
    jitter: float = 0.0
    copies: int = 1
    retry_after: Sequence[float] = RETRY_AFTER
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    integration_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent: list[Delivery] = field(default_factory=list)

    def verify(self, token: str) -> None:
        """Type the token back in, as a person does in Notion.

        Raises:
            ValueError: it is another one.
        """
        if token != self.token:
            raise ValueError("this is not the token that was sent to the webhook URL")
        self.verified = True

    def offer(self) -> None:
        """Send the unsigned request with the token; Notion's button `Resend token` does it again."""
        self.handshake = self.post(json.dumps({"verification_token": self.token}).encode(), {})

    def post(self, body: bytes, headers: dict[str, str]) -> int | None:
        """Send one request; the answer's status, or None without an answer."""
        there = urlsplit(self.url)
        kind = HTTPSConnection if there.scheme == "https" else HTTPConnection
        connection = kind(there.netloc, timeout=TIMEOUT)
        try:
            path = (there.path or "/") + (f"?{there.query}" if there.query else "")
            connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
            return connection.getresponse().status
        except (OSError, HTTPException):
            return None
        finally:
            connection.close()


@dataclass
class _Waiting:
    """An event on its way to one subscriber."""

    due: float
    to: Subscription
    payload: Json
    attempt: int = 1


class Subscriptions:
    """All subscriptions of a workspace, and the thread that sends."""

    def __init__(self, store: Store) -> None:
        self.all: list[Subscription] = []
        self._store = store
        self._changes = Changes(store)
        self._waiting: list[_Waiting] = []
        self._sending = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._chance = Random(1)  # noqa: S311 - the order of events is no secret

    def add(self, url: str, token: str | None = None, **how: Any) -> Subscription:
        """A new subscription: verified when its token is given, else after its handshake and `verify`."""
        made = Subscription(url, token or f"secret_{secrets.token_urlsafe(32)}", token is not None, **how)
        with self._store.lock:
            self._changes.forget()
            self.all.append(made)
            if self._look not in self._store.lock.watchers:
                self._store.lock.watchers.append(self._look)
        if self._thread is None:
            self._closed = False
            self._thread = threading.Thread(target=self._send, name="sandbox events", daemon=True)
            self._thread.start()
        if token is None:
            made.offer()
        return made

    def idle(self) -> bool:
        """Whether nothing waits to be sent."""
        with self._changed:
            return not self._waiting and not self._sending

    def close(self) -> None:
        """Send nothing more and end the thread; calling it twice is fine."""
        with self._store.lock:
            if self._look in self._store.lock.watchers:
                self._store.lock.watchers.remove(self._look)
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(2 * TIMEOUT)
            self._thread = None

    def _look(self) -> None:
        events = self._changes.take()
        if not events:
            return
        with self._changed:
            for event in events:
                for to in self.all:
                    if to.verified:
                        self._put(event, to)
            self._changed.notify_all()

    def _put(self, event: Event, to: Subscription) -> None:
        for waiting in self._about(event, to):
            there = waiting.payload["type"]
            if (there, event.type) in _ENDS:
                self._waiting.remove(waiting)
                return
            if there == event.type or (there, event.type) in _SWALLOWED:
                self._join(waiting.payload, event)
                return
        late = to.aggregate + self._chance.random() * to.jitter
        payload = _payload(self._store, event, to)
        self._waiting += [_Waiting(time.monotonic() + late, to, dict(payload)) for _ in range(to.copies)]

    def _about(self, event: Event, to: Subscription) -> list[_Waiting]:
        """What waits to be sent for the first time and is about the same object."""
        return [
            waiting
            for waiting in self._waiting
            if waiting.to is to and waiting.attempt == 1 and waiting.payload["entity"] == event.entity
        ]

    def _join(self, payload: Json, event: Event) -> None:
        author = _author(self._store, event)
        if author not in payload["authors"]:
            payload["authors"].append(author)
        payload["timestamp"] = _timestamp(event)
        for key in ("updated_properties", "updated_blocks"):
            if key in payload["data"]:
                there = payload["data"][key]
                there += [one for one in event.data.get(key, ()) if one not in there]

    def _send(self) -> None:
        while (waiting := self._next()) is not None:
            status = _post(waiting)
            done = status is not None and 200 <= status < 300  # noqa: PLR2004 - success
            with self._changed:
                self._sending -= 1
                payload = waiting.payload
                waiting.to.sent.append(Delivery(payload["id"], payload["type"], waiting.attempt, status))
                if not done and waiting.attempt <= len(waiting.to.retry_after) and not self._closed:
                    waiting.due = time.monotonic() + waiting.to.retry_after[waiting.attempt - 1]
                    waiting.attempt += 1
                    self._waiting.append(waiting)

    def _next(self) -> _Waiting | None:
        """The next event that is due, waited for; None at the end."""
        with self._changed:
            while not self._closed:
                first = min(self._waiting, key=lambda waiting: waiting.due, default=None)
                left = None if first is None else first.due - time.monotonic()
                if first is not None and left is not None and left <= 0:
                    self._waiting.remove(first)
                    self._sending += 1
                    return first
                self._changed.wait(left)
            return None


def sign(token: str, body: bytes) -> str:
    """The value of `X-Notion-Signature`."""
    return "sha256=" + hmac.new(token.encode(), body, hashlib.sha256).hexdigest()


def _post(waiting: _Waiting) -> int | None:
    body = json.dumps({**waiting.payload, "attempt_number": waiting.attempt}, separators=(",", ":")).encode()
    return waiting.to.post(body, {"X-Notion-Signature": sign(waiting.to.token, body)})


def _payload(store: Store, event: Event, to: Subscription) -> Json:
    return {
        "id": str(uuid.uuid4()),
        "timestamp": _timestamp(event),
        "workspace_id": store.workspace_id,
        "workspace_name": store.workspace_name,
        "subscription_id": to.id,
        "integration_id": to.integration_id,
        "authors": [_author(store, event)],
        "attempt_number": 1,
        "api_version": API_VERSION,
        "entity": event.entity,
        "type": event.type,
        "data": {key: list(value) if isinstance(value, list) else value for key, value in event.data.items()},
    }


def _author(store: Store, event: Event) -> Json:
    return {"id": event.change.by, "type": "bot" if store.users[event.change.by].is_bot else "person"}


def _timestamp(event: Event) -> str:
    return event.change.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
