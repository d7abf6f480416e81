"""What is known about the webhooks of a connection.

counts   hash of numbers, and when the last event came
window   there while a person waits for a handshake; holds the token once one came
token    the token that a person took and nothing else names
bot      the id of the connection's own bot, by its credential
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from sync_workers.model import ID
from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import webhook_of

RECEIVED, REFUSED, JOINED, OWN, REPEATED = "received", "refused", "joined", "own", "repeated"


class Webhooks:
    """The webhooks of one connection; its methods raise StateError when Redis does not answer or refuses."""

    def __init__(self, client: Client, connection: str) -> None:
        self._client = client
        self._connection = connection

    def count(self, *what: str) -> None:
        """Count one event that was `what`; one that was received is the last from now on."""
        for name in what:
            self._client.ask("HINCRBY", self._key("counts"), name, 1)
        if RECEIVED in what:
            seconds, microseconds = self._client.ask("TIME")
            at = int(seconds) * 1000 + int(microseconds) // 1000
            self._client.ask("HSET", self._key("counts"), "last", at)

    def counts(self) -> Mapping[str, int]:
        """All numbers by name."""
        found = self._client.ask("HGETALL", self._key("counts"))
        return {name.decode(): int(number) for name, number in found.items() if name != b"last"}

    def last(self) -> datetime | None:
        """When the last event was received."""
        at = self._client.ask("HGET", self._key("counts"), "last")
        return None if at is None else datetime.fromtimestamp(int(at) / 1000, UTC)

    def open_window(self, length: timedelta) -> None:
        """A person waits for a handshake from now on."""
        self._client.ask("SET", self._key("window"), "", "PX", int(length.total_seconds() * 1000))

    def close_window(self) -> None:
        self._client.ask("DEL", self._key("window"))

    def offer(self, token: str) -> bool:
        """A handshake brought a token: whether a person waits for it. The first one counts."""
        return bool(self._client.run(scripts.OFFER, (self._key("window"),), (token,)))

    def offered(self) -> str | None:
        """The token that came while the window is open; empty until one came, None when it is closed."""
        found = self._client.ask("GET", self._key("window"))
        return None if found is None else str(found.decode())

    def keep_token(self, token: str) -> None:
        """Take a token for the key of all signatures, in the place of an earlier one."""
        self._client.ask("SET", self._key("token"), token)

    def token(self) -> str | None:
        """What `keep_token` kept."""
        found = self._client.ask("GET", self._key("token"))
        return None if found is None else str(found.decode())

    def keep_bot(self, credential: str, bot: ID) -> None:
        """Remember the bot that a credential (its fingerprint) belongs to."""
        self._client.ask("DEL", self._key("bot"))
        self._client.ask("HSET", self._key("bot"), credential, bot)

    def bot(self, credential: str) -> ID | None:
        """What `keep_bot` kept for this credential."""
        found = self._client.ask("HGET", self._key("bot"), credential)
        return None if found is None else str(found.decode())

    def _key(self, part: str) -> str:
        return webhook_of(self._connection, part)
