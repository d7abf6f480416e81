"""A calendar on a real server, as a person sees it: by plain HTTP, past the service."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import icalendar
from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from sync_workers.model import ID
from sync_workers.services.base import Mapped
from sync_workers.services.caldav import connect
from sync_workers.services.caldav.service import CaldavService
from sync_workers.services.caldav.settings import CaldavCalendar, CaldavConnection
from tests.services.caldav.servers import Server

_numbers = itertools.count(1)

MAKE = (
    '<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:set><d:prop>'
    "<d:displayname>{name}</d:displayname><c:supported-calendar-component-set>{components}"
    "</c:supported-calendar-component-set></d:prop></d:set></c:mkcalendar>"
)


@dataclass
class CaldavWorld:
    """One fresh calendar on a real server.

    Attributes:
        url: where services find the server; another one to send them through a proxy.
    """

    server: Server
    mapped: Mapped = Mapped(("summary",), key="summary")
    samples: dict[str, tuple[Any, Any]] = field(default_factory=lambda: {"summary": ("Bread", "Milk")})
    url: str = ""
    zone: str = "UTC"
    timeout: float = 10
    opened: list[CaldavService] = field(default_factory=list)
    keeps_deleted: bool = False

    def __post_init__(self) -> None:
        self.name = f"calendar-{next(_numbers)}"
        self.url = self.url or self.server.url
        self.path = f"{self.server.home}{self.name}/"
        self.person = self.server.person()
        self.make(self.path, f"To-dos {self.name}")

    def make(self, path: str, name: str, *components: str) -> None:
        """Make a calendar for to-dos, or for the given components."""
        parts = "".join(f'<c:comp name="{part}"/>' for part in components or ("VTODO", "VEVENT"))
        body = MAKE.format(name=name, components=parts)
        headers = {"Content-Type": "text/xml"}
        self.person.request("MKCALENDAR", path, content=body, headers=headers).raise_for_status()

    def open(self, calendar: str = "", mapped: Mapped | None = None) -> CaldavService:
        username, password = self.server.login
        login = {"username": username, "password": {"file": str(password)}}
        connection = CaldavConnection.model_validate({"url": self.url, "timeout": self.timeout, **login})
        place = CaldavCalendar.model_validate({"calendar": calendar or self.path, "zone": self.zone})
        service = connect(connection, place, mapped or self.mapped)
        assert isinstance(service, CaldavService)
        self.opened.append(service)
        return service

    def close(self) -> None:
        for service in self.opened:
            service.close()
        self.person.delete(self.path)
        self.person.close()

    def add(self, fields: dict[str, Any]) -> ID:
        number = next(_numbers)
        todo = icalendar.Todo()
        todo.add("uid", f"person-{number}")
        _fill(todo, fields)
        calendar = icalendar.Calendar()
        calendar.add("version", "2.0")
        calendar.add("prodid", "a person's program")
        calendar.add_component(todo)
        return self.put(f"their to-do {number}.ics", calendar.to_ical().decode())

    def edit(self, record_id: ID, fields: dict[str, Any]) -> None:
        calendar = icalendar.Calendar.from_ical(self.text(record_id))
        _fill(calendar.todos[0], fields)
        self.put(record_id, calendar.to_ical().decode())

    def remove(self, record_id: ID) -> None:
        self.person.delete(self.path + quote(record_id)).raise_for_status()

    destroy = remove

    def put(self, record_id: ID, text: str) -> ID:
        """Store a text as it is."""
        headers = {"Content-Type": "text/calendar; charset=utf-8"}
        content = text.encode()
        self.person.put(self.path + quote(record_id), content=content, headers=headers).raise_for_status()
        return record_id

    def text(self, record_id: ID) -> str:
        """The object as the server stores it."""
        return self.person.get(self.path + quote(record_id)).raise_for_status().content.decode()

    def names(self) -> set[str]:
        """What lies in the calendar, as a person's program lists it."""
        headers = {"Content-Type": "text/xml", "Depth": "1"}
        body = '<d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>'
        answer = self.person.request("PROPFIND", self.path, content=body, headers=headers)
        found = [str(href.text) for href in etree.fromstring(answer.content).iter("{DAV:}href")]
        return {href.rstrip("/").rpartition("/")[2] for href in found if not href.endswith("/")}


def _fill(todo: icalendar.Todo, fields: dict[str, Any]) -> None:
    names = {"start": "dtstart", "percent": "percent-complete", "done": "status"}
    fields = {**fields, "dtstamp": datetime.now(UTC), "last-modified": datetime.now(UTC)}
    for name, value in fields.items():
        todo.pop(names.get(name, name), None)
        if name == "done":
            todo.add("status", "COMPLETED" if value else "NEEDS-ACTION")
        elif value is not None:
            todo.add(names.get(name, name), value)
