"""Pausing a single record: which one a person means by an id, and leaving it alone from now on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

from sync_workers.errors import RejectedError, SettingsError, SyncError
from sync_workers.model import ID, Pair, Record, Side
from sync_workers.redis.budget import RedisBudget
from sync_workers.redis.connect import Client
from sync_workers.redis.pauses import pause_records
from sync_workers.redis.state_store import load, load_setup
from sync_workers.report import Trigger
from sync_workers.runs.task import Task
from sync_workers.services.hooks import HooksService
from sync_workers.state import State

_NOTION_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?=$|[?#])")


def pause_record(task: Task, client: Client, text: str, side: Side | None = None) -> Pair[ID | None]:
    """Leave a record and its counterpart alone; gives their ids.

    One without a link is looked for on both sides, unless its `side` is given.

    Raises:
        SettingsError: no record is known by that id, or one on each side is.
        StateError: the state cannot be read.
    """
    state = load(client, task.name)
    if state is None:
        raise SettingsError(
            f"task {task.name} has not run yet and knows no records: run it first, "
            f"or pause all of it: `sync-workers pause {task.name}`"
        )
    found = set(_linked(state, text, side)) or {_alone(task, client, text, side)}
    ids = _only(task, text, found)
    pause_records(client, task.name, ids, paused=True)
    return ids


def resume_record(task: Task, client: Client, text: str, side: Side | None = None) -> Pair[ID | None]:
    """Let a paused record and its counterpart take part again; gives their ids.

    Raises:
        SettingsError: no record is paused under that id, or one on each side is.
        StateError: the state cannot be read.
    """
    state = load(client, task.name) or State()
    paused = {ids for ids in _linked(state, text, side) if any(_is_paused(state, s, ids[s]) for s in Side)}
    alone = {
        Pair.of(each, form, None)
        for each in _sides(side)
        for form in _forms(text)
        if _is_paused(state, each, form) and form not in state.linked(each)
    }
    if not paused | alone:
        raise SettingsError(
            f"task {task.name} has no paused record {text}: `sync-workers plan {task.name}` lists what waits"
        )
    ids = _only(task, text, paused | alone)
    pause_records(client, task.name, ids, paused=False)
    return ids


def _linked(state: State, text: str, side: Side | None) -> Iterator[Pair[ID | None]]:
    forms = _forms(text)
    for notion_id, other_id in state.links():
        ids: Pair[ID | None] = Pair(notion_id, other_id)
        if any(ids[each] in forms for each in _sides(side)):
            yield ids


def _alone(task: Task, client: Client, text: str, side: Side | None) -> Pair[ID | None]:
    """A record without a link, on the side that is given or that shows it."""
    if side is not None:
        return Pair.of(side, _forms(text)[-1 if side is Side.NOTION else 0], None)
    found = {
        Pair.of(each, record_id, None)
        for each in Side
        for form in _forms(text)
        if (record_id := _shown(task, client, each, form)) is not None
    }
    if not found:
        raise SettingsError(
            f"task {task.name}: neither side shows a record {text}; "
            "if it is hidden now, say where it belongs with --side notion or --side other"
        )
    return _only(task, text, found)


def _shown(task: Task, client: Client, side: Side, text: str) -> ID | None:
    """The id of the record that a side shows under that one."""
    budget, known = RedisBudget(client, task.name, Trigger.LOCAL), load_setup(client, task.name)
    try:
        with task.sync_services(budget, known) as services:
            service = services[side]
            if isinstance(service, HooksService):
                service.fetch()  # hooks know only what they listed
            found = service.read([text])[text]
    except RejectedError:
        return None  # it is none of this service's ids
    except SyncError as error:
        raise SettingsError(
            f"task {task.name}: record {text} has no link, and {side} could not be asked for it "
            f"({error}): say where it belongs with --side notion or --side other"
        ) from error
    return found.id if isinstance(found, Record) else None


def _only(task: Task, text: str, found: set[Pair[ID | None]]) -> Pair[ID | None]:
    if len(found) > 1:
        raise SettingsError(
            f"task {task.name}: both sides have a record {text}; add --side notion or --side other"
        )
    return found.pop()


def _forms(text: str) -> tuple[ID, ...]:
    """The id as it was given, and as Notion's API writes it: in the address of a page it has no dashes."""
    found = _NOTION_ID.search(text.lower())
    return (text,) if found is None else tuple(dict.fromkeys((text, str(UUID(found[0])))))


def _sides(side: Side | None) -> tuple[Side, ...]:
    return tuple(Side) if side is None else (side,)


def _is_paused(state: State, side: Side, record_id: ID | None) -> bool:
    return record_id in state.paused.get(side, ())
