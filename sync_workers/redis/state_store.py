"""`RedisStore`: the state of one task in Redis, held by one attempt of one run.

Links are fields of a hash and change one by one, so that a run costs what changed and not what exists. Every
write names the attempt's number and is refused when another attempt or run has the lease.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from sync_workers.errors import LeaseLostError, StateError
from sync_workers.model import ID
from sync_workers.redis import scripts
from sync_workers.redis.connect import Client
from sync_workers.redis.keys import Keys
from sync_workers.redis.lease import owner
from sync_workers.state import Change, Pending, State, write_fields

JOURNAL_KEPT = timedelta(days=7)
"""How long the journal of a run that died waits for its next attempt. Only a run's own attempts read it, and
those come within minutes; what a lost reply left open stands in the state itself."""

CHUNK = 1000
"""Links per answer and per command: a few hundred kilobytes, so that no single call holds up Redis."""

VERSION = str(State().version)

_LINKS, _PENDING, _UNLINKED = 4, 5, 6
"""Which of the keys of `step.lua` a change is for, counted from 1 as in Lua."""


class RedisStore:
    """The `Store` of `sync_workers.runs.store` in Redis.

    Args:
        run: the run that has the lease.
        fence: its attempt's number, from `Taken`.
    """

    def __init__(self, client: Client, task: str, run: ID, fence: int) -> None:
        self._client = client
        self._keys = Keys(task)
        self._run = run
        self._owner = owner(run, fence)

    def load(self) -> State | None:
        return load(self._client, self._keys.task)

    def begin(self, operation: int, change: Change) -> bool:
        return self._step("begin", operation, change) != b"begun"

    def commit(self, operation: int | None, change: Change) -> None:
        self._step("" if operation is None else "end", operation, change)

    def done(self) -> frozenset[int]:
        journal = self._client.ask("HGETALL", self._keys.journal(self._run))
        return frozenset(int(number) for number, said in journal.items() if said == b"ended")

    def replace(self, state: State) -> None:
        """Put a whole state in the place of what is there, all at once.

        Raises:
            LeaseLostError: another run owns the task now; nothing was changed.
        """
        names: list[str] = []
        for key, fields in zip(self._keys.state(), _whole(state), strict=True):
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

    def _step(self, step: str, operation: int | None, change: Change) -> bytes:
        keys = self._keys
        said: bytes = self._client.run(
            scripts.STEP,
            (keys.lease, keys.meta, keys.journal(self._run), keys.links, keys.pending, keys.unlinked),
            (
                self._owner, VERSION, step, "" if operation is None else operation, secrets.token_hex(8),
                int(JOURNAL_KEPT.total_seconds() * 1000),
                "" if change.setup is None else _dump(dict(change.setup)), *_changes(change),
            ),
        )  # fmt: skip
        if said == b"lost":
            raise self._lost()
        if said == b"version":
            raise _unknown_version(keys.task)
        return said

    def _lost(self) -> LeaseLostError:
        return LeaseLostError(
            f"task {self._keys.task}: run {self._run} does not have the lease any more and stored nothing; "
            "the next run goes on from what is stored"
        )


def load(client: Client, task: str) -> State | None:
    """The state of a task as it is stored; consistent for whoever has the lease, since only that one writes.

    Raises:
        StateError: it is of a version that is not known here, or cannot be read.
    """
    keys = Keys(task)
    meta = client.ask("HGETALL", keys.meta)
    if not meta:
        return None
    if meta.get(b"version") != VERSION.encode():
        raise _unknown_version(task)
    raw: dict[str, Any] = {"ids": {}, "objs": {}, "other_objs": {}, "pending": {}, "unlinked": {}}
    try:
        raw["setup"] = _load(meta.get(b"setup", b"{}"))
        for notion_id, body in _scan(client, keys.links):
            other_id, *bases = _load(body)
            raw["ids"][notion_id] = other_id
            for name, record_id, base in zip(
                ("objs", "other_objs"), (notion_id, other_id), bases, strict=True
            ):
                if base is not None:
                    raw[name][record_id] = base
        for place, body in _scan(client, keys.pending):
            side, _, source_id = place.partition(":")
            raw["pending"].setdefault(side, {})[source_id] = _load(body)
        for place, _ in _scan(client, keys.unlinked):
            side, _, record_id = place.partition(":")
            raw["unlinked"].setdefault(side, set()).add(record_id)
        return State.model_validate(raw)
    except (ValueError, TypeError, ValidationError) as error:
        raise StateError(
            f"the state of task {task} in Redis cannot be read ({type(error).__name__}): "
            f"restore a backup, or delete the keys {keys.prefix}:state:*; "
            "the next run then links by key and deletes nothing"
        ) from None  # the cause quotes field values, and this ends in logs and Celery results


def _changes(change: Change) -> Iterator[str | bytes | int]:
    """The change as triples of key, field and value for `step.lua`."""
    for notion_id, link in change.links.items():
        yield from (_LINKS, notion_id, _link(*link) if link is not None else "")
    for (side, source_id), begun in change.pending.items():
        yield from (_PENDING, f"{side}:{source_id}", _pending(begun) if begun is not None else "")
    for (side, record_id), parted in change.unlinked.items():
        yield from (_UNLINKED, f"{side}:{record_id}", "1" if parted else "")


def _whole(state: State) -> tuple[dict[str, str | bytes], ...]:
    """The state as one hash for each of `Keys.state()`."""
    return (
        {"version": VERSION, "setup": _dump(state.setup)},
        {
            notion_id: _link(other_id, state.objs.get(notion_id), state.other_objs.get(other_id))
            for notion_id, other_id in state.ids.items()
        },
        {
            f"{side}:{source_id}": _pending(begun)
            for side, waiting in state.pending.items()
            for source_id, begun in waiting.items()
        },
        {f"{side}:{record_id}": "1" for side, ids in state.unlinked.items() for record_id in ids},
    )


def _link(other_id: ID, notion_base: Mapping[str, Any] | None, base: Mapping[str, Any] | None) -> bytes:
    bases = [write_fields(fields) if fields is not None else None for fields in (notion_base, base)]
    return _dump([other_id, *bases])


def _pending(begun: Pending) -> bytes:
    return _dump({"source": write_fields(begun.source), "sent": write_fields(begun.sent), "key": begun.key})


def _dump(value: Any) -> bytes:
    # Half a surrogate pair is legal in Python and JSON; services have been seen to cut text there.
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _load(body: bytes) -> Any:
    return json.loads(body.decode("utf-8", "surrogatepass"))


def _chunks(fields: Mapping[str, str | bytes]) -> Iterator[list[str | bytes]]:
    flat = [part for pair in fields.items() for part in pair]
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


def _unknown_version(task: str) -> StateError:
    return StateError(
        f"the state of task {task} in Redis is of a version that is not known here (only {VERSION}): "
        "upgrade sync-workers here, or stop the newer workers and restore a backup"
    )
