"""Snapshots, plans, mirrors and reports as bytes and back, for the way from one phase to the next.

JSON: values as in `sync_workers.values`, and each noun of the model as `{"$Noun": [its parts]}`.
Only the nouns listed here are ever made from what was read; it is never pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import timedelta
from enum import Enum
from typing import Any, TypeVar

from sync_workers.errors import OtherVersionError, StateError
from sync_workers.fields import Field, Kind, NewOptions, ValueForm
from sync_workers.model import (
    About,
    Action,
    Ambiguity,
    Conflict,
    Failure,
    Hold,
    Listing,
    Operation,
    Pair,
    Part,
    Plan,
    Record,
    Side,
)
from sync_workers.references import Reference
from sync_workers.report import Outcome, Report, Trigger
from sync_workers.runs.drift import Drift
from sync_workers.runs.get import Gathered
from sync_workers.runs.history import Entry
from sync_workers.runs.mirror import Mirror
from sync_workers.runs.refused import Refusal, RefusedPlan
from sync_workers.services.base import Fetched
from sync_workers.state import Glimpse
from sync_workers.values import from_json, to_json

T = TypeVar("T")

_NOUNS: dict[str, type] = {
    noun.__name__: noun
    for noun in (
        *(About, Ambiguity, Conflict, Drift, Entry, Failure, Fetched, Field, Gathered, Hold, Listing, Mirror),
        *(Operation, Pair, Plan, Record, Reference, RefusedPlan, Refusal, Report),
    )
}
_ENUMS: dict[str, type[Enum]] = {
    enum.__name__: enum for enum in (Action, Kind, NewOptions, Outcome, Part, Side, Trigger, ValueForm)
}
_PARTS = {name: tuple(part.name for part in fields(noun)) for name, noun in _NOUNS.items()}


def to_bytes(thing: object) -> bytes:
    """A noun of the model as JSON."""
    return json.dumps(_pack(thing), separators=(",", ":")).encode()


def from_bytes(data: bytes, expected: type[T]) -> T:
    """What `to_bytes` wrote.

    Raises:
        OtherVersionError: it cannot be read.
        StateError: it is something else.
    """
    try:
        thing = _unpack(json.loads(data))
    except (ValueError, TypeError, KeyError) as error:
        msg = f"a stored {expected.__name__} cannot be read: was it written by another version? Run again"
        raise OtherVersionError(msg) from error
    if not isinstance(thing, expected):
        msg = f"a stored {expected.__name__} is a {type(thing).__name__}: run again"
        raise StateError(msg)
    return thing


def glimpse_of(data: bytes) -> Glimpse:
    """What `to_bytes` wrote of a glimpse.

    Raises:
        StateError: as `from_bytes`.
    """
    found: Any = from_bytes(data, object)
    if not isinstance(found, Record | str):
        msg = f"a stored glimpse is a {type(found).__name__}: run again"
        raise StateError(msg)
    return found


def _pack(thing: Any) -> Any:
    kind = type(thing)
    if thing is None or kind in {bool, int, str}:
        return thing
    name = kind.__name__
    if _NOUNS.get(name) is kind:
        return {f"${name}": [_pack(getattr(thing, part)) for part in _PARTS[name]]}
    if _ENUMS.get(name) is kind:
        return {f"${name}": thing.value}
    if isinstance(thing, list):
        return [_pack(item) for item in thing]
    if kind in {tuple, set, frozenset}:
        return {f"${'tuple' if kind is tuple else 'set'}": [_pack(item) for item in thing]}
    if isinstance(thing, Mapping):
        plain = {str(key): _pack(item) for key, item in thing.items()}
        return {"$dict": plain} if any(key.startswith("$") for key in plain) else plain
    if isinstance(thing, timedelta):
        return {"$seconds": thing.total_seconds()}
    return to_json(thing)


def _unpack(data: Any) -> Any:
    if isinstance(data, list):
        return [_unpack(item) for item in data]
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        ((tag, body),) = data.items()
        name = tag.removeprefix("$")
        if tag == "$dict":
            return {key: _unpack(item) for key, item in body.items()}
        if tag == "$tuple":
            return tuple(_unpack(item) for item in body)
        if tag == "$set":  # a set inside a set was a frozen one
            return {frozenset(item) if isinstance(item, set) else item for item in map(_unpack, body)}
        if tag.startswith("$") and name in _NOUNS:
            return _NOUNS[name](*(_unpack(part) for part in body))
        if tag.startswith("$") and name in _ENUMS:
            return _ENUMS[name](body)
        if tag.startswith("$"):
            return from_json(data)
    return {key: _unpack(item) for key, item in data.items()}
