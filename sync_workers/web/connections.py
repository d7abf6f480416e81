"""The connections that Notion tells of events, and the tasks that these concern."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from urllib.parse import quote

from sync_workers.config.task_file import TaskConfig, TaskFile
from sync_workers.errors import SettingsError
from sync_workers.model import ID, Pair, Side
from sync_workers.redis.waiting import Waiting, Wanted
from sync_workers.services.notion.events import Event, Reach
from sync_workers.services.notion.settings import NotionConnection, NotionContainer

KIND = "notion"


@dataclass(frozen=True, slots=True)
class Concerned:
    """A task with a side on the connection.

    Attributes:
        connections: the names of all connections that it uses.
        containers: what it syncs on this connection; None for a side that is elsewhere.
    """

    name: str
    connections: tuple[str, ...]
    containers: Pair[NotionContainer | None]
    tenant: str = ""

    def wanted(self, event: Event, waiting: Waiting) -> Wanted:
        """What the event asks for in this task; nothing when it is about something else."""
        inside = Pair.each(lambda side: self._is_inside(side, event))
        if event.reach is Reach.PAGES:
            return Wanted(Pair.each(lambda side: self._looks(side, event, waiting, inside=inside[side])))
        is_ours = inside.notion or inside.other
        return Wanted(run=is_ours and event.reach is Reach.RUN, full=is_ours and event.reach is Reach.FULL)

    def _is_inside(self, side: Side, event: Event) -> bool:
        container = self.containers[side]
        return container is not None and event.is_in(container)

    def _looks(self, side: Side, event: Event, waiting: Waiting, *, inside: bool) -> tuple[ID, ...]:
        if inside:
            return event.pages
        # A page that was moved away names its new place, and a comment none at all. What a task knows by
        # the id of its other side cannot be looked up: there the regular runs find what moved.
        is_told = side is Side.NOTION and self.containers.notion is not None and len(event.pages) == 1
        return event.pages if is_told and waiting.is_linked(event.pages[0]) else ()


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection that events come for.

    Attributes:
        tasks: those with a side on it, in the order of the task file.
    """

    name: str
    settings: NotionConnection
    tasks: tuple[Concerned, ...]

    @property
    def path(self) -> str:
        """Where its events are sent, on the receiver."""
        return f"/notion/{quote(self.name, safe='')}"

    @property
    def quiet(self) -> timedelta:
        return timedelta(seconds=self.settings.webhook_quiet)

    @property
    def longest(self) -> timedelta:
        return timedelta(seconds=self.settings.webhook_longest)


def connections_of(file: TaskFile) -> dict[str, Connection]:
    """All connections to Notion by name.

    Raises:
        SettingsError: there is none.
    """
    found = {
        name: Connection(name, connection.settings, _tasks(file, name))
        for name, connection in file.connections.items()
        if isinstance(connection.settings, NotionConnection)
    }
    if not found:
        msg = f'{file.path} has no connection of kind = "{KIND}", so there is nobody to hear from'
        raise SettingsError(msg)
    return found


def _tasks(file: TaskFile, name: str) -> tuple[Concerned, ...]:
    found = [
        Concerned(
            task.name,
            tuple(dict.fromkeys(task.sides[side].connection.name for side in Side)),
            Pair.each(partial(_container, task, name)),
            task.tenant,
        )
        for task in file.tasks.values()
    ]
    return tuple(task for task in found if task.containers.notion or task.containers.other)


def _container(task: TaskConfig, name: str, side: Side) -> NotionContainer | None:
    there = task.sides[side]
    if there.connection.name == name and isinstance(there.container, NotionContainer):
        return there.container
    return None
