"""Where a calendar is: by its URL, its path, or its display name."""

from __future__ import annotations

from urllib.parse import unquote, urljoin, urlsplit

from sync_workers.errors import SettingsError
from sync_workers.services.caldav.connection import Connection
from sync_workers.services.caldav.multistatus import CALDAV, DAV, Answer, properties

RESOURCE_TYPE = f"{DAV}resourcetype"
DISPLAY_NAME = f"{DAV}displayname"
COMPONENTS = f"{CALDAV}supported-calendar-component-set"
SYNC_TOKEN = f"{DAV}sync-token"
_PRINCIPAL = f"{DAV}current-user-principal"
_HOMES = f"{CALDAV}calendar-home-set"


def locate(connection: Connection, calendar: str) -> str:
    """The URL of the calendar, ending in a slash; only a display name has to be asked for.

    Raises:
        SettingsError: no calendar has that name, or several have.
    """
    if "://" in calendar or calendar.startswith("/"):
        return urljoin(connection.url, calendar).rstrip("/") + "/"
    there = calendars(connection)
    found = [url for url, name in there if name == calendar]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(f"{name!r} ({urlsplit(url).path})" for url, name in there)) or "none"
    problem = "no calendar has" if not found else "several calendars have"
    msg = f"{problem} the display name {calendar!r}; give one of these names or paths: {names}"
    raise SettingsError(msg)


def calendars(connection: Connection) -> list[tuple[str, str]]:
    """URL and display name of all calendars in the homes of this login."""
    principal = _linked(connection, [connection.url], _PRINCIPAL)
    homes = _linked(connection, principal, _HOMES)
    wanted = properties(RESOURCE_TYPE, DISPLAY_NAME)
    return [
        (urljoin(home, answer.href), answer.text(DISPLAY_NAME) or last_part(answer.href))
        for home in homes
        for answer in connection.answers("PROPFIND", home, wanted, depth=1)
        if is_calendar(answer)
    ]


def _linked(connection: Connection, urls: list[str], tag: str) -> list[str]:
    """Where the property points to; the same places where the server has no such property."""
    linked = [
        urljoin(url, href)
        for url in urls
        for answer in connection.answers("PROPFIND", url, properties(tag))
        for href in answer.hrefs(tag)
    ]
    return list(dict.fromkeys(linked)) or urls


def is_calendar(answer: Answer) -> bool:
    kinds = answer.properties.get(RESOURCE_TYPE)
    return kinds is not None and kinds.find(f"{CALDAV}calendar") is not None


def takes_todos(answer: Answer) -> bool:
    """Whether to-dos may be put there; a calendar that names no components takes all."""
    components = answer.properties.get(COMPONENTS)
    return components is None or "VTODO" in {part.get("name") for part in components}


def last_part(href: str) -> str:
    """The name of a resource within its collection, without quoting."""
    return unquote(urlsplit(href).path.rstrip("/").rpartition("/")[2])
