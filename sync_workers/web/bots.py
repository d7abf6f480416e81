"""`Bots`: whose writes are our own, so that they are not answered by a run."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from sync_workers.errors import SyncError
from sync_workers.model import ID
from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.connect import Client
from sync_workers.redis.webhooks import Webhooks
from sync_workers.report import Trigger
from sync_workers.services.notion.bot import bot_of
from sync_workers.web.connections import Connection

_log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=10)
"""The longest wait for the turn of the one call; then it is made later."""


class Bots:
    """The bot of each connection, asked for once and remembered in Redis.

    As long as it is not known, our own writes count as news: that costs a look and loses nothing.
    """

    def __init__(self, client: Client, connections: Iterable[Connection]) -> None:
        self._client = client
        self._budget = RedisBudget(client, "webhooks", Trigger.WEBHOOK, patience=PATIENCE)
        self._unknown = {connection.name: connection for connection in connections}
        self._known: dict[str, ID] = {}

    def take_up(self, connections: Iterable[Connection]) -> None:
        """These are the connections from now on; one may have another credential than before."""
        self._unknown = {connection.name: connection for connection in connections}

    def of(self, connection: str) -> ID | None:
        return self._known.get(connection)

    def learn(self) -> bool:
        """Ask for those that are not known yet; whether all are."""
        for name, connection in list(self._unknown.items()):
            try:
                self._known[name] = self._bot(connection)
            except SyncError as error:
                _log.warning(
                    "connection %s: its own writes cost needless looks, since its bot is not known yet: %s",
                    name, error, extra={"connection": name, "action": "learn"},
                )  # fmt: skip
            else:
                del self._unknown[name]
        return not self._unknown

    def _bot(self, connection: Connection) -> ID:
        webhooks, credential = (
            Webhooks(self._client, connection.name),
            connection.settings.token.fingerprint(),
        )
        bot = webhooks.bot(credential)
        if bot is None:
            bot = bot_of(connection.settings, self._budget)
            webhooks.keep_bot(credential, bot)
        return bot
