"""Two services that misbehave as real ones do, and a `SyncTask` over them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sync_workers import ID, ConflictMode, State, SyncTask

START = datetime(2026, 1, 1, tzinfo=UTC)


class Objects(StrEnum):
    """What the objects are that a service's listing gives."""

    LIVE = "live"  # they show at once what the service kept
    COPIES = "copies"  # they never change; only a new listing tells


class LostReplyError(Exception):
    """A client's exception, with the content of a request in its text as clients do."""

    def __init__(self) -> None:
        super().__init__("504 for {'title': 'SECRET-VALUE'}")


@dataclass
class Thing:
    """One object as a client library shows it."""

    id: ID
    values: dict[str, Any]
    updated: datetime


@dataclass
class Server:
    """One service with all its things.

    Attributes:
        keep: what the service makes of a value it is sent.
        lost: how many of the next creates are done, but lose their reply.
        faults: what a hook raises for a thing, by the hook's name and the thing's title.
    """

    prefix: str
    clock: Iterator[datetime]
    objects: Objects = Objects.LIVE
    keep: Callable[[str, Any], Any] = lambda _attr, value: value
    things: dict[ID, Thing] = field(default_factory=dict)
    lost: int = 0
    log: list[tuple[str, ID, dict[str, Any]]] = field(default_factory=list)
    faults: dict[tuple[str, Any], Exception] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    listings: int = 0
    ignore: set[str] = field(default_factory=set)

    def add(self, **values: Any) -> Thing:
        """Add a thing as a person would."""
        thing = Thing(f"{self.prefix}{next(self.numbers)}", values, next(self.clock))
        self.things[thing.id] = thing
        return thing

    def edit(self, thing_id: ID, **values: Any) -> None:
        """Change a thing as a person would."""
        thing = self.things[thing_id]
        thing.values.update(values)
        thing.updated = next(self.clock)

    def remove(self, thing_id: ID) -> None:
        del self.things[thing_id]

    def listing(self) -> list[Thing]:
        self.listings += 1
        return [self.shown(thing) for thing in self.things.values()]

    def shown(self, thing: Thing) -> Thing:
        if self.objects is Objects.LIVE:
            return thing
        return Thing(thing.id, dict(thing.values), thing.updated)

    def update(self, obj: Thing, changes: dict[str, Any]) -> None:
        self.log.append(("update", obj.id, dict(changes)))
        kept = {a: self.keep(a, v) for a, v in changes.items() if a not in self.ignore}
        if kept:
            self.edit(obj.id, **kept)

    def create(self, values: dict[str, Any]) -> Thing:
        thing = self.add(**{a: self.keep(a, v) for a, v in values.items()})
        self.log.append(("create", thing.id, dict(values)))
        if self.lost:
            self.lost -= 1
            raise LostReplyError
        return self.shown(thing)

    def delete(self, obj: Thing) -> None:
        self.log.append(("delete", obj.id, {}))
        self.remove(obj.id)

    def trouble(self, hook: str, title: Any) -> None:
        if (hook, title) in self.faults:
            raise self.faults[hook, title]

    def rows(self, *attrs: str) -> list[tuple[Any, ...]]:
        """What is on the service now."""
        rows = [tuple(thing.values.get(attr) for attr in attrs) for thing in self.things.values()]
        return sorted(rows, key=lambda row: [str(value) for value in row])

    def counts(self) -> dict[str, int]:
        return dict(Counter(kind for kind, _, _ in self.log))


