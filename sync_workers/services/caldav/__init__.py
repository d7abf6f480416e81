"""The CalDAV service: the to-dos (VTODO) of one calendar on any CalDAV server.

settings.py      what stands in the task file
service.py       the contract: fetch, read, and every write
calendar.py      one calendar on a server: its objects as texts with names and etags
locate.py        where the calendar is
connection.py    one call, and what went wrong in the words of the project
multistatus.py   the XML of questions and answers
fields.py        what the fields mean: values out of a to-do and into it
todo.py          one to-do, read and patched
relations.py     which to-do belongs under which
lines.py         a patch of an iCalendar text that leaves all else as it is

Only `connect` imports caldav and icalendar, which the extra `caldav` installs.
"""

from __future__ import annotations

from sync_workers.errors import MissingExtraError, SettingsError
from sync_workers.services import ServiceKind
from sync_workers.services.base import Mapped, Service
from sync_workers.services.budget import Budget
from sync_workers.services.caldav.settings import CaldavCalendar, CaldavConnection


def connect(
    connection: CaldavConnection, place: CaldavCalendar, mapped: Mapped, budget: Budget | None = None
) -> Service:
    """The service over a calendar; makes no call yet.

    Raises:
        MissingExtraError: caldav or icalendar is not installed.
        SettingsError: a secret is missing, or fields are mapped that exclude each other.
    """
    try:
        import caldav  # noqa: F401 - asked for here, so that the answer is clear
        import icalendar  # noqa: F401 - the same
    except ImportError as error:
        what = "CalDAV"
        raise MissingExtraError(what, "caldav") from error
    from sync_workers.services.caldav.service import CaldavService

    if {"status", "done"} <= set(mapped.names):
        msg = (
            "the CalDAV fields 'status' and 'done' show the same property, so that writing one changes "
            "the other: map only one of them"
        )
        raise SettingsError(msg)
    return CaldavService(connection, place, mapped, budget)


KIND = ServiceKind(CaldavConnection, CaldavCalendar, connect, title="summary")
