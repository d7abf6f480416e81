"""`RedisStore`: the state of one task in Redis, held by one attempt of one run.

Links are fields of a hash and change one by one, so that a run costs what changed and not what exists. Every
write names the attempt's number and is refused when another attempt or run has the lease.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from sync_workers.errors import LeaseLostError, StateError
from sync_workers.model import ID, Side
from sync_workers.redis import history, scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import PARTS, Keys
from sync_workers.redis.lease import owner
from sync_workers.redis.state_form import changes, dump, hashes, model_body, one_field, state_of
from sync_workers.redis.state_form import load as load_json
from sync_workers.redis.state_version import expect_known, newer, version_of
from sync_workers.remarks import Decision
from sync_workers.runs.codec import to_bytes
from sync_workers.runs.history import Entry, Kept
from sync_workers.state import VERSION, Change, State, is_known

_log = logging.getLogger(__name__)

JOURNAL_KEPT = timedelta(days=7)
"""How long the journal of a run that died waits for its next attempt. Only a run's own attempts read it, and
those come within minutes; what a lost reply left open stands in the state itself."""

CHUNK = 1000
"""Links per answer and per command: a few hundred kilobytes, so that no single call holds up Redis."""

_BESIDE = [(name, side) for name in ("shown", "looks") for side in Side]
"""What changes in one step with the state, but is no part of it."""

_PLACE: dict[Any, int] = {part: place for place, part in enumerate((*PARTS, *_BESIDE), start=6)}
"""Which of the keys of `step.lua` a change is for, counted from 1 as in Lua."""


class RedisStore:
    """The `Store` of `sync_workers.runs.store` in Redis.

    Args:
        run: the run that has the lease.
        fence: its attempt's number, from `Taken`.
        kept: how much of the history is kept.
    """

    def __init__(self, client: Client, task: str, run: ID, fence: int, kept: Kept = Kept()) -> None:
        self._client = client
        self._kept = kept
        self._keys = Keys(task)
        self._run = run
        self._owner = owner(run, fence)

    def load(self) -> State | None:
        """The state; one of an older version is stored anew in the form of this one, all at once."""
        meta = known(self._client, self._keys)
        state, version = _read(self._client, self._keys, meta, PARTS), version_of(meta.get(b"version"))
        if state is not None and version != VERSION:
            self.replace(state)
            told = "task %s: its state was brought from version %s to %s"
            _log.info(told, self._keys.task, version, VERSION, extra={"action": "upgrade"})
        return state

    def setup(self) -> Mapping[str, str]:
        """The set-up alone, in one call; empty when the task never ran.

        Raises:
            OtherVersionError: a newer version wrote it.
        """
        found: Mapping[str, str] = load_json(known(self._client, self._keys).get(b"setup", b"{}"))
        return found

    def begin(self, operation: int, change: Change, intent: Entry | None = None) -> bool:
        return self._step("begin", operation, change, intent) != b"begun"

    def take_back(self, operation: int, change: Change) -> None:
        self._step("take back", operation, change, None)

    def commit(self, operation: int | None, change: Change, entry: Entry | None = None) -> None:
        self._step("" if operation is None else "end", operation, change, entry)

    def intents(self) -> Mapping[str, Entry]:
        return {name: history.read(body) for name, body in _scan(self._client, self._keys.intents)}

    def done(self) -> frozenset[int]:
        return self._said(b"ended", b"done")

    def carried_out(self) -> frozenset[int]:
        return self._said(b"done")

    def _said(self, *words: bytes) -> frozenset[int]:
        journal = self._client.ask("HGETALL", self._keys.journal(self._run))
        return frozenset(int(number) for number, said in journal.items() if said in words)

    def replace(self, state: State) -> None:
        """Put a whole state in the place of what is there, all at once.

        Raises:
            LeaseLostError: another run owns the task now; nothing was changed.
        """
        names: list[str] = []
        for key, fields in zip(self._keys.state(), self._whole(state), strict=True):
            staged = self._keys.staged(key)
            self._client.ask("DEL", staged)
            for part in _chunks(fields):
                self._client.ask("HSET", staged, *part)
            # Whatever dies here leaves nothing behind for long.
            self._client.ask("EXPIRE", staged, 3600)
            names += [key, staged]
        if not self._client.run(scripts.REPLACE, (self._keys.lease, *names), (self._owner,)):
            raise self._lost()

    def drop(self) -> None:
        """Forget the state; the next run is a first run, which links by key and deletes nothing.

        Raises:
            LeaseLostError: another run owns the task now; nothing was changed.
        """
        names = [name for key in self._keys.state() for name in (key, self._keys.staged(key))]
        self._client.ask("DEL", *(self._keys.staged(key) for key in self._keys.state()))
        if not self._client.run(scripts.REPLACE, (self._keys.lease, *names), (self._owner,)):
            raise self._lost()

    def _step(self, step: str, operation: int | None, change: Change, entry: Entry | None) -> bytes:
        keys = self._keys
        number = "" if operation is None else operation
        intent = entry.intent if entry is not None else f"{self._run}:{number}"
        changed: list[str | bytes | int] = []
        for part, name, body in changes(change):
            changed += (_PLACE[part], name, body or b"")
        for (side, record_id), glimpse in change.shown.items():
            changed += (_PLACE["shown", side], record_id, to_bytes(glimpse))
        for (side, record_id), wanted in change.looks.items():
            # A look that someone else added since then is not taken away.
            changed += (_PLACE["looks", side] * (1 if wanted else -1), record_id, f"{self._run}:{number}")
        said: bytes = self._client.run(
            scripts.STEP,
            (
                keys.lease, keys.meta, keys.journal(self._run), keys.intents, keys.history,
                *(keys.part(part) for part in PARTS),
                *map(keys.shown, Side), *map(keys.looks, Side),
            ),
            (
                self._owner, str(VERSION), step, number, secrets.token_hex(8),
                int(JOURNAL_KEPT.total_seconds() * 1000),
                b"" if change.setup is None else dump(dict(change.setup)),
                intent, b"" if entry is None else history.written(entry), self._kept.number,
                *changed,
            ),
        )  # fmt: skip
        if said == b"lost":
            raise self._lost()
        if said == b"version":
            raise newer(keys.task, "a newer version")
        return said

    def _whole(self, state: State) -> Iterator[Mapping[str, bytes]]:
        """A hash for each of `Keys.state()`."""
        yield {"version": b"%d" % VERSION, "setup": dump(state.setup)}
        yield from hashes(state)

    def _lost(self) -> LeaseLostError:
        return LeaseLostError(
            f"task {self._keys.task}: run {self._run} does not have the lease any more and stored nothing; "
            "the next run goes on from what is stored"
        )


def load(client: Client, task: str) -> State | None:
    """The state of a task as it is stored; consistent for whoever has the lease, since only that one writes.

    Raises:
        OtherVersionError: a newer version wrote it.
        StateError: it cannot be read.
    """
    return _load(client, Keys(task), PARTS)


def load_setup(client: Client, task: str) -> Mapping[str, str]:
    """The set-up of a task's last run, in one call; empty when it never ran, or a newer version did.

    Raises:
        StateError: Redis refuses.
    """
    version, setup = client.ask("HMGET", Keys(task).meta, "version", "setup")
    if setup is None or not is_known(version_of(version)):
        return {}
    found: Mapping[str, str] = load_json(setup)
    return found


def load_remarks(client: Client, task: str) -> State | None:
    """The state as `load` gives it, without its links: costs what is remarked of records, not what exists."""
    return _load(client, Keys(task), [part for part in PARTS if part != "links"])


def put_decision(client: Client, task: str, field: tuple[ID, str], decision: Decision) -> None:
    """Store what a person decided about a held field, named by Notion id and Notion attribute.

    It needs no lease. A run looks for decisions when it makes its plan, and takes away none but those that
    it carried out or found void, each by itself.

    Raises:
        StateError: Redis refuses, or the state is of another version.
    """
    meta = known(client, Keys(task))
    if meta and (version := version_of(meta.get(b"version"))) != VERSION:
        raise StateError(
            f"the state of task {task} is still of version {version}: its next run, by a worker of "
            "this version, brings it up to date; decide then"
        )
    client.ask("HSET", Keys(task).part("decisions"), one_field(*field), model_body(decision))


def _load(client: Client, keys: Keys, parts: Collection[str]) -> State | None:
    return _read(client, keys, known(client, keys), parts)


def _read(client: Client, keys: Keys, meta: Mapping[bytes, bytes], parts: Collection[str]) -> State | None:
    if not meta:
        return None

    def fields(part: str) -> Iterator[tuple[str, bytes]]:
        return _scan(client, keys.part(part)) if part in parts else iter(())

    try:
        return state_of(version_of(meta.get(b"version")), meta.get(b"setup", b"{}"), fields)
    except (ValueError, TypeError, ValidationError) as error:
        raise StateError(
            f"the state of task {keys.task} in Redis cannot be read ({type(error).__name__}): "
            f"restore a backup, or delete the keys {keys.prefix}:state:*; "
            "the next run then links by key and deletes nothing"
        ) from None  # the cause quotes field values, and this ends in logs and Celery results


def known(client: Client, keys: Keys) -> Mapping[bytes, bytes]:
    """What is known of a state as a whole; empty where there is none.

    Raises:
        OtherVersionError: a newer version wrote it.
        StateError: it is of a version that is not known here.
    """
    meta: Mapping[bytes, bytes] = client.ask("HGETALL", keys.meta)
    if meta:
        expect_known(keys.task, meta.get(b"version"))
    return meta


def _chunks(fields: Mapping[str, bytes]) -> Iterator[list[str | bytes]]:
    flat: list[str | bytes] = [part for pair in fields.items() for part in pair]
    for start in range(0, len(flat), 2 * CHUNK):
        yield flat[start : start + 2 * CHUNK]


def _scan(client: Client, key: str) -> Iterator[tuple[str, bytes]]:
    """All fields of a hash, a chunk per call; a field may come twice."""
    cursor = 0
    while True:
        cursor, fields = client.ask("HSCAN", key, cursor, "COUNT", CHUNK)
        for name, body in fields.items():
            yield name.decode(), body
        if not cursor:
            return
