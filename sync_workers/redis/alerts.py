"""What is wrong now, and the messages about it that were not delivered yet: one for all monitors together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel

from sync_workers.model import ID
from sync_workers.redis import scripts
from sync_workers.redis.beat import Lead
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import ALERTING, INCIDENTS, OUTBOX, OUTBOX_DUE

QUIET = timedelta(minutes=1)
"""An incident ends when nothing was wrong for so long, so that one that comes and goes is told once."""

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=2), timedelta(hours=1)
"""How soon a message that could not be delivered is tried again; longer than one try takes."""

AT_ONCE = 200
"""So many messages are taken at a time."""


class Incident(BaseModel):
    """Something that a person should know; names and counts, never a value of a field.

    Attributes:
        kind: what is wrong, in one word.
        task: whom it is about; empty for the whole deployment.
        summary: one sentence.
        command: what to run next.
    """

    kind: str
    task: str = ""
    summary: str
    command: str

    @property
    def key(self) -> str:
        """What makes it the same incident, however its sentence changes."""
        return f"{self.kind} {self.task}".strip()


class Change(StrEnum):
    """What a message tells of an incident."""

    BEGUN = "begun"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Message:
    """What one receiver is to be told.

    Attributes:
        id: the same however often it is tried.
        since: when the incident was seen first.
        at: when it began or ended.
    """

    id: ID
    receiver: str
    change: Change
    incident: Incident
    since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Open:
    """An incident that has begun and not ended."""

    incident: Incident
    since: datetime


def lead(client: Client, name: str, lasts: timedelta) -> Lead:
    """The right to send alerts, of which one monitor has it at a time."""
    return Lead(client, name, lasts, key=ALERTING)


def note(
    leads: Lead,
    found: Iterable[tuple[Incident, timedelta]],
    receivers: Sequence[str],
    quiet: timedelta = QUIET,
) -> bool:
    """What is wrong now, and for how long each has to last to be an incident; False for who does not lead.

    Raises:
        StateError: Redis does not answer.
    """
    told = [
        part for incident, lasts in found
        for part in (incident.key, _milliseconds(lasts), incident.model_dump_json())
    ]  # fmt: skip
    args = (leads.owner, _milliseconds(quiet), len(receivers), *receivers, *told)
    keys = (ALERTING, INCIDENTS, OUTBOX, OUTBOX_DUE)
    return bool(leads.client.run(scripts.ALERT, keys, args))


def take(client: Client, first_wait: timedelta = FIRST_WAIT) -> list[Message]:
    """The messages whose turn it is; those that are not `delivered` come up again later and later.

    Raises:
        StateError: Redis does not answer.
    """
    limits = (_milliseconds(first_wait), _milliseconds(LONGEST_WAIT), AT_ONCE)
    flat = client.run(scripts.SEND, (OUTBOX, OUTBOX_DUE), limits)
    return [_message(i.decode(), json.loads(body)) for i, body in zip(flat[::2], flat[1::2], strict=True)]


def delivered(client: Client, messages: Iterable[Message]) -> None:
    """They need not be tried any more; raises StateError where Redis does not answer."""
    for message in messages:
        client.ask("HDEL", OUTBOX, message.id)
        client.ask("ZREM", OUTBOX_DUE, message.id)


def incidents(client: Client) -> list[Open]:
    """Those that have begun and not ended, oldest first; raises StateError where Redis does not answer."""
    known = map(json.loads, client.ask("HVALS", INCIDENTS))
    found = (Open(Incident.model_validate_json(i["body"]), _moment(i["first"])) for i in known if i["begun"])
    return sorted(found, key=lambda one: (one.since, one.incident.key))


def _message(message_id: ID, told: dict[str, str | int]) -> Message:
    return Message(
        message_id, str(told["receiver"]), Change(str(told["state"])),
        Incident.model_validate_json(str(told["incident"])), _moment(told["since"]), _moment(told["at"]),
    )  # fmt: skip


def _milliseconds(length: timedelta) -> int:
    return int(length.total_seconds() * 1000)


def _moment(milliseconds: str | int) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