class Todo(SyncTask):
    """A to-do list on both sides, in the form people's subclasses have: no method but the hooks."""

    def __init__(
        self, notion: Server, other: Server, mode: ConflictMode | str = "newer", name: str = "todo"
    ) -> None:
        super().__init__(name, {"Title": "title", "Done": "done", "Note": "note"}, mode)
        self.notion_server = notion
        self.other_server = other

    def get_notion_objects(self) -> list[Any]:
        self.notion_server.trouble("list", None)
        return self.notion_server.listing()

    def get_other_objects(self) -> list[Any]:
        self.other_server.trouble("list", None)
        return self.other_server.listing()

    def notion_timestamp(self, obj: Thing) -> datetime:
        self.notion_server.trouble("timestamp", obj.values["Title"])
        return obj.updated

    def other_timestamp(self, obj: Thing) -> datetime:
        self.other_server.trouble("timestamp", obj.values["title"])
        return obj.updated

    def notion_id(self, obj: Thing) -> ID:
        self.notion_server.trouble("id", obj.values["Title"])
        return obj.id

    def other_id(self, obj: Thing) -> ID:
        self.other_server.trouble("id", obj.values["title"])
        return obj.id

    def notion_hash(self, obj: Thing) -> str:
        self.notion_server.trouble("hash", obj.values["Title"])
        return str(obj.values["Title"])

    def other_hash(self, obj: Thing) -> str:
        self.other_server.trouble("hash", obj.values["title"])
        return str(obj.values["title"])

    def notion_to_dict(self, obj: Thing) -> dict[str, Any]:
        self.notion_server.trouble("to_dict", obj.values["Title"])
        return {attr: obj.values.get(attr) for attr in ("Title", "Done", "Note", "Not mapped")}

    def other_to_dict(self, obj: Thing) -> dict[str, Any]:
        self.other_server.trouble("to_dict", obj.values["title"])
        return {attr: obj.values.get(attr) for attr in ("title", "done", "note", "not_mapped")}

    def notion_update_obj(self, obj: Thing, attr: str, value: Any) -> None:
        self.notion_server.trouble("update", obj.values["Title"])
        self.notion_server.update(obj, {attr: value})

    def other_update_obj(self, obj: Thing, attr: str, value: Any) -> None:
        self.other_server.trouble("update", obj.values["title"])
        self.other_server.update(obj, {attr: value})

    def notion_delete_obj(self, obj: Thing) -> None:
        self.notion_server.trouble("delete", obj.values["Title"])
        self.notion_server.delete(obj)

    def other_delete_obj(self, obj: Thing) -> None:
        self.other_server.trouble("delete", obj.values["title"])
        self.other_server.delete(obj)

    def notion_create_obj(self, **kwargs: Any) -> Thing:
        self.notion_server.trouble("create", kwargs["Title"])
        return self.notion_server.create(kwargs)

    def other_create_obj(self, **kwargs: Any) -> Thing:
        self.other_server.trouble("create", kwargs["title"])
        return self.other_server.create(kwargs)


@dataclass
class World:
    """Both services, and a task over them."""

    notion: Server
    other: Server

    def task(self, kind: type[Todo] = Todo, mode: ConflictMode | str = "newer") -> Any:
        return kind(self.notion, self.other, mode)

    def linked(self, *titles: str, kind: type[Todo] = Todo, mode: ConflictMode | str = "newer") -> Any:
        """A task and a state in which these titles are linked; the logs are empty."""
        for title in titles:
            self.notion.add(Title=title, Done=False, Note="")
            self.other.add(title=title, done=False, note="")
        task = self.task(kind, mode)
        state = task.sync(None)
        assert len(state.ids) == len(titles)
        self.forget()
        return task, state

    def forget(self) -> None:
        for server in (self.notion, self.other):
            server.log.clear()
            server.listings = 0

    def writes(self) -> dict[str, dict[str, int]]:
        return {"notion": self.notion.counts(), "other": self.other.counts()}

    def sides_agree(self) -> bool:
        return self.notion.rows("Title", "Done", "Note") == self.other.rows("title", "done", "note")

    def assert_quiet(self, task: Any, state: State) -> State:
        """A second run without outside edits plans nothing and calls no write (rule R1)."""
        self.forget()
        before = state.model_copy(deep=True)
        after: State = task.sync(state)
        assert self.writes() == {"notion": {}, "other": {}}
        assert task.report.planned == 0, task.report
        before.setup = before.setup or after.setup  # a step by itself knows nothing of the set-up
        assert not after.trails
        before.trails.clear()  # a run that leaves a field alone forgets what the run before wrote there
        assert after == before
        return after


def ticking() -> Iterator[datetime]:
    return (START + timedelta(minutes=number) for number in itertools.count())


def world(notion: Objects = Objects.LIVE, other: Objects = Objects.LIVE) -> World:
    clock = ticking()
    return World(Server("n", clock, notion), Server("o", clock, other))


def busy(here: World, kind: type[Todo] = Todo, mode: str = "newer") -> Any:
    """Something for every step to do."""
    task, state = here.linked("edited", "gone on notion", "gone on other", kind=kind, mode=mode)
    here.notion.edit("n1", Note="edited")
    here.notion.remove("n2")
    here.other.remove("o3")
    here.notion.add(Title="new on notion", Done=False, Note="")
    here.other.add(title="new on other", done=False, note="")
    return task, state
