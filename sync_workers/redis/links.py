"""Which records of a task belong together, by ids alone: what other tasks need whose fields name them.

It needs no lease: a link that comes or goes meanwhile is seen by the next run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sync_workers.engine.rules import Rules
from sync_workers.model import ID
from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.state_form import load
from sync_workers.redis.state_store import CHUNK, known

HEAD = 200
"""Bytes of a link that are asked for. Its other id stands first, and is nearly always shorter; the bases
behind it are what makes a state large."""


def related(client: Client, rules: Rules, task: str) -> dict[str, Mapping[ID, ID]]:
    """The links of all tasks that fields name records of, without the task's own: those are at hand.

    Raises: as `load_links`.
    """
    names = {rule.relation for rule in rules.fields if rule.relation is not None}
    return {name: load_links(client, name) for name in sorted(names - {task})}


def load_links(client: Client, task: str) -> dict[ID, ID]:
    """The links of a task from Notion id to other id; none of one that never ran.

    Raises:
        StateError: its state is of a version that is not known here.
    """
    keys = Keys(task)
    if not known(client, keys):
        return {}
    links: dict[ID, ID] = {}
    key, cursor = keys.part("links"), b"0"
    while True:
        cursor, flat = client.run(scripts.HEADS, (key,), (cursor, CHUNK, HEAD))
        for name, head in zip(flat[::2], flat[1::2], strict=True):
            notion_id = name.decode()
            other_id = _first(head)
            if other_id is None and (body := client.ask("HGET", key, notion_id)) is not None:
                other_id = str(load(body)[0])
            if other_id is not None:
                links[notion_id] = other_id
        if int(cursor) == 0:
            return links


def _first(head: bytes) -> ID | None:
    """The text that a list begins with; None where it is cut off."""
    try:
        found, _ = json.JSONDecoder().raw_decode(head.decode("utf-8", "surrogateescape"), 1)
    except ValueError:
        return None
    return str(found)
