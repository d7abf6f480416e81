"""The quarantine of a task as a person sees it, and how one lets records out of it. Needs no lease.

A run reads this part of the state when it makes its plan; what a person says meanwhile counts from the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sync_workers.model import Side
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.state_form import changes, load
from sync_workers.remarks import Quarantined
from sync_workers.runs.quarantine import Key
from sync_workers.state import Change


def quarantined(client: Client, task: str) -> Mapping[Key, Quarantined]:
    """The records of a task that failed, by the side that was written and the id of the record."""
    found: dict[Key, Quarantined] = {}
    for name, body in client.ask("HGETALL", Keys(task).part("quarantine")).items():
        side, _, record_id = name.decode().partition(":")
        found[Side(side), record_id] = Quarantined.model_validate(load(body))
    return found


def release(client: Client, task: str, keys: Mapping[Key, Quarantined], now: datetime) -> None:
    """Let these be tried again by the next run; how often they failed is not forgotten."""
    due = {key: one.model_copy(update={"due": now}) for key, one in keys.items()}
    for part, name, body in changes(Change(quarantine=due)):
        client.ask("HSET", Keys(task).part(part), name, body or b"")
