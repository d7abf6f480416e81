"""Who a connection is in Notion: the bot that its writes are signed with."""

from __future__ import annotations

from contextlib import closing

from sync_workers.model import ID
from sync_workers.services.budget import Budget
from sync_workers.services.notion.client import Api
from sync_workers.services.notion.settings import NotionConnection

PATIENCE = 10.0
"""Seconds; whoever asks has better to do than to wait."""


def bot_of(connection: NotionConnection, budget: Budget) -> ID:
    """The id of the connection's bot; one call. Raises as every call of a service."""
    patient = connection.model_copy(update={"timeout": min(connection.timeout, PATIENCE)})
    with closing(Api(patient, budget)) as api:
        return str(api.get("users/me", "the connection's bot", "user")["id"])
