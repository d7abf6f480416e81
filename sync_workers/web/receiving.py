"""`Receiver`: from a request to what waits in Redis. Nothing is answered as taken that is not stored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from sync_workers.errors import SyncError
from sync_workers.redis.connect import Client
from sync_workers.redis.waiting import Heard, Waiting
from sync_workers.redis.webhooks import JOINED, OWN, RECEIVED, REFUSED, REPEATED, Webhooks
from sync_workers.services.notion.events import Event, handshake, is_genuine, read_event
from sync_workers.web.bots import Bots
from sync_workers.web.connections import Connection

_log = logging.getLogger(__name__)

TAKEN, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, UNAVAILABLE = 200, 401, 403, 404, 503

Wake: TypeAlias = Callable[[str, timedelta], None]
"""Told that something of a task is due in so long."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Takes the requests of all connections; used by many threads.

    Attributes:
        wake: told when something that was taken is due.
    """

    client: Client
    connections: Mapping[str, Connection]
    bots: Bots
    wake: Wake

    def receive(self, name: str, body: bytes, signature: str | None) -> int:
        """Handle one request to a connection's path; gives the status of the answer.

        2xx means that what it asks for is stored or is nothing; Notion sends anything else again.
        """
        connection = self.connections.get(name)
        if connection is None:
            return NOT_FOUND
        webhooks = Webhooks(self.client, name)
        try:
            if signature is None and (offered := handshake(body)) is not None:
                return self._offered(connection, webhooks, offered)
            token = self._token(connection, webhooks)
            if not token or not is_genuine(token, body, signature or ""):
                return self._refused(connection, webhooks, UNAUTHORIZED, _why_not(token, signature))
            return self._taken(connection, webhooks, body)
        except SyncError as error:
            _log.error(
                "connection %s: an event could not be taken, Notion sends it again: %s", name, error,
                extra={"connection": name, "action": "receive"},
            )  # fmt: skip
            return UNAVAILABLE

    def _token(self, connection: Connection, webhooks: Webhooks) -> str | None:
        configured = connection.settings.webhook_token
        return configured.reveal() if configured is not None else webhooks.token()

    def _offered(self, connection: Connection, webhooks: Webhooks, token: str) -> int:
        """A handshake is not signed: anybody can send one, so it counts only while a person waits for it."""
        if webhooks.offer(token):
            _log.info(
                "connection %s: the token of a webhook subscription came", connection.name,
                extra={"connection": connection.name, "action": "handshake"},
            )  # fmt: skip
            return TAKEN
        why = (
            "a token came and nobody waits for it; if you are setting up a webhook, start "
            f"`sync-workers web --token-for {connection.name}`, then have Notion send it again"
        )
        return self._refused(connection, webhooks, FORBIDDEN, why)

    def _refused(self, connection: Connection, webhooks: Webhooks, status: int, why: str) -> int:
        webhooks.count(REFUSED)
        _log.warning(
            "connection %s: refused a request: %s", connection.name, why,
            extra={"connection": connection.name, "action": "refuse"},
        )  # fmt: skip
        return status

    def _taken(self, connection: Connection, webhooks: Webhooks, body: bytes) -> int:
        try:
            event = read_event(body)
        except ValueError as error:
            _log.warning("connection %s: a signed request is no event: %s", connection.name, error)
            webhooks.count(RECEIVED)
            return TAKEN
        bot = self.bots.of(connection.name)
        if event.authors and event.authors == {bot}:
            outcome, tasks = OWN, 0
        else:
            outcome, tasks = self._stored(connection, event)
        webhooks.count(RECEIVED, *([outcome] if outcome else []))
        _log.info(
            "connection %s: event %s %s, attempt %d: %d page(s), %d task(s)%s",
            connection.name, event.type, event.id, event.attempt, len(event.pages), tasks,
            f", {outcome}" if outcome else "",
            extra={"connection": connection.name, "event": event.id, "type": event.type, "action": "receive"},
        )  # fmt: skip
        return TAKEN

    def _stored(self, connection: Connection, event: Event) -> tuple[str, int]:
        """Let what the event asks for wait; gives what became of it, and how many tasks it concerns."""
        heard: list[Heard] = []
        for task in connection.tasks:
            waiting = Waiting(self.client, task.name)
            wanted = task.wanted(event, waiting)
            if not wanted.names():
                continue
            heard.append(waiting.hear(event.id, wanted, connection.quiet, connection.longest))
            if (due := heard[-1].next_in) is not None:
                self.wake(task.name, due)
        if heard and not any(one.new for one in heard):
            return REPEATED, len(heard)
        return (JOINED if heard and all(one.joined for one in heard) else ""), len(heard)


def _why_not(token: str | None, signature: str | None) -> str:
    if not token:
        return "no token is known to check signatures with; see docs/webhooks.md for how to set it up"
    return "its signature is missing" if signature is None else "its signature is wrong"
