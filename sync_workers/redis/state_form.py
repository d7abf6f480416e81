"""The state of a task as hashes of JSON, one for each of `keys.PARTS`, and back.

A field of `links`, `held`, `trails` and `memory` is a Notion id, one of `decisions` a JSON list of Notion id
and Notion attribute, one of the others `side:id`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from pydantic import BaseModel

from sync_workers.model import ID, Side
from sync_workers.redis.keys import PARTS
from sync_workers.state import Change, Link, Pending, State, write_fields

Body: TypeAlias = bytes | None
"""What stands in a field of a hash; None removes it."""


def changes(change: Change) -> Iterator[tuple[str, str, Body]]:
    """The change as part, field and body."""
    for part in PARTS:
        for name, value in getattr(change, part).items():
            field = name if isinstance(name, str) else _FIELD.get(part, _sided)(*name)
            yield part, field, None if value is None or value is False else _WRITE[part](value)
            if part == "links" and value is None:  # what stands there goes with the link
                yield "memory", field, None


def hashes(state: State) -> Iterator[dict[str, bytes]]:
    """The state as one hash for each of `PARTS`."""
    for part in PARTS:
        write = _WRITE[part]
        if part == "links":
            yield {
                notion_id: write((other_id, state.objs.get(notion_id), state.other_objs.get(other_id)))
                for notion_id, other_id in state.ids.items()
            }
            continue
        known: Mapping[Any, Any] = getattr(state, part)
        if part == "decisions":
            yield {
                one_field(i, a): write(one) for i, known_of in known.items() for a, one in known_of.items()
            }
        elif part in _SIDED:
            yield {
                _sided(side, i): write(value) for side, named in known.items() for i, value in _items(named)
            }
        else:
            yield {notion_id: write(value) for notion_id, value in known.items()}


def state_of(version: int, setup: bytes, read: Callable[[str], Iterator[tuple[str, bytes]]]) -> State:
    """The state that stands in hashes; `read` gives the fields of one of them, some perhaps twice.

    One of an older version is brought up to date.

    Raises:
        ValueError, TypeError: it cannot be read; the text may quote values.
    """
    raw: dict[str, Any] = {"ids": {}, "objs": {}, "other_objs": {}, "setup": load(setup), "version": version}
    for notion_id, body in read("links"):
        other_id, *bases = load(body)
        raw["ids"][notion_id] = other_id
        for name, record_id, base in zip(("objs", "other_objs"), (notion_id, other_id), bases, strict=True):
            if base is not None:
                raw[name][record_id] = base
    for part in PARTS[1:]:
        known: dict[str, Any] = raw.setdefault(part, {})
        for field, body in read(part):
            if part == "decisions":
                notion_id, attr = json.loads(field)
                known.setdefault(notion_id, {})[attr] = load(body)
                continue
            if part not in _SIDED:
                known[field] = load(body)
                continue
            side, _, record_id = field.partition(":")
            if part in _NAMED:
                known.setdefault(side, set()).add(record_id)
            else:
                known.setdefault(side, {})[record_id] = load(body)
    return State.model_validate(raw)


_SIDED = frozenset({"pending", "unlinked", "quarantine", "paused"})
_NAMED = frozenset({"unlinked", "paused"})
"""Of these only the record's name is kept."""


def _sided(side: Side, record_id: ID) -> str:
    return f"{side}:{record_id}"


def one_field(notion_id: ID, attr: str) -> str:
    """How the hash of decisions names a field of a record."""
    return json.dumps([notion_id, attr])


_FIELD: Mapping[str, Callable[[Any, str], str]] = {"decisions": one_field}


def _items(named: Mapping[ID, Any] | set[ID]) -> Iterator[tuple[ID, Any]]:
    yield from named.items() if isinstance(named, Mapping) else ((record_id, True) for record_id in named)


def _link(link: Link | tuple[ID, Mapping[str, Any] | None, Mapping[str, Any] | None]) -> bytes:
    other_id, *bases = link
    return dump([other_id, *(write_fields(base) if base is not None else None for base in bases)])


def _pending(begun: Pending) -> bytes:
    # Not by the model: what is begun was never read from JSON, and its values are written as they are.
    body: dict[str, Any] = {
        "source": write_fields(begun.source),
        "sent": write_fields(begun.sent),
        "key": begun.key,
    }
    if begun.mark:
        body["mark"] = begun.mark
    if begun.alike:
        body["alike"] = list(begun.alike)
    return dump(body)


def model_body(model: BaseModel) -> bytes:
    """A remark as JSON."""
    return dump(model.model_dump(mode="json"))


def _by_attr(models: Mapping[str, BaseModel]) -> bytes:
    return dump({attr: model.model_dump(mode="json") for attr, model in models.items()})


_WRITE: Mapping[str, Callable[[Any], bytes]] = {
    "links": _link,
    "pending": _pending,
    "unlinked": lambda _: b"1",
    "held": _by_attr,
    "decisions": model_body,
    "trails": _by_attr,
    "quarantine": model_body,
    "paused": lambda _: b"1",
    "memory": _by_attr,
}


def dump(value: Any) -> bytes:
    """JSON; half a surrogate pair is legal in it, and services have been seen to cut text there."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def load(body: bytes) -> Any:
    """What `dump` wrote."""
    return json.loads(body.decode("utf-8", "surrogatepass"))
